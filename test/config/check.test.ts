import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { routesSchemaJson } from '../../docs/generate-schema.ts';
import type { Outcome } from '../../src/config/check.ts';
import { checkText, GOOD, goodWith, VARIABLES } from './routes-text.ts';

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');

/** `path: message` of what an outcome reports, in its order. */
const found = (outcome: Outcome, severity: 'fault' | 'notice' = 'fault'): string[] =>
  (outcome.ok ? outcome.notices : outcome.problems)
    .filter((problem) => problem.severity === severity)
    .map(({ path, message }) => `${path}: ${message}`);

t.test('a file with ten planted faults reports ten, each at its line and column', async (t) => {
  const variables = {
    PYLON_SHARED_SECRET: VARIABLES.PORTAL,
    US_HANDOFF_SECRET: VARIABLES.US,
    EU_HANDOFF_SECRET: VARIABLES.EU,
  };
  const outcome = checkText(read('ten-faults.yaml'), { variables });
  t.strictSame(
    outcome.problems.map(({ line, column, path, severity }) => [line, column, path, severity]),
    [
      [1, 13, 'public_url', 'fault'],
      [2, 17, 'login_lifetime', 'fault'],
      [7, 13, 'portals.support.preset', 'fault'],
      [8, 17, 'portals.support.login_path', 'fault'],
      [11, 24, 'portals.support.environments[1]', 'fault'],
      [16, 5, 'environments.us.title', 'fault'],
      [23, 7, 'environments.us.login.secrt', 'fault'],
      [24, 34, 'environments.us.may_assert.email_domains', 'fault'],
      [25, 3, 'environments.eu.app_url', 'fault'],
      [37, 9, 'discovery[1].by', 'fault'],
    ],
  );
  const remedies = new Map(outcome.problems.map(({ path, remedy }) => [path, remedy]));
  t.match(remedies.get('portals.support.preset'), /Did you mean "pylon"\?/);
  t.match(remedies.get('portals.support.environments[1]'), /Did you mean "us"\?/);
  t.match(remedies.get('environments.us.login.secrt'), /Did you mean "secret"\? Known keys: protocol, url, issuer/);
  t.match(remedies.get('discovery[1].by'), /Did you mean "picker"\?/);
  t.notOk(
    outcome.problems.some(({ remedy }) => remedy === ''),
    'each has a remedy',
  );
});

t.test('the contract’s example has no fault but its undefined environment and what comes later', async (t) => {
  const names = ['WAYHOME_SEAL_KEY', 'PYLON_SHARED_SECRET', 'US_HANDOFF_SECRET', 'GLOBEX_SECRET'];
  const unset = checkText(read('contract-example.yaml'));
  t.equal(
    found(unset).filter((text) => names.some((name) => text.includes(`${name} is not set`))).length,
    names.length,
  );

  const variables = Object.fromEntries(
    names.map((name, index) => [name, Buffer.alloc(32, index + 1).toString('base64url')]),
  );
  const outcome = checkText(read('contract-example.yaml'), { variables });
  t.strictSame(found(outcome), [
    'portals.support.environments[1]: there is no environment "eu"',
    'environments.globex.login.protocol: protocol oidc is not part of this version',
    'environments.globex.proxy: proxy is not part of this version',
    'discovery[4].to: there is no environment "eu"',
  ]);
  t.strictSame(found(outcome, 'notice'), [
    'environments.us.logout.back: back-channel logout is not delivered by this version',
    'environments.us.may_assert.claims[0]: no portal’s preset carries name, so it is not sent (2 environments name it)',
    'environments.globex.sets.account_external_id: no portal’s preset carries account_external_id, so it is not sent',
  ]);
});

