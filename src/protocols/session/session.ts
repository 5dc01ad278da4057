/**
 * The session protocol: environment and router are below one domain, and the environment's session cookie reaches
 * both. The router passes that cookie on to the environment's session endpoint, which says who is signed in; where
 * nobody is, the browser goes to the login page and comes back. What makes the answer believable is that the
 * environment itself gave it, over the guarded way, to a question that was asked with this browser's cookies only.
 *
 * Whoever can set cookies for the shared domain (any host below it) can sign a browser in as somebody of their own,
 * at the environment and therefore here.
 */
import type { Assertion, Claims } from '../../core/environment.ts';
import { Refusal } from '../../core/reason.ts';
import type { Instant } from '../../core/time.ts';
import { sessionNames } from '../../core/visit.ts';
import type { Caller } from '../../outbound/outbound.ts';
import { mapClaims } from '../claim-sources.ts';
import type { BeginLogin, Browser, Delegate, Departure } from '../delegate.ts';
import { readErrorAnswer } from '../error-answer.ts';
import { askSession, type Said } from './ask.ts';
import { cookieHeader } from './cookie-header.ts';
import type { SessionSettings } from './settings.ts';

/**
 * Opens an environment that shares a session cookie with the router. `caller` is its own, and closed with it.
 * Throws an `Error` for a `loginUrl` with a fragment.
 *
 * Its assertions have no replay key: nothing about the person travels through the browser that could be presented
 * again. A login is single use by its state, and the next one asks the environment anew.
 */
export function openSession(settings: SessionSettings, caller: Caller): Delegate {
  const { environment, sessionUrl, cookies, claims: sources } = settings;
  const departure = prepareDeparture(settings);

  async function whoIs(browser: Browser, now: Instant): Promise<Assertion | undefined> {
    const cookie = cookieHeader(browser, cookies);
    const said = cookie && (await askSession(caller, sessionUrl, cookie, now));
    if (!said) return undefined;
    const claims = mapClaims(withoutExp(said), sources);
    return { environment, claims, ...sessionNames(said.sub ?? claims.email, said.sid), acceptableUntil: now };
  }

  return {
    async begin(login, now) {
      return (await whoIs(login.browser, now)) ?? departTo(departure, login);
    },

    async complete(answer, { browser }, now) {
      const refusal = readErrorAnswer(answer);
      if (refusal) throw refusal;
      const assertion = await whoIs(browser, now);
      if (!assertion) throw new Refusal('login_required', 'came back without a session');
      return assertion;
    },

    close: () => void caller.close(),
  };
}

/** The login page's URL up to where the state goes: inside the encoded return address, at its end. */
function prepareDeparture({ loginUrl, returnParam, publicOrigin, environment }: SessionSettings): string {
  if (loginUrl.includes('#')) throw new Error('a login URL cannot have a fragment (#…)');
  const separator = !loginUrl.includes('?') ? '?' : /[?&]$/.test(loginUrl) ? '' : '&';
  const returnUrl = `${publicOrigin}/return/${environment}?state=`;
  return `${loginUrl}${separator}${encodeURIComponent(returnParam)}=${encodeURIComponent(returnUrl)}`;
}

function departTo(departure: string, { state, loginHint }: BeginLogin): Departure {
  const url = `${departure}${state()}`;
  return { url: loginHint === undefined ? url : `${url}&login_hint=${encodeURIComponent(loginHint)}` };
}

/** `exp` is about the session, not about the person. */
function withoutExp({ exp: _, ...said }: Said): Claims {
  return said as Claims;
}
