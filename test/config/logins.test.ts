import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { z } from 'zod';
import { environmentSchema } from '../../src/config/schema-environment.ts';
import { PUBLIC_KEY_ALGORITHMS } from '../../src/keys/keys.ts';
import {
  checkEu,
  ENDPOINTS,
  FILES,
  HANDOFF,
  HIDDEN,
  KEYED,
  NOW,
  OIDC,
  PROXY,
  SAML,
  SESSION,
  withEu,
} from './login-text.ts';
import { accepted, checkText, faultsOf, noticesOf, refused } from './routes-text.ts';

type Fault = readonly [path: string, reason: RegExp];

/** The login of an environment, further keys of it, and the only faults that may be found; paths are below it. */
type Row = readonly [title: string, login: string, rest: string, ...faults: readonly Fault[]];

const PAIR = 'certificate: { file: rsa.crt }, private_key: { file: rsa.key }';

// biome-ignore format: a table
const OIDC_FAULTS: readonly Row[] = [
  ['a mistyped key', `${OIDC}, clientid: x`, '', ['login.clientid', /unknown key/]],
  ['no client_id', 'protocol: oidc, issuer: "https://id.eu.example"', '', ['login.client_id', /missing/]],
  ['an issuer with a query', OIDC.replace('.example', '.example?x=y'), '', ['login.issuer', /query/]],
  ['an issuer over plain http', OIDC.replace('https:', 'http:'), '', ['login.issuer', /https/]],
  ['a private issuer', OIDC.replace('id.eu.example', '10.0.0.1'), '', ['login.issuer', /private/]],
  ['a secret beside a key', `${OIDC}, private_key: { file: rsa.key }`, '', ['login.private_key', /not used with client_auth: client_secret_basic/]],
  ['a secret that none does not use', `${OIDC}, client_auth: none`, '', ['login.client_secret', /not used/]],
  ['a secret for private_key_jwt', `${OIDC}, client_auth: private_key_jwt`, '', ['login.private_key', /missing/], ['login.client_secret', /not used/]],
  ['a method without its secret', `${KEYED}, client_auth: client_secret_post`, '', ['login.client_secret', /missing/], ['login.private_key', /not used/]],
  ['an unknown method', `${OIDC}, client_auth: client_secret_jwt`, '', ['login.client_auth', /client_secret_jwt/]],
  ['an algorithm for a secret', `${OIDC}, client_algorithm: RS256`, '', ['login.client_algorithm', /private_key_jwt only/]],
  ['a key of another kind than the algorithm', `${KEYED}, client_algorithm: ES256`, '', ['login.private_key', /P-256/]],
  ['a weak client key', KEYED.replace('rsa.key', 'weak.key'), '', ['login.private_key', /1024 bits/]],
  ['a key that signs nothing', KEYED.replace('rsa.key', 'x25519.key'), '', ['login.private_key', /x25519/]],
  ['a public key as private key', KEYED.replace('rsa.key', 'rsa.crt'), '', ['login.private_key', /no private key/]],
  ['a secret of two lines', OIDC.replace('env: EU', 'file: two-lines.secret'), '', ['login.client_secret', /characters/]],
  ['iss_parameter without endpoints', `${OIDC}, iss_parameter: not_sent`, '', ['login.iss_parameter', /beside endpoints only/]],
  ['endpoints without keys', `${OIDC}, endpoints: { authorization: "https://a.test", token: "https://a.test" }`, '', ['login.endpoints.jwks', /missing/]],
  ['a private token endpoint', `${OIDC}, endpoints: { ${ENDPOINTS.replace('id.eu.example/t', '169.254.169.254/t')} }`, '', ['login.endpoints.token', /private/]],
  ['a private userinfo endpoint', `${OIDC}, endpoints: { ${ENDPOINTS}, userinfo: "https://[::1]/" }`, '', ['login.endpoints.userinfo', /private/]],
  ['userinfo: always without its endpoint', `${OIDC}, userinfo: always, endpoints: { ${ENDPOINTS} }`, '', ['login.endpoints.userinfo', /missing/]],
  ['HMAC for id_tokens', `${OIDC}, algorithms: [HS256]`, '', ['login.algorithms[0]', /HS256/]],
  ['none for id_tokens', `${OIDC}, algorithms: [none]`, '', ['login.algorithms[0]', /none/]],
  ['no scope', `${OIDC}, scopes: []`, '', ['login.scopes', /empty/]],
  ['scopes without openid', `${OIDC}, scopes: [email]`, '', ['login.scopes', /openid/]],
  ['two scopes in one', `${OIDC}, scopes: [openid, email profile]`, '', ['login.scopes[1]', /one scope/]],
  ['prompt: none beside another', `${OIDC}, prompt: none login`, '', ['login.prompt', /words/]],
  ['a mapping of a protocol claim', `${OIDC}, claims: { iss: x }`, '', ['login.claims.iss', /protocol/]],
  ['a mapping to nothing', `${OIDC}, claims: { email: [] }`, '', ['login.claims.email', /empty/]],
  ['a mapping to a number', `${OIDC}, claims: { email: 1 }`, '', ['login.claims.email', /name or a list/]],
  ['end_session: used', `${OIDC}, end_session: used`, '', ['login.end_session', /used/]],
  ['max_age without a unit', `${OIDC}, max_age: 5`, '', ['login.max_age', /duration/]],
  ['the portal’s secret', OIDC.replace('EU', 'PORTAL'), '', ['login.client_secret', /same secret as portals\.support/]],
  ['a handoff’s secret', OIDC.replace('EU', 'US'), '', ['login.client_secret', /same secret as environments\.us/]],
];

