import type { ClaimValue } from '../core/environment.ts';
import { Refusal } from '../core/reason.ts';
import { type ClaimSetting, compileClaim, type Minting, type Read } from './claim-read.ts';
import type { PortalPreset } from './preset.ts';
import { allClaims, type ClaimRule, type TokenRule } from './preset-token.ts';

type PlannedClaim = {
  readonly name: string;
  /** With the name of the object that it stands in: for the log. */
  readonly fullName: string;
  readonly read: Read;
  readonly required: boolean;
  /** Claims of the same group that come first: where one has a value, this one is not sent. */
  readonly yieldsTo: readonly Read[];
};

/** The claims of one token, in the preset's order. */
export type MadeClaims = Readonly<Record<string, ClaimValue>>;

/**
 * Compiles the claims of a preset: minted facts → the preset's claims and nothing beside them.
 * What it returns throws `Refusal`: `jwt_missing_required_claim`, or `jwt_claim_malformed` for a value of another
 * type than the preset's, outside its `enum`, or of text that is not well-formed Unicode. An empty text counts
 * as absent.
 */
export function planClaims(setting: ClaimSetting): (minting: Minting) => MadeClaims {
  const { claims, at_most_one: groups } = setting.preset.token;
  return collect(planList(claims, setting, groups ?? []));
}

/**
 * The preset as it holds for a visitor who is not signed in: without every claim that would be made from what is
 * said about a person, and with the objects that hold such claims empty.
 */
export function guestPreset(preset: PortalPreset): PortalPreset {
  const claims = Object.entries(preset.token.claims).flatMap(([name, rule]): [string, ClaimRule][] => {
    if (isPersonal(rule)) return [];
    return [[name, Object.values(rule.claims ?? {}).some(isPersonal) ? { ...rule, claims: {} } : rule]];
  });
  return { ...preset, token: { ...preset.token, claims: Object.fromEntries(claims) } };
}

const isPersonal = ({ from }: ClaimRule): boolean => from?.startsWith('user.') ?? false;

/** The claims that an environment may assert and this token repeats, under the environment's names. */
export function carriedClaims(token: TokenRule): ReadonlySet<string> {
  const sources = allClaims(token).flatMap(({ rule }) => asserted(rule));
  return new Set(sources.filter((name) => name !== 'email'));
}

/** Those of `carriedClaims` of which all or some values need a grant. */
export function privilegedClaims(token: TokenRule): ReadonlySet<string> {
  return new Set(allClaims(token).flatMap(({ rule }) => (rule.privileged ? asserted(rule) : [])));
}

/** A claim under the name that environments assert it by; `needsGrant`: whatever its value, it needs a grant. */
export type NeededClaim = { readonly name: string; readonly needsGrant: boolean };

/** Those of `carriedClaims` without which no token can be made, since nothing stands in for them. */
export function neededClaims(token: TokenRule): NeededClaim[] {
  return allClaims(token).flatMap(({ rule }) => {
    if (!rule.required || rule.default !== undefined || rule.otherwise) return [];
    return asserted(rule)
      .filter((name) => name !== 'email')
      .map((name) => ({ name, needsGrant: rule.privileged === true }));
  });
}

const asserted = ({ from }: ClaimRule): string[] => (from?.startsWith('user.') ? [from.slice(5)] : []);

function collect(plan: readonly PlannedClaim[]): (minting: Minting) => MadeClaims {
  return (minting) => {
    const claims: Record<string, ClaimValue> = {};
    for (const { name, fullName, read, required, yieldsTo } of plan) {
      if (yieldsTo.some((earlier) => earlier(minting) !== undefined)) continue;
      const value = read(minting);
      if (value !== undefined) claims[name] = value;
      else if (required) throw new Refusal('jwt_missing_required_claim', fullName);
    }
    return claims;
  };
}

function planList(
  claims: Readonly<Record<string, ClaimRule>>,
  setting: ClaimSetting,
  groups: readonly (readonly string[])[],
  within = '',
): PlannedClaim[] {
  const reads = new Map(
    Object.entries(claims).map(([name, rule]) => [name, compile(`${within}${name}`, rule, setting)]),
  );
  return [...reads].map(([name, read]) => {
    const earlier = groups
      .filter((group) => group.includes(name))
      .flatMap((group) => group.slice(0, group.indexOf(name)));
    return {
      name,
      fullName: `${within}${name}`,
      read,
      required: claims[name]?.required ?? false,
      yieldsTo: earlier.flatMap((other) => reads.get(other) ?? []),
    };
  });
}

function compile(name: string, rule: ClaimRule, setting: ClaimSetting): Read {
  if (!rule.claims) return compileClaim(name, rule, setting);
  const members = collect(planList(rule.claims, setting, [], `${name}.`));
  return (minting) => {
    const object = members(minting);
    return rule.required || Object.keys(object).length > 0 ? object : undefined;
  };
}
