/**
 * HelpCenter.io as its article "Enable single sign-on (SSO) with JWT" describes it: a stand-in that judges tokens with
 * the rules and the reasons of the article's steps 2, 3 and 6.
 */
import jsonwebtoken from 'jsonwebtoken';

/** Settings → Security → SSO. `secret`: absent until step 2 is completed. */
export type HelpcenterSettings = {
  readonly secret?: string;
  readonly issuer?: string;
  readonly audience?: string;
  /** Seconds. */
  readonly ttl?: number;
  /** Emails of people who are suspended there. */
  readonly banned?: readonly string[];
};

export type HelpcenterVerdict =
  | { readonly accepted: true; readonly email: string; readonly name: string }
  | { readonly accepted: false; readonly reason: string };

const SKEW = 30;
const REQUIRED = ['jti', 'iss', 'iat', 'exp', 'email', 'name'];

/** `seen`: the tokens that came before, by `jti`, and whose they are; one that comes back is its owner's, or a replay. */
export function judgeAtHelpcenter(
  token: string,
  owner: string,
  settings: HelpcenterSettings,
  seen: Map<string, string>,
  now: number,
): HelpcenterVerdict {
  const no = (reason: string) => ({ accepted: false, reason }) as const;
  const { secret, issuer, audience, ttl = 300, banned = [] } = settings;
  if (secret === undefined) return no('sso_not_configured');
  let claims: Record<string, unknown>;
  try {
    // The secret's text is the key, as in the article's samples.
    claims = jsonwebtoken.verify(token, secret, { algorithms: ['HS256'], ignoreExpiration: true }) as typeof claims;
  } catch {
    return no('jwt_invalid_signature');
  }
  if (REQUIRED.some((name) => claims[name] === undefined || claims[name] === ''))
    return no('jwt_missing_required_claim');
  const { jti, iss, aud, iat, exp, email, name } = claims as Record<string, string> & { iat: number; exp: number };
  if (exp < now - SKEW) return no('jwt_expired');
  if (iat > now + SKEW) return no('jwt_iat_in_future');
  if (now - iat > ttl) return no('jwt_too_old');
  if (issuer !== undefined && iss !== issuer) return no('jwt_issuer_mismatch');
  if (audience !== undefined && aud !== audience) return no('jwt_audience_mismatch');
  if ((seen.get(jti ?? '') ?? owner) !== owner) return no('jwt_replayed');
  seen.set(jti ?? '', owner);
  if (banned.includes(email ?? '')) return no('user_banned');
  return { accepted: true, email: email ?? '', name: name ?? '' };
}