// biome-ignore format: a table
const SAML_FAULTS: readonly Row[] = [
  ['nothing about the provider', 'protocol: saml', '', ['login.metadata', /missing/]],
  ['an issuer alone', 'protocol: saml, issuer: x', '', ['login.sso_url', /missing/], ['login.certificates', /missing/]],
  ['both at once', `${SAML}, metadata: { file: idp.xml }`, '', ['login.issuer', /beside metadata/], ['login.sso_url', /beside metadata/], ['login.certificates', /beside metadata/]],
  ['metadata that is none', 'protocol: saml, metadata: { file: not.xml }', '', ['login.metadata', /./]],
  ['metadata with plain http', 'protocol: saml, metadata: { file: http.xml }', '', ['login.metadata', /must be https/]],
  ['metadata that is not there', 'protocol: saml, metadata: { file: gone.xml }', '', ['login.metadata.file', /ENOENT/]],
  ['metadata by variable', 'protocol: saml, metadata: { env: EU }', '', ['login.metadata.env', /unknown key/], ['login.metadata.file', /missing/]],
  ['metadata as text', 'protocol: saml, metadata: idp.xml', '', ['login.metadata', /must name a file/]],
  ['an sso_url with the binding’s parameter', SAML.replace('/sso', '/sso?RelayState=1'), '', ['login.sso_url', /already holds/]],
  ['an issuer with a space', SAML.replace('urn:eu', 'urn: eu'), '', ['login.issuer', /URI/]],
  ['slo_binding without slo_url', `${SAML}, slo_binding: post`, '', ['login.slo_binding', /slo_url/]],
  ['no certificate', SAML.replace('{ file: idp.crt }', ''), '', ['login.certificates', /empty/]],
  ['five certificates', SAML.replace('{ file: idp.crt }', Array(5).fill('{ file: idp.crt }').join(', ')), '', ['login.certificates', /too many/]],
  ['a certificate that is none', SAML.replace('idp.crt', 'not.crt'), '', ['login.certificates[0]', /no certificate/]],
  ['a key as certificate', SAML.replace('idp.crt', 'idp.key'), '', ['login.certificates[0]', /private key/]],
  ['a chain as certificate', SAML.replace('idp.crt', 'chain.crt'), '', ['login.certificates[0]', /more than one/]],
  ['a certificate with a weak key', SAML.replace('idp.crt', 'weak.crt'), '', ['login.certificates[0]', /1024 bits/]],
  ['a certificate with an EC key', SAML.replace('idp.crt', 'ec.crt'), '', ['login.certificates[0]', /RSA/]],
  ['a key without its certificate', `${SAML}, private_key: { file: rsa.key }`, '', ['login.certificate', /missing/]],
  ['a certificate without its key', `${SAML}, certificate: { file: rsa.crt }`, '', ['login.private_key', /missing/]],
  ['a key and a certificate of another', `${SAML}, certificate: { file: rsa.crt }, private_key: { file: idp.key }`, '', ['login.private_key', /does not belong/]],
  ['an EC key', `${SAML}, certificate: { file: ec.crt }, private_key: { file: ec.key }`, '', ['login.private_key', /RSA/]],
  ['decryption without a certificate', `${SAML}, decryption: { private_key: { file: rsa.key } }`, '', ['login.decryption.certificate', /missing/]],
  ['decryption with another’s key', `${SAML}, decryption: { certificate: { file: idp.crt }, private_key: { file: rsa.key } }`, '', ['login.decryption.private_key', /does not belong/]],
  ['one key for signing and decryption', `${SAML}, ${PAIR}, decryption: { ${PAIR} }`, '', ['login.decryption.private_key', /same secret as environments\.eu\.login\.private_key/]],
  ['signed: none', `${SAML}, signed: none`, '', ['login.signed', /none/]],
  ['force_authn: false', `${SAML}, force_authn: false`, '', ['login.force_authn', /word/]],
  ['LogoutRequests of a provider that nobody could answer', `${SAML}, ${PAIR}`, 'logout: { receive: single_logout }', ['logout.receive', /no single logout service/]],
];

