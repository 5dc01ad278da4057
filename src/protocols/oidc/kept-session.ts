import { LONGEST_SESSION } from '../../core/environment.ts';
import { type CompactToken, readCompact } from '../../keys/compact.ts';

/** What a visit remembers of a provider's session. */
export type KeptSession = {
  /** The id_token itself, where there was room for it. */
  readonly idToken?: string;
  readonly sub: string;
  /** The provider's name for the session (OpenID Connect Back-Channel Logout 1.0 §2.1), where it has one. */
  readonly sid?: string;
};

/**
 * An accepted id_token → the text that a visit keeps: the token itself, or a JSON object with `sub` and `sid` where it
 * is too long.
 */
export function keepSession({ text, claims }: CompactToken): string | undefined {
  if (text.length <= LONGEST_SESSION) return text;
  const { sub, sid } = claims;
  const short = JSON.stringify({ sub, ...(typeof sid === 'string' && { sid }) });
  return short.length <= LONGEST_SESSION ? short : undefined;
}

/** What `keepSession` wrote → the session. It was sealed by us, so that it is not judged again. */
export function readSession(session: string): KeptSession {
  if (session.startsWith('{')) return JSON.parse(session) as KeptSession;
  const { sub, sid } = readCompact(session).claims;
  return { idToken: session, sub: String(sub), ...(typeof sid === 'string' && { sid }) };
}
