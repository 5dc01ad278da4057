import { randomBytes, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { hmacKey, hmacVerifier } from '../../src/keys/hmac.ts';
import { openHandoff } from '../../src/protocols/handoff/handoff.ts';
import { DEFAULT_MAX_LIFETIME } from '../../src/protocols/handoff/settings.ts';
import { CLEAN, type Counterpart, type OpenCounterpart, paramsOf, urlOf } from './delegate.ts';

const ROUTER = 'https://login.acme.example';

/** An application that signs its people's tokens with jose. */
export const openHandoffCounterpart: OpenCounterpart = async (environment): Promise<Counterpart> => {
  const secret = randomBytes(32);
  const issuer = `https://${environment}.acme.example/`;
  const delegate = openHandoff(
    {
      environment,
      loginUrl: `${issuer}sso/support`,
      publicOrigin: ROUTER,
      issuer,
      routerIssuer: `${ROUTER}/`,
      audience: undefined,
      nonce: 'echoed',
      jti: 'sent',
      maxLifetime: DEFAULT_MAX_LIFETIME,
      unsolicited: true,
      sendsTo: 'router',
    },
    hmacVerifier(['HS256'], hmacKey(secret)),
  );
  return {
    delegate,
    async signIn(departure, email) {
      const { searchParams } = urlOf(departure);
      const token = await new SignJWT({ email, nonce: searchParams.get('nonce') })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(`${ROUTER}/`)
        .setIssuedAt()
        .setExpirationTime('60s')
        .setJti(randomUUID())
        .sign(secret);
      return { answer: paramsOf(`${searchParams.get('redirect_uri')}&access_token=${token}`), browser: CLEAN };
    },
    async cancel(departure) {
      const redirectUri = urlOf(departure).searchParams.get('redirect_uri');
      return { answer: paramsOf(`${redirectUri}&error=access_denied`), browser: CLEAN };
    },
    hintOf: (departure) => urlOf(departure).searchParams.get('login_hint') ?? undefined,
    refuses: {
      ofAnotherLogin: 'jwt_nonce_mismatch',
      ofAnotherEnvironment: 'jwt_invalid_signature',
      crossed: 'jwt_invalid_signature',
      late: 'jwt_expired',
      early: 'jwt_iat_in_future',
      empty: 'jwt_malformed',
    },
    async close() {},
  };
};
