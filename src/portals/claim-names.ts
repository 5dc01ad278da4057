import { checkPreset } from './check-preset.ts';
import type { PortalProblem } from './portal-problem.ts';
import type { PortalPreset } from './preset.ts';
import { allClaims, type ClaimRule } from './preset-token.ts';

/** Claims of the token, as docs/portals.md has them (`u.photo` within an object) → what environments say that they are. */
export type ClaimNames = Readonly<Record<string, string>>;

/**
 * The preset with some of its claims taken from what environments call otherwise. All else about a claim stays: its
 * type, its values, whether it needs a grant. Names that `checkClaimNames` would refuse are passed over.
 */
export function renameClaims(preset: PortalPreset, names: ClaimNames): PortalPreset {
  const rename = (within: string, claims: Readonly<Record<string, ClaimRule>>): Record<string, ClaimRule> =>
    Object.fromEntries(
      Object.entries(claims).map(([name, rule]) => {
        const full = `${within}${name}`;
        const said = Object.hasOwn(names, full) && isSaid(rule) ? names[full] : undefined;
        if (rule.claims) return [name, { ...rule, claims: rename(`${full}.`, rule.claims) }];
        return [name, said === undefined ? rule : { ...rule, from: `user.${said}` }];
      }),
    );
  return { ...preset, token: { ...preset.token, claims: rename('', preset.token.claims) } };
}

/** Faults of one portal's `claims` against its preset; `path` starts at the portal. */
export function checkClaimNames(preset: PortalPreset, names: ClaimNames): PortalProblem[] {
  const all = allClaims(preset.token);
  const known = all.filter(({ rule }) => isSaid(rule)).map(({ name }) => name);
  const problems = Object.keys(names).flatMap((name) => {
    if (known.includes(name)) return [];
    const why = all.some((claim) => claim.name === name)
      ? `${name} is not what environments say`
      : `${preset.title} is sent no claim ${name}`;
    return [{ path: ['claims', name], message: `${why}; there is ${known.join(', ') || 'none'}` }];
  });
  if (problems.length > 0) return problems;
  // What is privileged under one name cannot be had under another, in whichever of the two it is found.
  return checkPreset(renameClaims(preset, names)).map(({ path, message }) => {
    const renamed = all.find(({ name, at }) => Object.hasOwn(names, name) && at.every((step, i) => path[i] === step));
    return { path: ['claims', ...(renamed ? [renamed.name] : [])], message };
  });
}

/** The email is the one address that was checked; nothing else is one. */
const isSaid = ({ from }: ClaimRule): boolean => (from?.startsWith('user.') ?? false) && from !== 'user.email';
