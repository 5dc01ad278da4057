import type { ClaimValue } from '../core/environment.ts';
import { Refusal } from '../core/reason.ts';
import type { PlainClaim } from './preset-token.ts';

/**
 * A value as the preset wants it: of its type, within its `enum`, joined where it says so. `name` is for the log.
 * Throws `Refusal` `jwt_claim_malformed`.
 */
export function shapeValue(name: string, rule: PlainClaim, value: ClaimValue): ClaimValue {
  if (!hasType(value, rule.type ?? 'string')) throw new Refusal('jwt_claim_malformed', name);
  if (rule.enum && !rule.enum.some((allowed) => allowed === value)) throw new Refusal('jwt_claim_malformed', name);
  if (rule.join !== undefined) return joinTexts(name, value as readonly ClaimValue[], rule.join);
  return value;
}

export function hasType(value: ClaimValue, type: NonNullable<PlainClaim['type']>): boolean {
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
