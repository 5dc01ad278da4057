/** Against a real provider. */
import { generateKeyPairSync } from 'node:crypto';
import type { ClientMetadata, JWK } from 'oidc-provider';
import t, { type Test } from 'tap';
import { LONGEST_SESSION } from '../../src/core/environment.ts';
import { systemClock } from '../../src/core/time.ts';
import type { PublicKeyAlgorithm } from '../../src/keys/keys.ts';
import { makeSigningKey, openSigner } from '../../src/keys/signer.ts';
import { reasonOf } from '../keys/tokens.ts';
import { openProvider, type Person, type ProviderOptions, type TestProvider } from '../support/oidc-provider.ts';
import { CLIENT_SECRET, openTrips, RETURN, STATE, type TripSettings, type Trips } from './oidc-trip.ts';

const CLIENT: ClientMetadata = {
  client_id: 'wayhome',
  client_secret: CLIENT_SECRET,
  redirect_uris: [RETURN],
  post_logout_redirect_uris: [`${RETURN}/logout`],
};

const ADA = { email: 'ada@globex.test', email_verified: true, name: 'Ada', account_id: 'acc_1' };
const ADA_SAID = { ...ADA, sub: 'ada' };

async function open(t: Test, client: Partial<ClientMetadata> = {}, options: Partial<ProviderOptions> = {}) {
  const accounts = { ada: ADA };
  const provider = await openProvider({ clients: [{ ...CLIENT, ...client } as ClientMetadata], accounts, ...options });
  t.teardown(() => provider.close());
  return provider;
}

/** A login from its departure to its assertion. */
async function signIn(trips: Trips, person: Person, now = systemClock()) {
  const { url, login } = await trips.depart(now);
  const arrival = await person.go(url);
  return { arrival, login, assertion: await trips.complete(arrival.params, login, now) };
}

t.test('a person signs in at a real provider', async (t) => {
  const provider = await open(t);
  const trips = openTrips(t, { issuer: provider.issuer });
  const now = systemClock();
  const { url } = await trips.depart(now);
  const asked = new URL(url).searchParams;
  t.equal(asked.get('redirect_uri'), RETURN);
  t.equal(asked.get('response_type'), 'code');
  t.equal(asked.get('code_challenge_method'), 'S256');
  t.match(asked.get('code_challenge'), /^[\w-]{43}$/);
  t.equal(asked.get('scope'), 'openid email profile');
  for (const name of ['prompt', 'max_age', 'acr_values', 'login_hint', 'response_mode']) t.notOk(asked.has(name), name);

  const { arrival, assertion } = await signIn(trips, provider.person(), now);
  t.equal(arrival.address, RETURN);
  t.equal(arrival.params.get('iss'), provider.issuer);
  t.equal(assertion.environment, 'globex');
  t.same({ ...assertion.claims }, ADA_SAID, 'protocol claims are not among them');
  t.ok(assertion.acceptableUntil > now && assertion.acceptableUntil <= now + 11 * 60 + 5);
  t.notOk('replayKey' in assertion);
});

t.test('the router proves itself in each way that a provider may ask for', async (t) => {
  for (const method of ['client_secret_basic', 'client_secret_post'] as const) {
    const provider = await open(t, { token_endpoint_auth_method: method });
    const right = openTrips(t, {
      issuer: provider.issuer,
      clientAuthentication: { method, secret: CLIENT_SECRET },
    });
    t.same({ ...(await signIn(right, provider.person())).assertion.claims }, ADA_SAID, method);
    const wrong = openTrips(t, { issuer: provider.issuer, clientAuthentication: { method, secret: 'another' } });
    t.equal(await reasonOf(() => signIn(wrong, provider.person())), 'client_refused', `${method}, another secret`);
  }
  const secretless = await open(t, { token_endpoint_auth_method: 'none', client_secret: undefined });
  const none = openTrips(t, { issuer: secretless.issuer, clientAuthentication: { method: 'none' } });
  t.same({ ...(await signIn(none, secretless.person())).assertion.claims }, ADA_SAID, 'none');

  for (const algorithm of ['RS256', 'PS256', 'ES256', 'EdDSA'] as const satisfies PublicKeyAlgorithm[]) {
    const privateKeyPem = makeSigningKey(algorithm);
    const { publicJwk } = await openSigner(algorithm, { privateKeyPem });
    const provider = await open(t, {
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: algorithm,
      client_secret: undefined,
      jwks: { keys: [publicJwk as JWK] },
    });
    const sign = (pem: string) =>
      openTrips(t, {
        issuer: provider.issuer,
        clientAuthentication: { method: 'private_key_jwt', algorithm, privateKeyPem: pem },
      });
    t.same({ ...(await signIn(sign(privateKeyPem), provider.person())).assertion.claims }, ADA_SAID, algorithm);
    const wrong = sign(makeSigningKey(algorithm));
    t.equal(await reasonOf(() => signIn(wrong, provider.person())), 'client_refused', `${algorithm}, another key`);
  }
});