// biome-ignore format: a table
const SESSION_FAULTS: readonly Row[] = [
  ['no cookie', SESSION.replace('[sid]', '[]'), '', ['login.cookies', /empty/]],
  ['a cookie of the router', SESSION.replace('sid', '__Host-wayhome-visit.x'), '', ['login.cookies[0]', /router itself/]],
  ['a cookie of the router in other letters', SESSION.replace('sid', '__HOST-Wayhome'), '', ['login.cookies[0]', /router itself/]],
  ['a cookie that stays on its host', SESSION.replace('sid', '__Host-sid'), '', ['login.cookies[0]', /never leaves/]],
  ['a cookie name with a separator', SESSION.replace('sid', '"sid;x"'), '', ['login.cookies[0]', /name of a cookie/]],
  ['a login page elsewhere', SESSION.replace('eu.acme.com/login', 'eu.acme.example/login'), '', ['login.url', /shares no domain/]],
  ['a session elsewhere', SESSION.replace('eu.acme.com/me', 'acme.example/me'), '', ['login.session_url', /shares no domain/]],
  ['a login page with its return_param', SESSION.replace('/login', '/login?return_to=x'), '', ['login.url', /already holds/]],
  ['a login page with a return_param of its own', `${SESSION.replace('/login', '/login?next=x')}, return_param: next`, '', ['login.url', /already holds/]],
  ['a private session_url', SESSION.replace('eu.acme.com/me', '10.0.0.1/me'), '', ['login.session_url', /private/]],
  ['no session_url', 'protocol: session, url: "https://eu.acme.com/", cookies: [a]', '', ['login.session_url', /missing/]],
];

