/**
 * The text form of DiscourseConnect, both ways (Discourse, lib/discourse_connect_base.rb): parameters as a query
 * string, that in base64, and the lower-case hexadecimal HMAC-SHA256 of the base64 text. It is not a JWT.
 */
import { isUtf8 } from 'node:buffer';
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { ClaimValue } from '../core/environment.ts';
import { Refusal } from '../core/reason.ts';
import { hmacKey } from '../keys/hmac.ts';
import type { Signer } from '../keys/keys.ts';
import type { Query } from './portal.ts';
import { readQuery } from './query.ts';

/**
 * What `sso` and `sig` say, once the signature is right. Throws `Refusal`: `jwt_invalid_signature` before anything
 * else is looked at, `request_malformed` for other base64 than the canonical, or what no query string has.
 */
export function readDiscourseRequest(sso: string, sig: string, key: KeyObject): Query {
  const expected = digest(sso, key);
  const given = Buffer.from(sig, 'latin1');
  const wanted = Buffer.from(expected, 'latin1');
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw new Refusal('jwt_invalid_signature');
  const bytes = Buffer.from(sso, 'base64');
  if (bytes.toString('base64') !== sso || !isUtf8(bytes)) throw new Refusal('request_malformed', 'sso: not base64');
  return readQuery(bytes.toString('utf8'));
}

/** Claims → the query string that is signed. */
export const writeDiscoursePayload = (claims: Readonly<Record<string, ClaimValue>>): string =>
  Object.entries(claims)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join('&');

/** Signs a query string as `<base64>.<signature>`; `splitDiscourseToken` takes the two apart again. */
export function discourseSigner(secret: Buffer): Signer {
  const key = hmacKey(secret);
  return {
    algorithm: 'HS256',
    sign(payload) {
      const sso = Buffer.from(payload).toString('base64');
      return `${sso}.${digest(sso, key)}`;
    },
  };
}

export function splitDiscourseToken(token: string): { readonly sso: string; readonly sig: string } {
  const dot = token.indexOf('.');
  return { sso: token.slice(0, dot), sig: token.slice(dot + 1) };
}

const digest = (text: string, key: KeyObject): string => createHmac('sha256', key).update(text).digest('hex');