t.test('the id_token may be signed with each algorithm that is listed, and with no other', async (t) => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const ed = generateKeyPairSync('ed25519').privateKey;
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const keys = [ec, ed, rsa].map((key, index) => ({
    ...key.export({ format: 'jwk' }),
    kid: `key-${index}`,
    use: 'sig',
  }));
  for (const algorithm of ['RS256', 'ES256', 'EdDSA'] as const) {
    const provider = await open(t, { id_token_signed_response_alg: algorithm }, { jwks: { keys: keys as JWK[] } });
    const trips = openTrips(t, { issuer: provider.issuer, algorithms: [algorithm] });
    t.same({ ...(await signIn(trips, provider.person())).assertion.claims }, ADA_SAID, algorithm);
    const other = openTrips(t, { issuer: provider.issuer, algorithms: [algorithm === 'RS256' ? 'ES256' : 'RS256'] });
    t.equal(await reasonOf(() => signIn(other, provider.person())), 'jwt_algorithm_not_allowed', `not ${algorithm}`);
  }
});

t.test('the answer may be posted as a form', async (t) => {
  const provider = await open(t);
  const { arrival, assertion } = await signIn(
    openTrips(t, { issuer: provider.issuer, responseMode: 'form_post' }),
    provider.person(),
  );
  t.equal(arrival.method, 'POST');
  t.equal(arrival.address, RETURN);
  t.equal(assertion.claims.email, ADA.email);
});

t.test('an email that stands in userinfo only is fetched, unless the operator says never', async (t) => {
  const provider = await open(t, {}, { claimsIn: 'userinfo' });
  const claims = async (userinfo: 'when_needed' | 'always' | 'never') =>
    (await signIn(openTrips(t, { issuer: provider.issuer, userinfo }), provider.person())).assertion.claims;
  t.same({ ...(await claims('when_needed')) }, ADA_SAID);
  t.same({ ...(await claims('always')) }, ADA_SAID);
  t.same({ ...(await claims('never')) }, { sub: 'ada' });
});

t.test('claims that stand elsewhere are found there', async (t) => {
  const provider = await open(t);
  const claims = new Map([
    ['account_external_id', ['tenant', 'account_id']],
    ['account_id', ['sub']],
  ]);
  const { assertion } = await signIn(openTrips(t, { issuer: provider.issuer, claims }), provider.person());
  t.equal(assertion.claims.account_external_id, 'acc_1');
  t.equal(assertion.claims.account_id, 'ada');
});

t.test('what the operator asks of a login is passed on, and max_age is enforced', async (t) => {
  const provider = await open(t);
  const now = systemClock();
  const trips = openTrips(t, { issuer: provider.issuer, maxAge: 600, acrValues: 'mfa pwd', prompt: 'login' });
  const { url } = await trips.depart(now, 'ada@globex.test');
  const asked = new URL(url).searchParams;
  t.equal(asked.get('max_age'), '600');
  t.equal(asked.get('acr_values'), 'mfa pwd');
  t.equal(asked.get('prompt'), 'login');
  t.equal(asked.get('login_hint'), 'ada@globex.test');

  const person = provider.person();
  await signIn(trips, person);
  await signIn(trips, person);
  t.equal(person.asked(), 2, 'prompt=login asks again');

  const lax = openTrips(t, { issuer: provider.issuer, maxAge: 600 });
  await signIn(lax, person);
  t.equal(person.asked(), 2, 'the provider knows the person');
});

t.test('an error is the provider’s word for why there is no person', async (t) => {
  const provider = await open(t);
  const silent = openTrips(t, { issuer: provider.issuer, prompt: 'none' });
  t.equal(await reasonOf(() => signIn(silent, provider.person())), 'login_required');
  const trips = openTrips(t, { issuer: provider.issuer });
  t.equal(await reasonOf(() => signIn(trips, provider.person('nobody'))), 'access_denied');
});

t.test('a code works once, and only with its own verifier and nonce', async (t) => {
  const provider = await open(t);
  const trips = openTrips(t, { issuer: provider.issuer });
  const now = systemClock();
  const { arrival, login } = await signIn(trips, provider.person(), now);
  t.equal(await reasonOf(() => trips.complete(arrival.params, login, now)), 'code_refused', 'used');

  const [one, other] = [await trips.depart(now), await trips.depart(now)];
  const { params } = await provider.person().go(one.url);
  t.equal(await reasonOf(() => trips.complete(params, other.login, now)), 'code_refused', 'of another login');
  const mixed = { ...one.login, nonce: other.login.nonce };
  const again = await trips.depart(now);
  const { params: fresh } = await provider.person().go(again.url);
  t.equal(
    await reasonOf(() => trips.complete(fresh, { ...mixed, carry: again.login.carry ?? '' }, now)),
    'jwt_nonce_mismatch',
  );
});