// biome-ignore format: a table
const TRUST_AND_PROXY_FAULTS: readonly Row[] = [
  ['authorities that are none', `${HANDOFF}, ca: { file: not.crt }`, '', ['login.ca', /no certificate/]],
  ['authorities with a key', `${SESSION}, ca: { file: both.pem }`, '', ['login.ca', /private key/]],
  ['half a client certificate', `${OIDC}, client_certificate: { certificate: { file: rsa.crt } }`, '', ['login.client_certificate.private_key', /missing/]],
  ['a client certificate with another’s key', `${OIDC}, client_certificate: { certificate: { file: rsa.crt }, private_key: { file: idp.key } }`, '', ['login.client_certificate.private_key', /does not belong/]],
  ['allow_private: false', `${SESSION}, allow_private: false`, '', ['login.allow_private', /word/]],
  ['sends_to without a proxy', `${HANDOFF}, sends_to: portal`, '', ['login.sends_to', /needs a proxy/]],
  ['sends_to for pages elsewhere', `${HANDOFF}, sends_to: portal`, `proxy: { ${PROXY} }`, ['login.url', /not on proxy\.host/]],
  ['the router’s own host', HANDOFF, `proxy: { ${PROXY.replace('eu.login', 'login')} }`, ['proxy.host', /router’s own/]],
  ['a host in capitals', HANDOFF, `proxy: { ${PROXY.replace('eu.login', 'EU.login')} }`, ['proxy.host', /lower case/]],
  ['a host with a port', HANDOFF, `proxy: { ${PROXY.replace('acme.com', 'acme.com:8080')} }`, ['proxy.host', /lower case/]],
  ['an address as host', HANDOFF, `proxy: { ${PROXY.replace('eu.login.acme.com', '10.0.0.7')} }`, ['proxy.host', /IP address/]],
  ['an address as host, written oddly', HANDOFF, `proxy: { ${PROXY.replace('eu.login.acme.com', '"0x7f.1"')} }`, ['proxy.host', /IP address/]],
  ['an upstream with a path', HANDOFF, `proxy: { ${PROXY.replace(':8080', ':8080/app')} }`, ['proxy.upstream', /origin/]],
  ['the router as upstream', HANDOFF, `proxy: { ${PROXY.replace('http://10.0.0.1:8080', 'https://login.acme.com')} }`, ['proxy.upstream', /router itself/]],
  ['the host as its own upstream', HANDOFF, `proxy: { ${PROXY.replace('http://10.0.0.1:8080', 'https://eu.login.acme.com')} }`, ['proxy.upstream', /router itself/]],
  ['no path', HANDOFF, `proxy: { ${PROXY.replace('/sso', '')} }`, ['proxy.paths', /empty/]],
  ['a relative path', HANDOFF, `proxy: { ${PROXY.replace('/sso', 'sso')} }`, ['proxy.paths[0]', /absolute path/]],
  ['an escaped path', HANDOFF, `proxy: { ${PROXY.replace('/sso', '/a%2fb')} }`, ['proxy.paths[0]', /absolute path/]],
  ['a path upwards', HANDOFF, `proxy: { ${PROXY.replace('/sso', '/a/../b')} }`, ['proxy.paths[0]', /\.\./]],
  ['an empty segment', HANDOFF, `proxy: { ${PROXY.replace('/sso', '/a//b')} }`, ['proxy.paths[0]', /absolute path/]],
  ['a path of the router', HANDOFF, `proxy: { ${PROXY.replace('/sso', '/.wayhome/x')} }`, ['proxy.paths[0]', /router itself/]],
  ['all paths of the router', HANDOFF, `proxy: { ${PROXY.replace('/sso', '/.wayhome')} }`, ['proxy.paths[0]', /router itself/]],
  ['a size without a unit', HANDOFF, `proxy: { ${PROXY}, max_body: 1000 }`, ['proxy.max_body', /size/]],
  ['a timeout of hours', HANDOFF, `proxy: { ${PROXY}, timeout: 1h }`, ['proxy.timeout', /longer than a minute/]],
  ['a login page that is not passed on', HANDOFF.replace('eu.acme.com/sso', 'eu.login.acme.com/ssox'), `proxy: { ${PROXY} }`, ['login.url', /does not pass it on/]],
  ['a session’s login page that is not passed on', SESSION.replace('eu.acme.com/login', 'eu.login.acme.com/login'), `proxy: { ${PROXY} }`, ['login.url', /does not pass it on/]],
  ['a provider’s page that is not passed on', SAML.replace('id.eu.example/sso', 'eu.login.acme.com/saml'), `proxy: { ${PROXY} }`, ['login.sso_url', /does not pass it on/]],
  ['a sign-out page that is not passed on', HANDOFF, `proxy: { ${PROXY} }\n    logout: { front: { url: "https://eu.login.acme.com/out", return_param: to } }`, ['logout.front.url', /does not pass it on/]],
  ['authorities of the upstream that are none', HANDOFF, `proxy: { ${PROXY}, ca: { file: rsa.key } }`, ['proxy.ca', /private key/]],
];

for (const [heading, rows] of [
  ['oidc', OIDC_FAULTS],
  ['saml', SAML_FAULTS],
  ['session', SESSION_FAULTS],
  ['trust and proxy', TRUST_AND_PROXY_FAULTS],
] as const) {
  for (const [title, login, rest, ...faults] of rows) {
    t.test(`${heading}, refused: ${title}`, async (t) => {
      const outcome = checkEu(login, rest);
      const problems = refused(outcome).filter(({ severity }) => severity === 'fault');
      const at = faults.map(([path]) => `environments.eu.${path}`);
      t.strictSame(problems.map(({ path }) => path).toSorted(), at.toSorted(), faultsOf(outcome).join('\n'));
      for (const [path, reason] of faults)
        t.match(problems.find((problem) => problem.path === `environments.eu.${path}`)?.message, reason);
      t.notOk(
        problems.some(({ remedy }) => remedy === ''),
        'each has a remedy',
      );
      t.strictSame(
        HIDDEN.filter((text) => JSON.stringify(outcome).includes(text)),
        [],
        'no secret is repeated',
      );
    });
  }
}

t.test('faults of logins and proxies stand where their word does', async (t) => {
  const text = withEu(
    '\n      protocol: oidc,\n      issuer: "https://10.0.0.1",\n      client_id: way,\n      client_auth: none,\n      client_secret: { env: EU }\n    ',
    'proxy:\n      host: login.acme.com\n      upstream: http://10.0.0.1\n      paths: [/a, /.wayhome/]',
  );
  t.strictSame(
    refused(checkText(text)).map(({ line, column, path }) => [line, column, path.replace('environments.eu.', '')]),
    [
      [24, 15, 'login.issuer'],
      [27, 7, 'login.client_secret'],
      [30, 13, 'proxy.host'],
      [32, 19, 'proxy.paths[1]'],
    ],
  );
});

