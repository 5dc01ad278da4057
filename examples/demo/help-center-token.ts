/**
 * The judgement of HelpCenter.io's stand-in over a token, by steps 2, 3 and 6 of the article “Enable single sign-on
 * (SSO) with JWT”, under the article's names for what is wrong. Nothing here comes from the router's code, so it can
 * disagree with it.
 */
import { compactVerify } from 'jose';

/** Settings → Security → SSO. */
export type HelpCenterSettings = {
  /** Absent until step 2 of the article is completed. */
  readonly secret?: string;
  /** Compared only where they are set. */
  readonly issuer?: string;
  readonly audience?: string;
  /** Token TTL: the oldest `iat` that is taken. Seconds; 300 unless set. */
  readonly ttl?: number;
  /** Emails of people who are suspended there. */
  readonly suspended?: readonly string[];
};

export type HelpCenterReason =
  | 'jwt_invalid_signature'
  | 'jwt_missing_required_claim'
  | 'jwt_expired'
  | 'jwt_iat_in_future'
  | 'jwt_too_old'
  | 'jwt_issuer_mismatch'
  | 'jwt_audience_mismatch'
  | 'jwt_replayed'
  | 'sso_not_configured'
  | 'user_banned';

export type HelpCenterClaims = {
  readonly jti: string;
  readonly iss: string;
  readonly iat: number;
  readonly exp: number;
  readonly email: string;
  readonly name: string;
} & Readonly<Record<string, unknown>>;

export type HelpCenterVerdict =
  | { readonly accepted: true; readonly claims: HelpCenterClaims }
  | { readonly accepted: false; readonly reason: HelpCenterReason };

/** “In the past beyond the 30-second skew window”, “more than 30 seconds in the future”. */
const SKEW = 30;
const DEFAULT_TTL = 300;
const TEXTS = ['jti', 'iss', 'email', 'name'] as const;
const TIMES = ['iat', 'exp'] as const;

type Check = (claims: HelpCenterClaims, settings: HelpCenterSettings, now: number) => boolean;

/** In the order in which they are asked; each answers whether it goes wrong. */
const CHECKS: readonly (readonly [HelpCenterReason, Check])[] = [
  ['jwt_missing_required_claim', (claims) => TEXTS.some((name) => typeof claims[name] !== 'string' || !claims[name])],
  ['jwt_missing_required_claim', (claims) => TIMES.some((name) => !Number.isSafeInteger(claims[name]))],
  ['jwt_expired', ({ exp }, _, now) => exp < now - SKEW],
  ['jwt_iat_in_future', ({ iat }, _, now) => iat > now + SKEW],
  ['jwt_too_old', ({ iat }, { ttl = DEFAULT_TTL }, now) => now - iat > ttl],
  ['jwt_issuer_mismatch', ({ iss }, { issuer }) => issuer !== undefined && iss !== issuer],
  ['jwt_audience_mismatch', ({ aud }, { audience }) => audience !== undefined && aud !== audience],
];

/**
 * `isFresh`: whether this `jti` may be used here; asked last, of a token that is right otherwise. `now` in whole
 * seconds since 1970. Never rejects for what a token holds.
 */
export async function judgeAtHelpCenter(
  token: string,
  settings: HelpCenterSettings,
  isFresh: (jti: string) => boolean,
  now: number,
): Promise<HelpCenterVerdict> {
  const { secret, suspended = [] } = settings;
  if (secret === undefined) return no('sso_not_configured');
  const claims = await verify(token, secret);
  if (!claims) return no('jwt_invalid_signature');
  const wrong = CHECKS.find(([, goesWrong]) => goesWrong(claims, settings, now));
  if (wrong) return no(wrong[0]);
  if (!isFresh(claims.jti)) return no('jwt_replayed');
  return suspended.includes(claims.email) ? no('user_banned') : { accepted: true, claims };
}

/**
 * For the widget, which sends its token with every call: a `jti` is fresh to `owner`, the widget that showed it first,
 * and to nobody else. `owners`: by `jti`.
 */
export const freshTo =
  (owner: string, owners: Map<string, string>) =>
  (jti: string): boolean => {
    const first = owners.get(jti) ?? owner;
    owners.set(jti, first);
    return first === owner;
  };

const no = (reason: HelpCenterReason): HelpCenterVerdict => ({ accepted: false, reason });

/** All samples of the article hand the secret's text to their library: it is not decoded. */
async function verify(token: string, secret: string): Promise<HelpCenterClaims | undefined> {
  try {
    const { payload } = await compactVerify(token, Buffer.from(secret, 'utf8'), { algorithms: ['HS256'] });
    const claims: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
    return typeof claims === 'object' && claims !== null ? (claims as HelpCenterClaims) : undefined;
  } catch {
    return undefined;
  }
}
