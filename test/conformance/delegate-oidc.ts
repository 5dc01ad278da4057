import { generateKeyPairSync } from 'node:crypto';
import type { ClientMetadata, JWKS } from 'oidc-provider';
import { openOutbound } from '../../src/outbound/client.ts';
import { openOidc } from '../../src/protocols/oidc/oidc.ts';
import { openProvider, type Person } from '../support/oidc-provider.ts';
import { CLEAN, type Counterpart, type OpenCounterpart, PEOPLE, urlOf } from './delegate.ts';

const ROUTER = 'https://login.acme.example';
const SECRET = 'a secret of router and provider';

/** oidc-provider on loopback, with a login page that is filled in. */
export const openOidcCounterpart: OpenCounterpart = async (environment): Promise<Counterpart> => {
  const client: ClientMetadata = {
    client_id: 'wayhome',
    client_secret: SECRET,
    redirect_uris: [`${ROUTER}/return/${environment}`],
    post_logout_redirect_uris: [`${ROUTER}/return/${environment}/logout`],
    id_token_signed_response_alg: 'ES256',
  };
  const accounts = Object.fromEntries(PEOPLE.map((email) => [email, { email, email_verified: true }]));
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  const provider = await openProvider({ clients: [client], accounts, jwks: { keys: [key] } as JWKS });
  const outbound = openOutbound();
  const delegate = openOidc(
    {
      environment,
      publicOrigin: ROUTER,
      issuer: provider.issuer,
      clientId: 'wayhome',
      clientAuthentication: { method: 'client_secret_basic', secret: SECRET },
      issParameter: 'as_advertised',
      algorithms: ['ES256'],
      scopes: ['openid', 'email'],
      userinfo: 'when_needed',
      responseMode: 'query',
      claims: new Map(),
      logout: true,
    },
    outbound.callerFor(environment, { allowPrivate: true }),
  );
  let latest: Person | undefined;
  return {
    delegate,
    async signIn(departure, email) {
      latest = provider.person(email);
      const { params } = await latest.go(urlOf(departure).href);
      return { answer: params, browser: CLEAN };
    },
    async cancel(departure) {
      const { params } = await provider.person('nobody').go(urlOf(departure).href);
      return { answer: params, browser: CLEAN };
    },
    hintOf: (departure) => urlOf(departure).searchParams.get('login_hint') ?? undefined,
    async signOut(departure) {
      if (!latest) throw new Error('nobody signed in');
      return (await latest.go(urlOf(departure).href)).params;
    },
    refuses: {
      ofAnotherLogin: 'code_refused',
      ofAnotherEnvironment: 'jwt_issuer_mismatch',
      crossed: 'jwt_issuer_mismatch',
      late: 'jwt_too_old',
      early: 'jwt_iat_in_future',
      empty: 'iss_parameter_missing',
    },
    async close() {
      await outbound.close();
      await provider.close();
    },
  };
};