/** The login that is built, and what of it stands beside. */
const builtEu = (login: string, rest = '', ...changes: readonly (readonly [string, string])[]) => {
  const { routes } = accepted(checkEu(login, rest, ...changes));
  const [, eu] = routes.environments.values();
  if (!eu) throw new Error('eu is gone');
  return eu;
};

t.test('what is not written has the stated defaults', async (t) => {
  const oidc = builtEu(OIDC);
  t.strictSame(oidc.login, {
    protocol: 'oidc',
    issuer: 'https://id.eu.example',
    clientId: 'way',
    clientAuthentication: { method: 'client_secret_basic', secret: 'eu-secret-0123456789-0123456789-0123' },
    issParameter: 'as_advertised',
    algorithms: PUBLIC_KEY_ALGORITHMS,
    scopes: ['openid', 'email', 'profile'],
    userinfo: 'when_needed',
    responseMode: 'query',
    claims: new Map(),
    logout: true,
  });
  t.strictSame(oidc.trust, { allowPrivate: false });
  t.equal(oidc.environment.mayAssert.emailVerified, 'required');
  t.notOk('proxy' in oidc);

  t.strictSame(builtEu(SAML).login, {
    protocol: 'saml',
    provider: {
      entityId: 'urn:eu',
      signOn: { url: 'https://id.eu.example/sso', binding: 'redirect' },
      certificates: [FILES['idp.crt']?.trimEnd()],
    },
    signed: 'assertion',
    attributes: new Map(),
    maxAge: 300,
    forceAuthn: false,
    authnContexts: [],
    logout: false,
  });
  t.strictSame(builtEu(SESSION).login, {
    protocol: 'session',
    sessionUrl: 'https://eu.acme.com/me',
    loginUrl: 'https://eu.acme.com/login',
    returnParam: 'return_to',
    cookies: ['sid'],
    claims: new Map(),
  });
  for (const login of [SAML, SESSION, HANDOFF])
    t.equal(builtEu(login).environment.mayAssert.emailVerified, 'not_required', login.slice(0, 18));
  t.match(builtEu(HANDOFF), { login: { sendsTo: 'router' }, trust: { allowPrivate: false } });
  t.strictSame(builtEu(HANDOFF, `proxy: { ${PROXY} }`).proxy, {
    environment: 'eu',
    host: 'eu.login.acme.com',
    origin: 'https://eu.login.acme.com',
    upstream: 'http://10.0.0.1:8080',
    paths: ['/sso'],
    tells: 'host',
    maxBody: 10 * 1024 * 1024,
    timeout: 10,
  });
});

t.test('how the router proves itself to a provider follows from what it is given', async (t) => {
  const bare = 'protocol: oidc, issuer: "https://id.eu.example", client_id: way';
  const rows = [
    [bare, { method: 'none' }],
    [`${OIDC}, client_auth: client_secret_post`, { method: 'client_secret_post' }],
    [KEYED, { method: 'private_key_jwt', algorithm: 'RS256' }],
    [`${KEYED}, client_algorithm: PS256`, { method: 'private_key_jwt', algorithm: 'PS256' }],
    [KEYED.replace('rsa.key', 'ec.key'), { method: 'private_key_jwt', algorithm: 'ES256' }],
    [KEYED.replace('rsa.key', 'ed25519.key'), { method: 'private_key_jwt', algorithm: 'EdDSA' }],
  ] as const;
  for (const [login, clientAuthentication] of rows) t.match(builtEu(login).login, { clientAuthentication }, login);
});

t.test('words of oidc become values', async (t) => {
  const more =
    'iss_parameter: not_sent, algorithms: [ES256], scopes: [openid], userinfo: never, response_mode: form_post, claims: { email: [mail, upn], email_verified: checked, name: user.name }, prompt: login consent, acr_values: [mfa, pwd], max_age: 1h';
  const { login } = builtEu(`${OIDC}, ${more}, endpoints: { ${ENDPOINTS}, end_session: "https://id.eu.example/e" }`);
  t.match(login, {
    endpoints: { token: 'https://id.eu.example/t', endSession: 'https://id.eu.example/e' },
    issParameter: 'not_sent',
    algorithms: ['ES256'],
    scopes: ['openid'],
    userinfo: 'never',
    responseMode: 'form_post',
    prompt: 'login consent',
    acrValues: 'mfa pwd',
    maxAge: 3600,
    logout: true,
  });
  t.strictSame(login.protocol === 'oidc' && [...login.claims], [
    ['email', ['mail', 'upn']],
    ['email_verified', ['checked']],
    ['name', ['user.name']],
  ]);
  t.match(builtEu(`${OIDC}, endpoints: { ${ENDPOINTS} }`).login, { issParameter: 'sent' });
});

