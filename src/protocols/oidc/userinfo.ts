import { isUtf8 } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import { Refusal } from '../../core/reason.ts';
import { parseStrictObject } from '../../keys/strict-json.ts';
import type { Caller } from '../../outbound/outbound.ts';
import { callEnvironment, statusRefusal } from '../outbound-refusal.ts';

type Raw = Readonly<Record<string, unknown>>;

/**
 * The claims of a userinfo endpoint (OpenID Connect Core §5.3), in plain JSON: a signed or encrypted answer, which has
 * to be registered for, is refused. They are unsigned, so they are believed only where they are about the very person
 * of the id_token (`sub`, §5.3.2, a MUST). Throws `Refusal`.
 */
export async function readUserinfo(url: string, accessToken: string, sub: string, caller: Caller): Promise<Raw> {
  const { status, headers, body } = await callEnvironment(caller, {
    url,
    headers: { authorization: `Bearer ${accessToken}`, accept: 'application/json' },
  });
  if (status !== 200) throw statusRefusal('userinfo', status);
  if (/^application\/(?:\w+\+)?jwt\b/i.test(headers['content-type'] ?? ''))
    throw new Refusal('environment_error', 'userinfo: a signed answer is not read; register for plain JSON');
  const said = isUtf8(body) ? parseStrictObject(body.toString('utf8')) : 'not UTF-8';
  if (typeof said === 'string') throw new Refusal('environment_error', `userinfo: ${said}`);
  if (said.sub !== sub) throw new Refusal('userinfo_mismatch', 'sub');
  return said;
}

/** Claims of the person from both places. What both say has to be the same. Throws `Refusal` (`userinfo_mismatch`). */
export function mergeClaims(idToken: Raw, userinfo: Raw): Raw {
  const merged: Record<string, unknown> = Object.assign(Object.create(null), userinfo);
  for (const [name, value] of Object.entries(idToken)) {
    if (Object.hasOwn(userinfo, name) && name !== 'updated_at' && !agree(value, userinfo[name]))
      throw new Refusal('userinfo_mismatch', /^\w{1,40}$/.test(name) ? name : 'a claim');
    merged[name] = value;
  }
  return merged;
}

/** Some providers write a boolean as text in one of the two places. */
const agree = (one: unknown, other: unknown): boolean =>
  isDeepStrictEqual(one, other) ||
  ((typeof one === 'boolean' || typeof other === 'boolean') && String(one) === String(other));
