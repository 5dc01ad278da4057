/**
 * The handoff protocol: the environment signs its own person in, and sends the browser back with a short-lived
 * JWT in `access_token`. An environment that already signs for a portal needs no new code, only the router's
 * return address in place of the portal's. Both keys of the trip are checked: the token's signature and
 * claims here, the sealed state and the browser by the caller.
 */
import { createHash } from 'node:crypto';
import type { Assertion, Claims, ClaimValue } from '../../core/environment.ts';
import { Refusal } from '../../core/reason.ts';
import { CLOCK_SKEW, type Instant } from '../../core/time.ts';
import { sessionNames } from '../../core/visit.ts';
import { type CompactToken, readCompact } from '../../keys/compact.ts';
import type { Verifier } from '../../keys/keys.ts';
import type { BeginLogin, Delegate } from '../delegate.ts';
import { readErrorAnswer } from '../error-answer.ts';
import type { HandoffSettings } from './settings.ts';
import { type CheckedToken, checkHandoffToken } from './token.ts';

/** Claims of the token that say nothing about the person. */
const PROTOCOL_CLAIMS: ReadonlySet<string> = new Set(['iss', 'aud', 'iat', 'exp', 'nbf', 'jti', 'nonce']);

/**
 * Opens an environment that speaks handoff. With an HMAC verifier nothing in it is asynchronous.
 * Throws an `Error` for a `loginUrl` with a fragment and for unsolicited tokens beside `nonce: not_echoed`.
 */
export function openHandoff(settings: HandoffSettings, verifier: Verifier): Delegate {
  const { environment, unsolicited } = settings;
  if (unsolicited && settings.nonce === 'not_echoed') {
    throw new Error('`unsolicited: allowed` needs `nonce: echoed`: without it the two kinds of token look alike');
  }
  const departure = prepareDeparture(settings);

  const toRouter = ({ state, nonce }: BeginLogin): string => `${departure}${state()}&nonce=${nonce}`;

  function assertionOf({ claims }: CompactToken, { iat, exp, jti }: CheckedToken): Assertion {
    const replayKey = jti === undefined ? undefined : `handoff/${environment}/jti/${jti}`;
    return {
      environment,
      claims: personOf(claims),
      ...sessionNames(claims.sub ?? claims.email, claims.sid),
      acceptableUntil: exp + CLOCK_SKEW,
      issuedAt: iat,
      ...(replayKey !== undefined && { replayKey }),
    };
  }

  return {
    begin(login) {
      const url = (settings.sendsTo === 'portal' && toPortal(settings, login)) || toRouter(login);
      const { loginHint } = login;
      return { url: loginHint === undefined ? url : `${url}&login_hint=${encodeURIComponent(loginHint)}` };
    },

    complete(answer, { nonce }, now) {
      const refusal = readErrorAnswer(answer);
      if (refusal) throw refusal;
      const text = answer.get('access_token');
      if (!text) throw new Refusal('jwt_malformed', 'access_token is absent');
      const token = readCompact(text);
      return afterwards(verifier.verify(token, now), () =>
        assertionOf(token, checkHandoffToken(token.claims, settings, nonce, now)),
      );
    },

    tokenIssuer: settings.issuer,
    logoutTokens: {
      issuer: settings.issuer,
      audience: settings.routerIssuer,
      typed: 'required',
      verify: (token, now) => verifier.verify(token, now),
    },
    ...(unsolicited && { completeUnsolicited: completeWithoutLogin }),
    ...(isTradable(settings) && { completeTraded: completeWithoutLogin }),

    close: () => verifier.close?.(),
  };

  function completeWithoutLogin(text: string, now: Instant): Assertion | Promise<Assertion> {
    const token = readCompact(text);
    return afterwards(verifier.verify(token, now), () => {
      if (Object.hasOwn(token.claims, 'nonce')) throw new Refusal('jwt_made_for_return');
      const assertion = assertionOf(token, checkHandoffToken(token.claims, settings, undefined, now));
      return assertion.replayKey === undefined ? { ...assertion, replayKey: replayKeyOf(token) } : assertion;
    });
  }

  /** Of what was signed, never of the whole text: a signature can have several spellings. */
  function replayKeyOf({ signingInput }: CompactToken): string {
    return `handoff/${environment}/sha256/${createHash('sha256').update(signingInput).digest('base64url')}`;
  }
}

/**
 * Whether a token without a nonce was made to be shown to the router and to nobody else. Where logins have none either,
 * or the token was meant for the portal, one that leaked from an address could be traded by whoever found it.
 */
const isTradable = ({ nonce, jti, audience }: HandoffSettings): boolean =>
  nonce === 'echoed' && jti === 'sent' && audience === undefined;

/** The departure's URL up to where the state goes: inside the encoded return address, at its end. */
function prepareDeparture(settings: HandoffSettings): string {
  const { loginUrl, publicOrigin, environment } = settings;
  if (loginUrl.includes('#')) throw new Error('a login URL cannot have a fragment (#…)');
  return withReturn(loginUrl, `${publicOrigin}/return/${environment}?state=`);
}

/** The portal's request as the portal itself would have made it; `undefined` where the portal named no address. */
function toPortal({ loginUrl }: HandoffSettings, login: BeginLogin): string | undefined {
  const returnUrl = login.portalReturn();
  if (returnUrl === undefined) return undefined;
  login.state();
  return withReturn(loginUrl, returnUrl);
}

function withReturn(loginUrl: string, returnUrl: string): string {
  const separator = !loginUrl.includes('?') ? '?' : /[?&]$/.test(loginUrl) ? '' : '&';
  return `${loginUrl}${separator}redirect_uri=${encodeURIComponent(returnUrl)}`;
}

/** A name may be `__proto__`; without a prototype it is a claim like any other. */
function personOf(claims: CompactToken['claims']): Claims {
  const person: Record<string, ClaimValue> = Object.create(null);
  for (const name of Object.keys(claims)) {
    if (!PROTOCOL_CLAIMS.has(name)) person[name] = claims[name] as ClaimValue;
  }
  return person;
}

/** Stays synchronous where the verifier is. */
const afterwards = <T>(verified: void | Promise<void>, then: () => T): T | Promise<T> =>
  verified instanceof Promise ? verified.then(then) : then();