t.test('words of saml become values', async (t) => {
  const decryption = 'decryption: { certificate: { file: idp.crt }, private_key: { file: idp.key } }';
  const more = `sso_binding: post, slo_url: "https://id.eu.example/out", entity_id: "urn:us", ${PAIR}, ${decryption}, signed: both, name_id_format: "urn:f", attributes: { email: name_id }, max_age: 1m, force_authn: true, authn_contexts: ["urn:c"]`;
  t.match(builtEu(`${SAML}, ${more}`).login, {
    provider: {
      signOn: { binding: 'post' },
      logout: { url: 'https://id.eu.example/out', binding: 'redirect' },
    },
    entityId: 'urn:us',
    signing: { privateKey: /BEGIN PRIVATE KEY/, certificate: /BEGIN CERTIFICATE/ },
    decryption: { privateKey: /BEGIN PRIVATE KEY/, certificate: /BEGIN CERTIFICATE/ },
    signed: 'both',
    nameIdFormat: 'urn:f',
    maxAge: 60,
    forceAuthn: true,
    authnContexts: ['urn:c'],
    logout: true,
  });
  const { login } = builtEu(`protocol: saml, metadata: { file: idp.xml }, ${PAIR}`);
  t.match(login, { provider: { entityId: 'urn:eu', signOn: { url: 'https://id.eu.example/sso' } }, logout: true });
});

t.test('words of trust and proxy become values', async (t) => {
  const trust = 'allow_private: true, ca: { file: chain.crt }';
  t.match(builtEu(`${OIDC.replace('id.eu.example', '10.0.0.1')}, ${trust}, client_certificate: { ${PAIR} }`).trust, {
    allowPrivate: true,
    ca: /^(-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\s*){2}$/,
    clientCertificate: { certificate: /BEGIN CERTIFICATE/, privateKey: /BEGIN PRIVATE KEY/ },
  });
  const { proxy, login } = builtEu(
    `${HANDOFF.replace('eu.acme.com/sso', 'eu.login.acme.com:8443/sso/x')}, sends_to: portal`,
    'proxy: { host: eu.login.acme.com, upstream: "https://[fd00::1]:443", paths: [/sso/], tells: upstream, ca: { file: idp.crt }, max_body: 64kB, timeout: 1m }',
    ['https://login.acme.com', 'https://login.acme.com:8443'],
  );
  t.match(login, { sendsTo: 'portal' });
  t.match(proxy, {
    origin: 'https://eu.login.acme.com:8443',
    upstream: 'https://[fd00::1]',
    tells: 'upstream',
    ca: /BEGIN CERTIFICATE/,
    maxBody: 65_536,
    timeout: 60,
  });
});

/** Accepted, with these notices. */
// biome-ignore format: a table
const NOTICES: readonly (readonly [title: string, login: string, rest: string, ...notices: readonly string[]])[] = [
  ['an expired certificate of the provider', SAML.replace('idp.crt', 'old.crt'), '', 'login.certificates[0]: the certificate expired on 2024-01-01'],
  ['a certificate for later', SAML.replace('idp.crt }', 'idp.crt }, { file: early.crt }'), '', 'login.certificates[1]: the certificate is not valid before 2090-01-01'],
  ['single logout without a key', `${SAML}, slo_url: "https://id.eu.example/out"`, '', 'login: its single logout is not used: logout requests have to be signed'],
  ['the same, as metadata says', 'protocol: saml, metadata: { file: idp.xml }', '', 'login: its single logout is not used: logout requests have to be signed'],
  ['single logout that is not used', `${SAML}, slo_url: "https://id.eu.example/out", single_logout: not_used`, ''],
  ['a front page beside oidc', OIDC, 'logout: { front: { url: "https://eu.acme.com/out", return_param: to } }', 'logout.front: a sign-out goes to this page, and not through the logout of the protocol'],
  ['a front page beside oidc that says so', `${OIDC}, end_session: not_used`, 'logout: { front: { url: "https://eu.acme.com/out", return_param: to } }'],
  ['a front page beside oidc that has no logout', `${OIDC}, endpoints: { ${ENDPOINTS} }`, 'logout: { front: { url: "https://eu.acme.com/out", return_param: to } }'],
  ['a front page beside saml', `${SAML}, ${PAIR}, slo_url: "https://id.eu.example/out"`, 'logout: { front: { url: "https://eu.acme.com/out", return_param: to } }', 'logout.front: a sign-out goes to this page, and not through the logout of the protocol'],
  ['a front page beside saml without logout', SAML, 'logout: { front: { url: "https://eu.acme.com/out", return_param: to } }'],
  ['every path', HANDOFF, `proxy: { ${PROXY.replace('/sso', '/')} }`, 'proxy.paths[0]: everything that the upstream has is passed on'],
  ['plain http to a public address', HANDOFF, `proxy: { ${PROXY.replace('10.0.0.1', '93.184.216.34')} }`, 'proxy.upstream: is plain http to what may be a public address'],
  ['plain http to a public name', HANDOFF, `proxy: { ${PROXY.replace('10.0.0.1', 'app.acme.com')} }`, 'proxy.upstream: is plain http to what may be a public address'],
  ['plain http to a name of one’s own', HANDOFF, `proxy: { ${PROXY.replace('10.0.0.1', 'app.internal')} }`],
  ['a __Host- cookie on the router’s own host', SESSION.replace('eu.acme.com/login', 'login.acme.com:8443/login').replace('sid', '__Host-sid'), ''],
  ['a session in the router’s own network', `${SESSION.replace('eu.acme.com/me', '10.0.0.1/me')}, allow_private: true`, ''],
  ['a client certificate for any protocol', `${SESSION}, client_certificate: { ${PAIR} }`, ''],
];