t.test('a good file becomes the checked tree, with its defaults', async (t) => {
  const outcome = checkText(GOOD);
  t.strictSame(outcome.notices, []);
  const { routes } = outcome;
  t.equal(routes.publicOrigin, 'https://login.acme.com');
  t.equal(routes.issuer, 'https://login.acme.com/');
  t.strictSame(routes.listen, { host: '0.0.0.0', port: 8080 });
  t.strictSame(routes.admin, { host: '127.0.0.1', port: 9090 });
  t.equal(routes.store, 'sqlite:data/wayhome.db');
  t.equal(routes.loginLifetime, 600);
  t.notOk('rateLimit' in routes, 'no limit unless set');
  t.strictSame(routes.logout, { then: 'app', fanOut: 'origin' });
  const [portal] = routes.portals.values();
  t.match(portal, { loginPath: '/callback', logoutPath: '/logout', metadataAtLoginPath: false });
  t.strictSame(portal?.signing, { algorithm: 'HS256', secret: Buffer.from(VARIABLES.PORTAL ?? '') });
  t.strictSame([...(portal?.settings.portal.environments ?? [])], ['us', 'eu'], 'all, in the order of the file');
  const [us] = routes.environments.values();
  t.match(us?.environment, {
    title: 'us',
    listed: true,
    disabled: false,
    mayAssert: { emailVerified: 'not_required' },
  });
  t.match(us?.login, {
    key: { kind: 'secret', algorithms: ['HS256'] },
    audience: { is: 'router' },
    nonce: 'echoed',
    jti: 'sent',
    maxLifetime: 300,
    unsolicited: 'refused',
  });
  t.strictSame(routes.routes.discovery.steps, [{ by: 'hint', params: ['env'] }, { by: 'picker' }]);
  t.strictSame(
    [...routes.routes.discovery.byDomain],
    [
      ['acme.com', ['us']],
      ['acme.example', ['eu']],
    ],
  );
});

t.test('words of the file become values: durations, rates, ranges, rules, domains, secrets of files', async (t) => {
  const text = goodWith(
    [
      'discovery:',
      'rate_limit: { per_client: 600/m, burst: 5 }\nlisten: "[::1]:0"\nstore: "memory:"\ntrusted_proxies: [10.0.0.0/8]\nseal_keys: [{ file: seal.key }]\ndiscovery:',
    ],
    ['- by: hint', '- { by: rule, when: { host: A.acme.com, header: { name: CF-IPCountry, in: DE } }, to: eu }'],
    ['[acme.example]', '[BÜCHER.example]'],
    [
      'issuer: https://us',
      'audience: not_sent\n      nonce: not_echoed\n      jti: not_sent\n      max_lifetime: 10h\n      issuer: https://us',
    ],
  );
  const outcome = checkText(text, { files: { 'seal.key': `${VARIABLES.SEAL}\r\n` } });
  const { routes } = outcome;
  t.strictSame(routes.rateLimit, { perSecond: 10, burst: 5 });
  t.strictSame(routes.listen, { host: '::1', port: 0 });
  t.equal(routes.store, 'memory:');
  t.ok(routes.trustedProxies.check('10.1.2.3'));
  t.strictSame(routes.sealKeys, [Buffer.alloc(32, 7)], 'without the line break of the file');
  t.strictSame(outcome.files, ['routes.yaml', 'seal.key']);
  const [rule] = routes.routes.discovery.steps;
  t.strictSame(rule, {
    by: 'rule',
    when: { host: new Set(['a.acme.com']), header: { name: 'cf-ipcountry', in: new Set(['DE']) } },
    to: 'eu',
  });
  t.ok(routes.routes.discovery.byDomain.has('xn--bcher-kva.example'));
  const [us] = routes.environments.values();
  t.match(us?.login, { audience: { is: 'not_sent' }, nonce: 'not_echoed', jti: 'not_sent', maxLifetime: 36_000 });
});

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const FILES = {
  'private.pem': rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  'public.pem': rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string,
  'ec.pem': generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
    type: 'spki',
    format: 'pem',
  }) as string,
  'us.secret': `${VARIABLES.US}\n`,
  'empty.secret': '\n',
};
const KEY = 'algorithms: [HS256]\n      secret: { env: US }';

/** What is replaced in the good file, and the faults that must be found: their path and a word of the reason. */
type Row = readonly [
  title: string,
  from: string,
  to: string,
  ...faults: readonly (readonly [path: string, reason: RegExp])[],
];

