import { type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** What a receiver of logout tokens knows of their sender. */
export type LogoutSender = {
  readonly issuer: string;
  /** What the sender calls the receiver. */
  readonly audience: string;
  readonly keys: JWTVerifyGetKey;
};

/** An accepted logout token. */
export type LogoutToken = {
  readonly jti: string;
  readonly sub?: string;
  readonly sid?: string;
  /** When the session ended, which is before `iat` where the word comes late (RFC 8417 §2.2). */
  readonly toe: number;
};

/**
 * Judges a logout token as a receiver has to, with a library of other people's (Back-Channel Logout 1.0 §2.6, steps 1
 * to 6); whether it was used before (7), and whose session it is (8 to 10), is the caller's. `now` in whole seconds.
 * Throws where it is not to be believed.
 */
export async function readLogoutToken(text: string, sender: LogoutSender, now: number): Promise<LogoutToken> {
  const { payload } = await jwtVerify(text, sender.keys, {
    issuer: sender.issuer,
    audience: sender.audience,
    typ: 'logout+jwt',
    algorithms: ['RS256'],
    requiredClaims: ['iss', 'aud', 'iat', 'exp', 'jti', 'events'],
    currentDate: new Date(now * 1_000),
    clockTolerance: 5,
    maxTokenAge: 120,
  });
  const { sub, sid, events, nonce, jti, toe, iat } = payload as JWTPayload & Record<string, unknown>;
  if (nonce !== undefined) throw new Error('a nonce');
  if (!isObject(events) || !isObject(events[LOGOUT_EVENT])) throw new Error('another event');
  if (!isNameOrAbsent(sub) || !isNameOrAbsent(sid) || typeof jti !== 'string')
    throw new Error('names that are no text');
  if (sub === undefined && sid === undefined) throw new Error('nobody');
  return {
    jti,
    toe: typeof toe === 'number' ? toe : Number(iat),
    ...(sub !== undefined && { sub }),
    ...(sid !== undefined && { sid }),
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isNameOrAbsent = (value: unknown): value is string | undefined =>
  value === undefined || (typeof value === 'string' && value !== '');