for (const [title, login, rest, ...notices] of NOTICES) {
  t.test(`accepted: ${title}`, async (t) => {
    const outcome = checkEu(login, rest);
    t.strictSame(faultsOf(outcome), []);
    t.strictSame(
      noticesOf(outcome),
      notices.map((notice) => `environments.eu.${notice}`),
    );
  });
}

t.test('a front page stands for the protocol’s own logout', async (t) => {
  const front = 'logout: { front: { url: "https://eu.acme.com/out", return_param: to } }';
  for (const login of [OIDC, `${SAML}, ${PAIR}, slo_url: "https://id.eu.example/out"`]) {
    t.match(builtEu(login).login, { logout: true });
    t.match(builtEu(login, front), { login: { logout: false }, environment: { frontLogout: { returnParam: 'to' } } });
  }
  t.match(builtEu(`${OIDC}, end_session: not_used`).login, { logout: false });
});

t.test('a session on loopback shares its cookies whatever the names', async (t) => {
  const login =
    'protocol: session, url: "http://localhost:3000/login", session_url: "http://127.0.0.1:3000/me", cookies: [sid], allow_private: true';
  t.strictSame(faultsOf(checkEu(login, '', ['https://login.acme.com', 'http://localhost:8080'])), []);
  t.strictSame(faultsOf(checkEu(login)), [
    'environments.eu.login.url: shares no domain with public_url, so its cookies never reach the router',
  ]);
  const suffix = SESSION.replaceAll('eu.acme.com', 'eu.github.io');
  t.strictSame(
    faultsOf(checkEu(suffix, '', ['https://login.acme.com', 'https://acme.github.io'])).length,
    2,
    'a public suffix is no domain of one owner',
  );
});

t.test('two environments cannot have one proxy host', async (t) => {
  const proxy = `proxy: { ${PROXY} }`;
  const outcome = checkEu(HANDOFF, proxy, ['app_url: https://us', `${proxy}\n    app_url: https://us`]);
  t.strictSame(faultsOf(outcome), ['environments.eu.proxy.host: is the host of us already']);
});

t.test('a key with a certificate may name the router to several environments, for one purpose', async (t) => {
  const us = (login: string): readonly [string, string] => [
    `    login:
      protocol: handoff
      url: https://us.acme.com/sso
      issuer: https://us.acme.com/
      algorithms: [HS256]
      secret: { env: US }
`,
    `    login: { ${login} }\n`,
  ];
  const tls = `client_certificate: { ${PAIR} }`;
  const signing: readonly [string, string] = [
    '{ algorithm: HS256, secret: { env: PORTAL } }',
    '{ algorithm: PS256, private_key: { file: rsa.key } }',
  ];
  const same = (other: string, path: string) => [`environments.eu.login.${path}: the same secret as ${other}`];
  const rows = [
    ['mutual TLS', `${SESSION}, ${tls}`, us(`${SESSION}, ${tls}`), []],
    ['SAML requests', `${SAML}, ${PAIR}`, us(`${SAML}, ${PAIR}`), []],
    ['SAML decryption', `${SAML}, decryption: { ${PAIR} }`, us(`${SAML}, decryption: { ${PAIR} }`), []],
    [
      'SAML beside TLS',
      `${SAML}, ${PAIR}`,
      us(`${SESSION}, ${tls}`),
      same('environments.us.login.client_certificate.private_key', 'private_key'),
    ],
    ['two OpenID providers', KEYED, us(KEYED), same('environments.us.login.private_key', 'private_key')],
    [
      'the portal’s key for TLS',
      `${SESSION}, ${tls}`,
      signing,
      same('portals.support.signing.private_key', 'client_certificate.private_key'),
    ],
    [
      'the portal’s key for SAML',
      `${SAML}, ${PAIR}`,
      signing,
      same('portals.support.signing.private_key', 'private_key'),
    ],
    ['the portal’s key for OIDC', KEYED, signing, same('portals.support.signing.private_key', 'private_key')],
  ] as const;
  for (const [title, login, change, faults] of rows) t.strictSame(faultsOf(checkEu(login, '', change)), faults, title);
});

