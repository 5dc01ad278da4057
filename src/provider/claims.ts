import type { AccountClaims } from 'oidc-provider';
import type { Person } from './people.ts';

/** What the protocol itself says in a token: no environment writes these. */
const RESERVED = ['iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti', 'nonce', 'auth_time', 'acr', 'amr', 'azp', 'sid'];
const HASHES = ['at_hash', 'c_hash', 's_hash', 'events'];
/** Claims that say where to fetch others (OIDC Core §5.6.2). */
const ELSEWHERE = ['_claim_names', '_claim_sources'];

const NOT_OURS: ReadonlySet<string> = new Set([...RESERVED, ...HASHES, ...ELSEWHERE]);

const notOurs = (name: string): boolean => !NOT_OURS.has(name);

/**
 * Which claims a scope asks for (OIDC Core §5.4). `profile` is everything beside the email that environments may assert,
 * under the same names: what a portal is to see is said by `may_assert` and by the portal's `scopes`.
 */
export const claimsByScope = (asserted: Iterable<string>): Record<string, string[]> => ({
  openid: ['sub'],
  email: ['email', 'email_verified'],
  profile: [...new Set(asserted)].filter((name) => notOurs(name) && name !== 'email' && name !== 'email_verified'),
});

/** All that is known about a person; the library picks what the scopes allow. The email has been through policy. */
export function claimsOf(subject: string, { email, claims }: Person): AccountClaims {
  const others = Object.entries(claims).filter(([name]) => notOurs(name));
  return { ...Object.fromEntries(others), email, email_verified: true, sub: subject };
}