t.test('with stated endpoints no metadata is read', async (t) => {
  const provider = await open(t);
  const { issuer } = provider;
  const endpoints = { authorization: `${issuer}/auth`, token: `${issuer}/token`, jwks: `${issuer}/jwks` };
  const sent = openTrips(t, { issuer, endpoints, issParameter: 'sent' });
  t.same({ ...(await signIn(sent, provider.person())).assertion.claims }, ADA_SAID);
  t.equal(await sent.signOut(undefined, systemClock()), undefined, 'no end_session_endpoint is known');
});

t.test('a sign-out ends the session at the provider and comes back', async (t) => {
  const provider = await open(t);
  const trips = openTrips(t, { issuer: provider.issuer });
  const person = provider.person();
  const now = systemClock();
  const { assertion } = await signIn(trips, person);
  t.ok(assertion.session && assertion.session.length <= LONGEST_SESSION);
  await signIn(trips, person);
  t.equal(person.asked(), 1, 'a session stands');

  const url = await trips.signOut(assertion.session, now);
  const asked = new URL(url ?? '').searchParams;
  t.equal(asked.get('id_token_hint'), assertion.session);
  t.equal(asked.get('client_id'), 'wayhome');
  t.notOk(asked.has('logout_hint'));
  const { address, params } = await person.go(url ?? '');
  t.equal(address, `${RETURN}/logout`);
  t.equal(params.get('state'), STATE);
  t.doesNotThrow(() => trips.delegate.logout?.complete(params, {}, now));
  await signIn(trips, person);
  t.equal(person.asked(), 2, 'the session is over');

  const without = await person.go((await trips.signOut(undefined, now)) ?? '');
  t.equal(without.address, `${RETURN}/logout`, 'a visit that remembers no session');
  t.equal(
    await reasonOf(() => trips.delegate.logout?.complete(new Map([['error', 'access_denied']]), {}, now)),
    'access_denied',
  );
});

t.test('an id_token that no cookie holds leaves what its provider needs to know the session', async (t) => {
  const long = { ada: { ...ADA, name: 'A'.repeat(LONGEST_SESSION) } };
  const provider = await open(t, {}, { accounts: long });
  const trips = openTrips(t, { issuer: provider.issuer });
  const person = provider.person();
  const { assertion } = await signIn(trips, person);
  t.same(JSON.parse(assertion.session ?? ''), { sub: 'ada' });
  const url = await trips.signOut(assertion.session, systemClock());
  t.equal(new URL(url ?? '').searchParams.get('logout_hint'), 'ada');
  t.notOk(new URL(url ?? '').searchParams.has('id_token_hint'));
  t.equal((await person.go(url ?? '')).address, `${RETURN}/logout`);
});

t.test('an id_token that its provider would not take back is no hint', async (t) => {
  const provider = await open(t);
  const { assertion } = await signIn(openTrips(t, { issuer: provider.issuer }), provider.person());
  const { issuer } = provider;
  const endpoints = { authorization: issuer, token: issuer, endSession: `${issuer}/session/end` };
  const rows: [what: string, change: Partial<TripSettings>, hinted: boolean][] = [
    ['its keys cannot be read', { endpoints: { ...endpoints, jwks: `${issuer}/nowhere` } }, true],
    ['it was made for another client id', { clientId: 'another' }, false],
    ['it is signed as nothing may be any more', { algorithms: ['ES256'] }, false],
  ];
  for (const [what, change, hinted] of rows) {
    const url = await openTrips(t, { issuer, ...change }).signOut(assertion.session, systemClock());
    const asked = new URL(url ?? '').searchParams;
    t.equal(asked.get('id_token_hint'), hinted ? assertion.session : null, what);
    t.equal(asked.get('logout_hint'), hinted ? null : 'ada', what);
  }
});

t.test('a sign-out that the operator leaves out is absent, and nothing is kept for it', async (t) => {
  const provider = await open(t);
  const trips = openTrips(t, { issuer: provider.issuer, logout: false });
  t.equal(trips.delegate.logout, undefined);
  t.notOk('session' in (await signIn(trips, provider.person())).assertion);
});

t.test('two environments with one issuer share nothing', async (t) => {
  const provider: TestProvider = await open(t);
  const one = openTrips(t, { issuer: provider.issuer });
  const other = openTrips(t, { issuer: provider.issuer, clientId: 'another' });
  await signIn(one, provider.person());
  const { login } = await other.depart(systemClock());
  const { url } = await one.depart(systemClock());
  const { params } = await provider.person().go(url);
  t.equal(await reasonOf(() => other.complete(params, login, systemClock())), 'client_refused');
});