t.test('without secrets, every protocol is built all the same', async (t) => {
  const logins = [OIDC, KEYED, `${SAML}, ${PAIR}`, 'protocol: saml, metadata: { file: idp.xml }', SESSION];
  for (const login of logins) {
    const outcome = checkText(
      withEu(`${login}, client_certificate: { certificate: { file: idp.crt }, private_key: { file: idp.key } }`),
      { secrets: 'not_needed', now: NOW },
    );
    t.strictSame(faultsOf(outcome), [], login);
  }
});

t.test('the fragments of the tutorial are right', async (t) => {
  const tutorial = readFileSync(new URL('../../routes.yaml', import.meta.url), 'utf8');
  const [, more = ''] = /\n( {2}# More ways[\s\S]*?)\n\n/.exec(tutorial) ?? [];
  const [, ...fragments] = more.split('\n').map((line) => line.replace(/^ {2}# ?/, '  '));
  const text = tutorial.replace(more, fragments.join('\n')).replace('http://localhost:8080', 'https://login.acme.com');
  const variables = {
    PYLON_SHARED_SECRET: 'a'.repeat(32),
    US_HANDOFF_SECRET: 'b'.repeat(32),
    EU_HANDOFF_SECRET: 'c'.repeat(32),
    INITECH_SECRET: 'd'.repeat(32),
  };
  const outcome = checkText(text, { variables, files: { 'hooli-idp.xml': FILES['idp.xml'] ?? '' }, now: NOW });
  t.strictSame(
    [...accepted(outcome).routes.environments.values()].map(({ login }) => login.protocol),
    ['handoff', 'handoff', 'handoff', 'oidc', 'saml', 'session'],
  );
});

t.test('whatever stands under the words of a login or a proxy, it is judged and never throws', async (t) => {
  const schema = z.toJSONSchema(environmentSchema, { io: 'input' }) as unknown as {
    properties: { login: { oneOf: readonly WordsOf[] }; proxy: WordsOf };
  };
  const { login: logins, proxy } = schema.properties;
  const url = fc.constantFrom(
    'https://eu.acme.com/',
    'https://10.0.0.1',
    'https://eu.login.acme.com/x',
    'http://',
    '//x',
  );
  const value = fc.oneof(
    fc.constantFrom('assertion', 'not_used', 'portal', 'always', 'none', 'private_key_jwt', 'sid', '/', '10MB', '1m'),
    url,
    fc.array(fc.oneof(url, fc.constantFrom('openid', 'sid', '/x', 'ES256')), { maxLength: 3 }),
    fc.constantFrom(...Object.keys(FILES)).map((file) => ({ file })),
    fc.constantFrom('EU', 'US', 'PORTAL', 'NOT_SET').map((env) => ({ env })),
    fc.record({ certificate: fc.constant({ file: 'rsa.crt' }), private_key: fc.constant({ file: 'idp.key' }) }),
    fc.record({ authorization: url, token: url, jwks: url }),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const words = ({ properties }: WordsOf) =>
    fc.record(
      Object.fromEntries(
        Object.entries(properties).map(([word, { const: fixed }]) => [
          word,
          word === 'protocol' ? fc.constant(fixed) : value,
        ]),
      ),
      { requiredKeys: ['protocol'].filter((word) => Object.hasOwn(properties, word)) },
    );
  const entry = fc.tuple(fc.oneof(...logins.oneOf.map(words)), words(proxy));
  fc.assert(
    fc.property(entry, ([login, proxied]) => {
      const outcome = checkEu(JSON.stringify(login).slice(1, -1), `proxy: ${JSON.stringify(proxied)}`);
      const problems = outcome.ok ? outcome.notices : outcome.problems;
      const said = JSON.stringify(problems);
      return problems.every(({ remedy }) => remedy !== '') && !HIDDEN.some((text) => said.includes(text));
    }),
    { numRuns: 500 },
  );
  t.pass('five hundred of them');
});

type WordsOf = { readonly properties: Readonly<Record<string, { readonly const?: string }>> };
