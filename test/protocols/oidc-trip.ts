import type { Test } from 'tap';
import type { Assertion } from '../../src/core/environment.ts';
import type { EnvironmentName } from '../../src/core/names.ts';
import { openOutbound } from '../../src/outbound/client.ts';
import type { CarriedLogin, Delegate, Departure } from '../../src/protocols/delegate.ts';
import { openOidc } from '../../src/protocols/oidc/oidc.ts';
import type { OidcSettings } from '../../src/protocols/oidc/settings.ts';

export const STATE = 'c2VhbGVk.c3RhdGU';
export const RETURN = 'https://login.acme.test/return/globex';
export const CLIENT_SECRET = 'a secret: 100% of it, + and / included';

const BROWSER = { cookies: () => [] };

const SETTINGS: Omit<OidcSettings, 'issuer'> = {
  environment: 'globex' as EnvironmentName,
  publicOrigin: 'https://login.acme.test',
  clientId: 'wayhome',
  clientAuthentication: { method: 'client_secret_basic', secret: CLIENT_SECRET },
  issParameter: 'as_advertised',
  algorithms: ['RS256', 'ES256', 'EdDSA'],
  scopes: ['openid', 'email', 'profile'],
  userinfo: 'when_needed',
  responseMode: 'query',
  claims: new Map(),
  logout: true,
};

export type TripSettings = Partial<OidcSettings> & Pick<OidcSettings, 'issuer'>;

/** One environment, and the logins that leave for it. */
export type Trips = {
  readonly delegate: Delegate;
  /** Where a new login departs to, and what it carries. */
  depart(now: number, loginHint?: string): Promise<{ readonly url: string; readonly login: CarriedLogin }>;
  complete(params: Iterable<readonly [string, string]>, login: CarriedLogin, now: number): Promise<Assertion>;
  /** Where a sign-out departs to; `undefined` when it cannot. */
  signOut(session: string | undefined, now: number): Promise<string | undefined>;
};

/** An environment that speaks oidc, with a real outbound client. `timeoutMs` limits each of its calls. */
export function openTrips(t: Test, settings: TripSettings, timeoutMs = 5000): Trips {
  const outbound = openOutbound({ timeoutMs });
  t.teardown(() => outbound.close());
  const delegate = openOidc({ ...SETTINGS, ...settings }, outbound.callerFor('globex', { allowPrivate: true }));
  let logins = 0;
  return {
    delegate,
    async depart(now, loginHint) {
      const nonce = `nonce-of-login-${++logins}`;
      let carry = '';
      const departure = await delegate.begin(
        {
          nonce,
          browser: BROWSER,
          portalReturn: () => undefined,
          state(given = '') {
            carry = given;
            return STATE;
          },
          shortState: () => STATE,
          ...(loginHint !== undefined && { loginHint }),
        },
        now,
      );
      return { url: (departure as { url: string }).url, login: { nonce, carry, browser: BROWSER } };
    },
    async complete(params, login, now) {
      return delegate.complete(new Map(params), login, now);
    },
    async signOut(session, now) {
      const logout = { state: () => STATE, shortState: () => STATE, ...(session !== undefined && { session }) };
      const departure: Departure | undefined = await delegate.logout?.begin(logout, now);
      return departure && (departure as { url: string }).url;
    },
  };
}
