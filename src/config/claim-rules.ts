import type { PortalName } from '../core/names.ts';
import { carriedClaims } from '../portals/claim-plan.ts';
import type { PortalPreset } from '../portals/preset.ts';
import type { Path } from './problem.ts';
import type { EnvironmentDraft } from './schema.ts';
import { environmentsOf, portalsOf, type Survey } from './survey.ts';

const ACCOUNT = ['account_id', 'account_external_id'];

/** Claims that an environment may assert or that are set for it: sane, and carried by some portal that it serves. */
export function checkClaims(survey: Survey, presets: ReadonlyMap<PortalName, PortalPreset>): void {
  const carried = carriedFor(survey, presets);
  const dropped = new Map<string, { path: Path; environments: Set<string> }>();
  for (const { name, path, entry } of environmentsOf(survey)) {
    const sets = Object.entries(entry.sets ?? {});
    const both = ACCOUNT.every((claim) => sets.some(([set]) => set === claim));
    if (both) {
      const remedy = 'A token names one account; keep one of the two.';
      survey.report.fault([...path, 'sets', 'account_external_id'], 'both account claims are set', remedy, 'key');
    }
    for (const [claim, value] of sets) {
      if (!ACCOUNT.includes(claim) || typeof value === 'string' || value === undefined) continue;
      survey.report.fault([...path, 'sets', claim], 'must be a text', 'Put quotes round it: 0042 would become 42.');
    }
    checkGrants(survey, path, entry.may_assert);
    const asserted = (entry.may_assert?.claims ?? []).map((claim, index) => ({
      claim,
      at: ['may_assert', 'claims', index],
    }));
    for (const { claim, at } of [...asserted, ...sets.map(([set]) => ({ claim: set, at: ['sets', set] }))]) {
      if (claim === undefined || !carried || carried(name).has(claim)) continue;
      const known = dropped.get(claim);
      if (known) known.environments.add(name);
      else dropped.set(claim, { path: [...path, ...at], environments: new Set([name]) });
    }
  }
  // One notice a claim: ten thousand environments may name it.
  for (const [claim, { path, environments }] of dropped) {
    const named = environments.size > 1 ? ` (${environments.size} environments name it)` : '';
    const message = `no portal’s preset carries ${claim}, so it is not sent${named}`;
    survey.report.notice(path, message, 'Remove it, if that is not expected.');
  }
}

/** A grant is for a claim that is passed on. */
function checkGrants({ report }: Survey, path: Path, mayAssert: EnvironmentDraft['may_assert']): void {
  const claims = new Set(mayAssert?.claims);
  for (const [index, grant] of (mayAssert?.grants ?? []).entries()) {
    if (grant === undefined || claims.has(grant)) continue;
    const remedy = `Add ${grant} to may_assert.claims, or remove it here.`;
    report.fault([...path, 'may_assert', 'grants', index], 'grants a claim that is not passed on', remedy);
  }
}

const EVERY = { has: () => true };

/** Claims carried to any portal that offers the environment; unknown while a portal's preset is. */
function carriedFor(
  survey: Survey,
  presets: ReadonlyMap<PortalName, PortalPreset>,
): ((environment: string) => Pick<ReadonlySet<string>, 'has'>) | undefined {
  const parties = portalsOf(survey).filter(({ entry }) => entry.oidc);
  const portals = portalsOf(survey)
    .filter(({ entry }) => !entry.oidc)
    .map(({ name, entry }) => ({
      preset: presets.get(name as PortalName),
      only: entry.environments && new Set(entry.environments),
    }));
  if (portals.some(({ preset }) => !preset)) return undefined;
  const carries = portals.map(({ preset, only }) => ({
    only,
    claims: preset ? carriedClaims(preset.token) : new Set<string>(),
  }));
  const known = new Map<string, ReadonlySet<string>>();
  return (environment) => {
    // A relying party may be told all of them (the scope `profile`).
    if (parties.some(({ entry }) => !entry.environments || entry.environments.includes(environment))) return EVERY;
    const offering = carries.map(({ only }) => !only || only.has(environment));
    const key = offering.join();
    const claims =
      known.get(key) ?? new Set(carries.flatMap(({ claims: own }, index) => (offering[index] ? [...own] : [])));
    known.set(key, claims);
    return claims;
  };
}
