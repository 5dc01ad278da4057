import type { Claims } from '../../core/environment.ts';
import { type ClaimSources, mapClaims } from '../claim-sources.ts';
import { mergeClaims } from './userinfo.ts';

type Raw = Readonly<Record<string, unknown>>;

/** Claims that say something about a token or a session, and nothing about the person. */
const PROTOCOL_CLAIMS: ReadonlySet<string> = new Set([
  'iss',
  'aud',
  'exp',
  'iat',
  'nbf',
  'jti',
  'nonce',
  'azp',
  'auth_time',
  'acr',
  'amr',
  'sid',
  'at_hash',
  'c_hash',
  's_hash',
]);

/**
 * The claims about a person, of an accepted id_token and of userinfo where it was asked, under the names that the
 * operator maps them to. Throws `Refusal` (`userinfo_mismatch`) where the two contradict each other.
 */
export function personOf(idToken: Raw, userinfo: Raw | undefined, sources: ClaimSources): Claims {
  const said = aboutPerson(idToken);
  return mapClaims(userinfo ? mergeClaims(said, aboutPerson(userinfo)) : said, sources);
}

/** Whether an id_token says no email, under whatever name it should stand. */
export const lacksEmail = (idToken: Raw, sources: ClaimSources): boolean =>
  mapClaims(aboutPerson(idToken), sources).email === undefined;

/** `null` says nothing. A name may be `__proto__`; without a prototype it is a claim like any other. */
function aboutPerson(claims: Raw): Raw {
  const person: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(claims))
    if (value !== null && !PROTOCOL_CLAIMS.has(name)) person[name] = value;
  return person;
}