const CASE_33: readonly Row[] = [
  [
    'the portal’s secret reused by an environment (same variable)',
    'env: US',
    'env: PORTAL',
    ['environments.us.login.secret', /same secret as portals\.support\.signing\.secret/],
  ],
  [
    'two environments with one secret',
    'env: EU',
    'env: US',
    ['environments.eu.login.secret', /same secret as environments\.us\.login\.secret/],
  ],
  [
    'one secret by variable and by file',
    '{ env: EU }',
    '{ file: us.secret }',
    ['environments.eu.login.secret', /same secret/],
  ],
  [
    'a seal key that is a portal’s secret',
    'portals:',
    'seal_keys: [{ env: PORTAL }]\nportals:',
    ['seal_keys[0]', /base64url/],
    ['portals.support.signing.secret', /same secret as seal_keys\[0\]/],
  ],
  [
    'a short HMAC secret of an environment',
    'env: US',
    'env: SHORT',
    ['environments.us.login.secret', /31 bytes; HS256 needs at least 32/],
  ],
  [
    'a short HMAC secret of a portal',
    'HS256, secret',
    'HS512, secret',
    ['portals.support.signing.secret', /HS512 needs at least 64/],
  ],
  [
    'the longest algorithm of a list decides',
    '[HS256]',
    '[HS256, HS384]',
    ['environments.us.login.secret', /HS384 needs at least 48/],
  ],
  ['email_domains: []', '[acme.com]', '[]', ['environments.us.may_assert.email_domains', /must not be empty/]],
  ['email_domains missing', 'email_domains: [acme.com], ', '', ['environments.us.may_assert.email_domains', /missing/]],
  [
    'email_domains empty',
    'email_domains: [acme.com]',
    'email_domains: ',
    ['environments.us.may_assert.email_domains', /list of domains/],
  ],
  [
    'may_assert missing',
    'may_assert: { email_domains: [acme.com], claims: [account_id] }',
    'title: US',
    ['environments.us.may_assert', /missing/],
  ],
  [
    'an unknown key',
    'app_url: https://us',
    'lsited: false\n    app_url: https://us',
    ['environments.us.lsited', /unknown key/],
  ],
];

