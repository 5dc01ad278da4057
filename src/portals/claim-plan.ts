import type { ClaimValue, Identity } from '../core/environment.ts';
import type { PortalRequest } from '../core/portal.ts';
import { Refusal } from '../core/reason.ts';
import type { Instant } from '../core/time.ts';
import type { ClaimRule, TokenRule } from './preset.ts';
import { fillText } from './template.ts';

/** Everything that a claim can be made from. */
export type Minting = {
  readonly identity: Identity;
  readonly request: PortalRequest;
  readonly now: Instant;
  readonly id: string;
};

type Config = Readonly<Record<string, string>>;
type Read = (minting: Minting) => ClaimValue | undefined;
type PlannedClaim = {
  readonly name: string;
  readonly read: Read;
  readonly required: boolean;
  /** Claims of the same group that come first: where one has a value, this one is not sent. */
  readonly yieldsTo: readonly Read[];
};

/**
 * Compiles the claims of a preset: minted facts → JSON text, in the preset's order and nothing beside it.
 * What it returns throws `Refusal`: `jwt_missing_required_claim`, or `jwt_claim_malformed` for a value of another
 * type than the preset's, outside its `enum`, or of text that is not well-formed Unicode. An empty text counts
 * as absent.
 */
export function planClaims(token: TokenRule, config: Config, lifetime: number): (minting: Minting) => string {
  const plan = planList(token, config, lifetime);
  return (minting) => {
    const claims: Record<string, ClaimValue> = {};
    for (const { name, read, required, yieldsTo } of plan) {
      if (yieldsTo.some((earlier) => earlier(minting) !== undefined)) continue;
      const value = read(minting);
      if (value !== undefined) claims[name] = value;
      else if (required) throw new Refusal('jwt_missing_required_claim', name);
    }
    return JSON.stringify(claims);
  };
}

/** The claims that an environment may assert and this token repeats, under the environment's names. */
export function carriedClaims(token: TokenRule): ReadonlySet<string> {
  const sources = Object.values(token.claims).flatMap((rule) =>
    rule.from?.startsWith('user.') ? [rule.from.slice(5)] : [],
  );
  return new Set(sources.filter((name) => name !== 'email'));
}

function planList(token: TokenRule, config: Config, lifetime: number): PlannedClaim[] {
  const reads = new Map(
    Object.entries(token.claims).map(([name, rule]) => [name, compileClaim(name, rule, config, lifetime)]),
  );
  return [...reads].map(([name, read]) => {
    const groups = (token.at_most_one ?? []).filter((group) => group.includes(name));
    const earlier = groups.flatMap((group) => group.slice(0, group.indexOf(name)));
    return {
      name,
      read,
      required: token.claims[name]?.required ?? false,
      yieldsTo: earlier.flatMap((other) => reads.get(other) ?? []),
    };
  });
}

function compileClaim(name: string, rule: ClaimRule, config: Config, lifetime: number): Read {
  if (rule.const !== undefined) return constant(rule.const);
  if (rule.template !== undefined) {
    const filled = fillText(rule.template, config);
    return ({ request }) => filled(request.params);
  }
  const source = rule.from ?? '';
  const read = compileSource(source, config, lifetime);
  if (source.startsWith('time.')) {
    const unit = rule.unit === 'ms' ? 1000 : 1;
    return (minting) => (read(minting) as number) * unit;
  }
  return (minting) => {
    const value = read(minting);
    return value === undefined || value === '' ? rule.default : checkValue(name, rule, value);
  };
}

function compileSource(source: string, config: Config, lifetime: number): Read {
  if (source === 'time.iat') return ({ now }) => now;
  if (source === 'time.exp') return ({ now }) => now + lifetime;
  if (source === 'random.uuid') return ({ id }) => id;
  if (source === 'user.email') return ({ identity }) => identity.email;
  const [from, name = ''] = source.split('.');
  if (from === 'config') return constant(config[name]);
  if (from === 'request') return ({ request: { params } }) => (Object.hasOwn(params, name) ? params[name] : undefined);
  return ({ identity: { claims } }) => (Object.hasOwn(claims, name) ? (claims[name] ?? undefined) : undefined);
}

const constant =
  (value: ClaimValue | undefined): Read =>
  () =>
    value;

function checkValue(name: string, rule: ClaimRule, value: ClaimValue): ClaimValue {
  if (!hasType(value, rule.type ?? 'string')) throw new Refusal('jwt_claim_malformed', name);
  if (rule.enum && !rule.enum.some((allowed) => allowed === value)) throw new Refusal('jwt_claim_malformed', name);
  if (rule.join !== undefined) return joinTexts(name, value as readonly ClaimValue[], rule.join);
  return value;
}

function hasType(value: ClaimValue, type: NonNullable<ClaimRule['type']>): boolean {
  switch (type) {
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    case 'string':
      // A lone surrogate has no UTF-8 form; what a verifier makes of one differs (RFC 8259 §8.2).
      return typeof value === 'string' && value.isWellFormed();
    case 'boolean':
      return typeof value === 'boolean';
  }
}

/** An element that holds the separator would become two. */
function joinTexts(name: string, values: readonly ClaimValue[], separator: string): string {
  for (const value of values) {
    if (!hasType(value, 'string') || (value as string).includes(separator))
      throw new Refusal('jwt_claim_malformed', name);
  }
  return values.join(separator);
}