const RULES: readonly Row[] = [
  // Secrets
  [
    'a secret in plain text',
    '{ env: US }',
    'us-secret-0123456789-0123456789-0123',
    ['environments.us.login.secret', /must be \{ env/],
  ],
  ['a mistyped env', '{ env: US }', '{ evn: US }', ['environments.us.login.secret.evn', /unknown key/]],
  [
    'env and file together',
    '{ env: US }',
    '{ env: US, file: us.secret }',
    ['environments.us.login.secret', /exactly one/],
  ],
  ['an unset variable', 'env: US', 'env: NOT_SET', ['environments.us.login.secret.env', /NOT_SET is not set/]],
  ['a missing file', '{ env: US }', '{ file: gone }', ['environments.us.login.secret.file', /ENOENT/]],
  ['an empty file', '{ env: US }', '{ file: empty.secret }', ['environments.us.login.secret.file', /empty/]],
  ['a PEM as HMAC secret', '{ env: US }', '{ file: public.pem }', ['environments.us.login.secret', /PEM/]],
  // Algorithms and keys
  ['HMAC beside public-key algorithms', '[HS256]', '[HS256, RS256]', ['environments.us.login.algorithms', /one list/]],
  ['an unknown algorithm', '[HS256]', '[HS265]', ['environments.us.login.algorithms[0]', /HS265/]],
  ['a secret for a public-key algorithm', '[HS256]', '[PS256]', ['environments.us.login.secret', /does not fit PS256/]],
  [
    'a public key for HMAC',
    'secret: { env: US }',
    'public_key: { file: public.pem }',
    ['environments.us.login.public_key', /does not fit HS256/],
  ],
  ['no key at all', '      secret: { env: US }\n', '', ['environments.us.login.secret', /missing/]],
  [
    'a key of another kind',
    KEY,
    'algorithms: [PS256]\n      public_key: { file: ec.pem }',
    ['environments.us.login.public_key', /RSA/],
  ],
  [
    'a private key for an environment',
    KEY,
    'algorithms: [PS256]\n      public_key: { file: private.pem }',
    ['environments.us.login.public_key', /private key/],
  ],
  [
    'a secret beside jwks_url',
    'secret: { env: US }',
    'secret: { env: US }\n      jwks_url: https://us.acme.com/jwks',
    ['environments.us.login.jwks_url', /stands beside secret/],
  ],
  [
    'jwks_url on a private address',
    KEY,
    'algorithms: [PS256]\n      jwks_url: https://10.0.0.1/jwks',
    ['environments.us.login.jwks_url', /private/],
  ],
  [
    'jwks_url on loopback',
    KEY,
    'algorithms: [PS256]\n      jwks_url: http://localhost:9/jwks',
    ['environments.us.login.jwks_url', /loopback/],
  ],
  [
    'jwks_url on the metadata address, written oddly',
    KEY,
    'algorithms: [PS256]\n      jwks_url: https://[::ffff:169.254.169.254]/',
    ['environments.us.login.jwks_url', /private/],
  ],
  ['a portal without its secret', ', secret: { env: PORTAL }', '', ['portals.support.signing.secret', /missing/]],
  [
    'a portal’s secret for PS256',
    'algorithm: HS256',
    'algorithm: PS256',
    ['portals.support.signing.secret', /no shared secret/],
  ],
  [
    'an algorithm that the preset does not list',
    '{ algorithm: HS256, secret: { env: PORTAL } }',
    '{ algorithm: RS256 }',
    ['portals.support.signing.algorithm', /PS256/],
  ],
  [
    'an unfit private key',
    '{ algorithm: HS256, secret: { env: PORTAL } }',
    '{ algorithm: PS256, private_key: { file: public.pem } }',
    ['portals.support.signing.private_key', /no private key/],
  ],
  // The handoff's own words
  [
    'unsolicited beside nonce: not_echoed',
    'issuer: https://us',
    'unsolicited: allowed\n      nonce: not_echoed\n      issuer: https://us',
    ['environments.us.login.unsolicited', /not_echoed/],
  ],
  ['an unknown protocol', 'protocol: handoff', 'protocol: handof', ['environments.us.login.protocol', /handof/]],
  // URLs
  ['plain http', 'https://us.acme.com/sso', 'http://us.acme.com/sso', ['environments.us.login.url', /https/]],
  ['user info', 'app_url: https://us', 'app_url: https://me:pass@us', ['environments.us.app_url', /user name/]],
  ['empty user info', 'app_url: https://us', 'app_url: https://@us', ['environments.us.app_url', /user name/]],
  ['a fragment', 'https://us.acme.com/sso', '"https://us.acme.com/sso#x"', ['environments.us.login.url', /fragment/]],
  ['no URL', 'https://us.acme.com/sso', '//us.acme.com', ['environments.us.login.url', /absolute/]],
  [
    'a scheme of another kind',
    'app_url: https://us.acme.com/',
    'app_url: javascript://us.acme.com/',
    ['environments.us.app_url', /absolute/],
  ],
  ['a backslash', 'https://us.acme.com/sso', 'https://us.acme.com\\sso', ['environments.us.login.url', /absolute/]],
  ['public_url with a path', 'https://login.acme.com', 'https://login.acme.com/x', ['public_url', /origin/]],
  [
    'login.url with the router’s parameter',
    'https://us.acme.com/sso',
    'https://us.acme.com/sso?redirect_uri=x',
    ['environments.us.login.url', /already holds/],
  ],
  [
    'a return address with a query',
    'login_path: /callback',
    'allow_redirects: [https://a.test/?b]\n    login_path: /callback',
    ['portals.support.allow_redirects[0]', /query/],
  ],
  // Domains
  [
    'one domain in two environments',
    '[acme.example]',
    '[ACME.com]',
    ['environments.us.may_assert.email_domains[0]', /several/],
    ['environments.eu.may_assert.email_domains[0]', /several/],
  ],
  [
    'shared said by one of them only',
    '[acme.example]',
    '[acme.com], shared: true',
    ['environments.us.may_assert.email_domains[0]', /several/],
    ['environments.eu.may_assert.email_domains[0]', /several/],
  ],
  [
    'public suffixes',
    '[acme.com]',
    '[com, co.uk, github.io, xn--55qx5d.cn]',
    ...[0, 1, 2, 3].map((index) => [`environments.us.may_assert.email_domains[${index}]`, /public suffix/] as const),
  ],
  [
    'wildcards and other shapes',
    '[acme.com]',
    '["*.com", "*.acme.com", me@acme.com, any]',
    ...[0, 1, 2, 3].map((index) => [`environments.us.may_assert.email_domains[${index}]`, /must be a domain/] as const),
  ],
  [
    'a domain instead of a list',
    '[acme.com]',
    'acme.com',
    ['environments.us.may_assert.email_domains', /list of domains/],
  ],
  // Claims
  ['a protocol claim asserted', '[account_id]', '[sub, iss]', ['environments.us.may_assert.claims[1]', /protocol/]],
  [
    'a protocol claim set',
    'app_url: https://us',
    'sets: { email: a@acme.com }\n    app_url: https://us',
    ['environments.us.sets.email', /protocol/],
  ],
  [
    '__proto__ as a claim',
    'app_url: https://us',
    'sets: { __proto__: x, constructor: y }\n    app_url: https://us',
    ['environments.us.sets.__proto__', /cannot be a key/],
    ['environments.us.sets.constructor', /cannot be the name/],
  ],
  [
    'both account claims set',
    'app_url: https://us',
    'sets: { account_id: a, account_external_id: b }\n    app_url: https://us',
    ['environments.us.sets.account_external_id', /both/],
  ],
  [
    'an account that YAML reads as a number',
    'app_url: https://us',
    'sets: { account_id: 0042 }\n    app_url: https://us',
    ['environments.us.sets.account_id', /text/],
  ],
  // Addresses
  ['the login path of another', '/logout\n', '/callback\n', ['portals.support.logout_path', /login_path of support/]],
  ...[
    '/return',
    '/return/us',
    '/enter/x',
    '/logout/x',
    '/.well-known/jwks.json',
    '/oidc/jwks',
    '/api/x',
    '/backchannel-logout/us',
  ].map((path): Row => [`the address ${path}`, '/callback', path, ['portals.support.login_path', /router itself/]]),
  ...['callback', '/', '/a/', '//a', '/a?b', '/a%2fb', '/../a', '/a/:b', '/a/*'].map(
    (path): Row => [`the path ${path}`, '/callback', `"${path}"`, ['portals.support.login_path', /path|segment/]],
  ),
  // Names
  ['a name of other characters', '  us:', '  U.S:', ['environments["U.S"]', /must be a name/]],
  [
    'an unknown portal in a rule',
    '- by: hint',
    '- { by: rule, when: { portal: [suport] }, to: us }',
    ['discovery[0].when.portal[0]', /no portal "suport"/],
  ],
  [
    'an unknown environment in a step',
    '- by: picker',
    '- { by: default, to: usa }',
    ['discovery[1].to', /no environment "usa"/],
  ],
  [
    'a rule without a condition',
    '- by: hint',
    '- { by: rule, when: {}, to: us }',
    ['discovery[0].when', /at least one/],
  ],
  [
    'a range that is none',
    '- by: hint',
    '- { by: rule, when: { client_ip: 10.0.0.0/33 }, to: us }',
    ['discovery[0].when.client_ip', /range/],
  ],
  ['no step', '  - by: hint\n  - by: picker\n', '  []\n', ['discovery', /empty/]],
  // Presets
  ['an unknown preset', 'preset: pylon', 'preset: pilon', ['portals.support.preset', /no preset "pilon"/]],
  ['a preset file that is not there', 'preset: pylon', 'preset: ./own.yaml', ['portals.support.preset', /ENOENT/]],
  ['a mistyped setting', 'org_slug: acme', 'org_slg: acme', ['portals.support.settings.org_slg', /unknown setting/]],
  ['a setting of the wrong shape', 'org_slug: acme', 'org_slug: a/b', ['portals.support.settings.org_slug', /match/]],
  [
    'a setting that YAML reads as a number',
    'org_slug: acme',
    'org_slug: 12',
    ['portals.support.settings.org_slug', /expected text/],
  ],
  ['no settings', '    settings: { org_slug: acme }\n', '', ['portals.support.settings.org_slug', /required/]],
  [
    'a token that lives too long',
    'token_lifetime: 60s',
    'token_lifetime: 10m',
    ['portals.support.token_lifetime', /300s/],
  ],
  [
    'a delivery parameter of other characters',
    'token_lifetime: 60s',
    'delivery: { param: "a b" }',
    ['portals.support.delivery.param', /parameter name/],
  ],
  // The top
  ['a bare number as duration', 'portals:', 'login_lifetime: 600\nportals:', ['login_lifetime', /duration/]],
  ['a store of another kind', 'portals:', 'store: mysql://x\nportals:', ['store', /must be a store/]],
  ['a Redis store', 'portals:', 'store: redis://x\nportals:', ['store', /not part of this version/]],
  ['an address without a port', 'portals:', 'listen: 0.0.0.0\nportals:', ['listen', /host:port/]],
  [
    'logout.then: portal without home_url',
    'portals:',
    'logout: { then: portal }\nportals:',
    ['portals.support.home_url', /missing/],
  ],
  ['a mistyped section is one fault', 'environments:', 'enviroments:', ['enviroments', /unknown key/]],
  ['a mistyped required key is one fault', 'public_url', 'pubic_url', ['pubic_url', /unknown key/]],
];

for (const [heading, rows] of [
  ['case 33', CASE_33],
  ['refused', RULES],
] as const) {
  for (const [title, from, to, ...faults] of rows) {
    t.test(`${heading}: ${title}`, async (t) => {
      const text = goodWith([from, to]);
      const outcome = checkText(text, { files: FILES });
      const problems = outcome.problems.filter(({ severity }) => severity === 'fault');
      t.strictSame(problems.map(({ path }) => path).toSorted(), faults.map(([path]) => path).toSorted());
      for (const [path, reason] of faults) t.match(problems.find((problem) => problem.path === path)?.message, reason);
      for (const value of Object.values(VARIABLES))
        t.notOk(JSON.stringify(outcome).includes(value), 'no secret is repeated');
    });
  }
}

const ACCEPTED: readonly (readonly [title: string, ...changes: readonly (readonly [string, string])[]])[] = [
  [
    'one domain, where both say shared',
    ['[acme.com]', '[acme.com], shared: true'],
    ['[acme.example]', '[acme.com], shared: true'],
  ],
  ['any domain, where the word stands', ['[acme.com]', 'any']],
  [
    'plain http on loopback',
    ['https://us.acme.com/sso', 'http://us.localhost:3000/sso'],
    ['app_url: https://us.acme.com/', 'app_url: http://[::1]:3000/'],
  ],
  [
    'plain http under insecure_development',
    ['portals:', 'insecure_development: true\nportals:'],
    ['https://us.acme.com/sso', 'http://us.acme.com/sso'],
  ],
  [
    'a private jwks_url that is allowed',
    [KEY, 'algorithms: [PS256]\n      allow_private: true\n      jwks_url: http://127.0.0.1:9/jwks'],
  ],
  ['a public key in a file', [KEY, 'algorithms: [RS256, PS512]\n      public_key: { file: public.pem }']],
  [
    'a portal with a key of the router’s own',
    ['{ algorithm: HS256, secret: { env: PORTAL } }', '{ algorithm: PS256 }'],
  ],
  [
    'a portal with its private key',
    ['{ algorithm: HS256, secret: { env: PORTAL } }', '{ algorithm: PS384, private_key: { file: private.pem } }'],
  ],
  [
    'an anchor for what is the same',
    ['claims: [account_id] }\n  eu', 'claims: &claims [account_id] }\n  eu'],
    ['[acme.example], claims: [account_id]', '[acme.example], claims: *claims'],
  ],
];
for (const [title, ...changes] of ACCEPTED) {
  t.test(`accepted: ${title}`, async (t) => t.strictSame(found(checkText(goodWith(...changes), { files: FILES })), []));
}

t.test('insecure_development is refused where NODE_ENV is production', async (t) => {
  const text = goodWith(['portals:', 'insecure_development: true\nportals:']);
  t.strictSame(found(checkText(text, { variables: { NODE_ENV: 'production' } })), [
    'insecure_development: plain http is not for production',
  ]);
  t.ok(checkText(text, { variables: { NODE_ENV: 'test' } }).ok);
});

t.test('notices do not make a file invalid', async (t) => {
  const rows = [
    ['- by: hint', '- { by: default, to: us }', 'discovery[1]: this step is never reached'],
    ['  - by: picker\n', '', 'discovery: a person whom no step recognises is refused'],
    [
      '[account_id]',
      '[account_id, name]',
      'environments.us.may_assert.claims[1]: no portal’s preset carries name, so it is not sent',
    ],
    ['portals:', 'logout: { fan_out: all }\nportals:', 'logout.fan_out: fan_out: all is not part of this version'],
  ] as const;
  for (const [from, to, notice] of rows) {
    const outcome = checkText(goodWith([from, to]));
    t.ok(outcome.ok);
    t.strictSame(found(outcome, 'notice'), [notice]);
  }
});

t.test('a preset file’s problems stand at their own place', async (t) => {
  const text = goodWith(['preset: pylon', 'preset: presets/own.yaml']);
  const own = readFileSync(new URL('../../src/portals/presets/pylon.yaml', import.meta.url), 'utf8');
  t.ok(checkText(text, { files: { 'presets/own.yaml': own } }).ok);
  const broken = own.replace('format: jws', 'fromat: jws');
  const outcome = checkText(text, { files: { 'presets/own.yaml': broken } });
  const line = broken.split('\n').findIndex((content) => content.includes('fromat')) + 1;
  t.strictSame(
    outcome.problems.map(({ file, line, column, path }) => [file, line, column, path]),
    [['presets/own.yaml', line, 3, 'token.fromat']],
  );
  t.match(outcome.problems[0]?.remedy, /Did you mean "format"\?/);
});

t.test('the shipped JSON Schema is the one of the code', async (t) => {
  t.equal(readFileSync(new URL('../../routes.schema.json', import.meta.url), 'utf8'), routesSchemaJson());
});
