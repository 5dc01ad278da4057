import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { checkText, faultsOf, goodWith, refused, VARIABLES } from './routes-text.ts';

const pem = { pkcs8: { type: 'pkcs8', format: 'pem' }, spki: { type: 'spki', format: 'pem' } } as const;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const FILES = {
  'private.pem': rsa.privateKey.export(pem.pkcs8) as string,
  'public.pem': rsa.publicKey.export(pem.spki) as string,
  'ec.pem': ec.publicKey.export(pem.spki) as string,
  'us.secret': `${VARIABLES.US}\n`,
  'empty.secret': '\n',
};
const KEY = 'algorithms: [HS256]\n      secret: { env: US }';

type Fault = readonly [path: string, reason: RegExp];

/** What is replaced in the good file, and the only faults that may be found: their path and a word of the reason. */
type Row = readonly [title: string, from: string, to: string, ...faults: readonly Fault[]];

// biome-ignore format: a table
const CASE_33: readonly Row[] = [
  ['the portal’s secret reused by an environment (same variable)', 'env: US', 'env: PORTAL', ['environments.us.login.secret', /same secret as portals\.support\.signing\.secret/]],
  ['two environments with one secret', 'env: EU', 'env: US', ['environments.eu.login.secret', /same secret as environments\.us\.login\.secret/]],
  ['one secret by variable and by file', '{ env: EU }', '{ file: us.secret }', ['environments.eu.login.secret', /same secret/]],
  ['a seal key that is a portal’s secret', 'portals:', 'seal_keys: [{ env: PORTAL }]\nportals:', ['seal_keys[0]', /base64url/], ['portals.support.signing.secret', /same secret as seal_keys\[0\]/]],
  ['a short HMAC secret of an environment', 'env: US', 'env: SHORT', ['environments.us.login.secret', /31 bytes; HS256 needs at least 32/]],
  ['a short HMAC secret of a portal', 'HS256, secret', 'HS512, secret', ['portals.support.signing.secret', /HS512 needs at least 64/]],
  ['the longest algorithm of a list decides', '[HS256]', '[HS256, HS384]', ['environments.us.login.secret', /HS384 needs at least 48/]],
  ['email_domains: []', '[acme.com]', '[]', ['environments.us.may_assert.email_domains', /must not be empty/]],
  ['email_domains missing', 'email_domains: [acme.com], ', '', ['environments.us.may_assert.email_domains', /missing/]],
  ['email_domains empty', 'email_domains: [acme.com]', 'email_domains: ', ['environments.us.may_assert.email_domains', /list of domains/]],
  ['may_assert missing', 'may_assert: { email_domains: [acme.com], claims: [account_id] }', 'title: US', ['environments.us.may_assert', /missing/]],
  ['an unknown key', 'app_url: https://us', 'lsited: false\n    app_url: https://us', ['environments.us.lsited', /unknown key/]],
];

// biome-ignore format: a table
const RULES: readonly Row[] = [
  ['a secret in plain text', '{ env: US }', 'us-secret-0123456789-0123456789-0123', ['environments.us.login.secret', /must be \{ env/]],
  ['a mistyped env', '{ env: US }', '{ evn: US }', ['environments.us.login.secret.evn', /unknown key/]],
  ['env and file together', '{ env: US }', '{ env: US, file: us.secret }', ['environments.us.login.secret', /exactly one/]],
  ['an unset variable', 'env: US', 'env: NOT_SET', ['environments.us.login.secret.env', /NOT_SET is not set/]],
  ['a missing file', '{ env: US }', '{ file: gone }', ['environments.us.login.secret.file', /ENOENT/]],
  ['an empty file', '{ env: US }', '{ file: empty.secret }', ['environments.us.login.secret.file', /empty/]],
  ['a PEM as HMAC secret', '{ env: US }', '{ file: public.pem }', ['environments.us.login.secret', /PEM/]],
  ['HMAC beside public-key algorithms', '[HS256]', '[HS256, RS256]', ['environments.us.login.algorithms', /one list/]],
  ['an unknown algorithm', '[HS256]', '[HS265]', ['environments.us.login.algorithms[0]', /HS265/]],
  ['a secret for a public-key algorithm', '[HS256]', '[PS256]', ['environments.us.login.secret', /does not fit PS256/]],
  ['a public key for HMAC', 'secret: { env: US }', 'public_key: { file: public.pem }', ['environments.us.login.public_key', /does not fit HS256/]],
  ['no key at all', '      secret: { env: US }\n', '', ['environments.us.login.secret', /missing/]],
  ['a key of another kind', KEY, 'algorithms: [PS256]\n      public_key: { file: ec.pem }', ['environments.us.login.public_key', /RSA/]],
  ['a private key for an environment', KEY, 'algorithms: [PS256]\n      public_key: { file: private.pem }', ['environments.us.login.public_key', /private key/]],
  ['a secret beside jwks_url', 'secret: { env: US }', 'secret: { env: US }\n      jwks_url: https://us.acme.com/jwks', ['environments.us.login.jwks_url', /stands beside secret/]],
  ['jwks_url on a private address', KEY, 'algorithms: [PS256]\n      jwks_url: https://10.0.0.1/jwks', ['environments.us.login.jwks_url', /private/]],
  ['jwks_url on loopback', KEY, 'algorithms: [PS256]\n      jwks_url: http://localhost:9/jwks', ['environments.us.login.jwks_url', /loopback/]],
  ['jwks_url on the metadata address, written oddly', KEY, 'algorithms: [PS256]\n      jwks_url: https://[::ffff:169.254.169.254]/', ['environments.us.login.jwks_url', /private/]],
  ['a portal without its secret', ', secret: { env: PORTAL }', '', ['portals.support.signing.secret', /missing/]],
  ['a portal’s secret for PS256', 'algorithm: HS256', 'algorithm: PS256', ['portals.support.signing.secret', /no shared secret/]],
  ['an algorithm that the preset does not list', '{ algorithm: HS256, secret: { env: PORTAL } }', '{ algorithm: RS256 }', ['portals.support.signing.algorithm', /PS256/]],
  ['an unfit private key', '{ algorithm: HS256, secret: { env: PORTAL } }', '{ algorithm: PS256, private_key: { file: public.pem } }', ['portals.support.signing.private_key', /no private key/]],
  ['unsolicited beside nonce: not_echoed', 'issuer: https://us', 'unsolicited: allowed\n      nonce: not_echoed\n      issuer: https://us', ['environments.us.login.unsolicited', /not_echoed/]],
  ['an unknown protocol', 'protocol: handoff', 'protocol: handof', ['environments.us.login.protocol', /handof/]],
  ['plain http', 'https://us.acme.com/sso', 'http://us.acme.com/sso', ['environments.us.login.url', /https/]],
  ['user info', 'app_url: https://us', 'app_url: https://me:pass@us', ['environments.us.app_url', /user name/]],
  ['empty user info', 'app_url: https://us', 'app_url: https://@us', ['environments.us.app_url', /user name/]],
  ['a fragment', 'https://us.acme.com/sso', '"https://us.acme.com/sso#x"', ['environments.us.login.url', /fragment/]],
  ['no URL', 'https://us.acme.com/sso', '//us.acme.com', ['environments.us.login.url', /absolute/]],
  ['a scheme of another kind', 'app_url: https://us.acme.com/', 'app_url: javascript://us.acme.com/', ['environments.us.app_url', /absolute/]],
  ['a backslash', 'https://us.acme.com/sso', 'https://us.acme.com\\sso', ['environments.us.login.url', /absolute/]],
  ['public_url with a path', 'https://login.acme.com', 'https://login.acme.com/x', ['public_url', /origin/]],
  ['login.url with the router’s parameter', 'https://us.acme.com/sso', 'https://us.acme.com/sso?redirect_uri=x', ['environments.us.login.url', /already holds/]],
  ['a return address with a query', 'login_path: /callback', 'allow_redirects: [https://a.test/?b]\n    login_path: /callback', ['portals.support.allow_redirects[0]', /query/]],
  ['one domain in two environments', '[acme.example]', '[ACME.com]', ['environments.us.may_assert.email_domains[0]', /several/], ['environments.eu.may_assert.email_domains[0]', /several/]],
  ['shared said by one of them only', '[acme.example]', '[acme.com], shared: true', ['environments.us.may_assert.email_domains[0]', /several/], ['environments.eu.may_assert.email_domains[0]', /several/]],
  ['public suffixes', '[acme.com]', '[com, co.uk, github.io, xn--55qx5d.cn]', ['environments.us.may_assert.email_domains[0]', /public suffix/], ['environments.us.may_assert.email_domains[1]', /public suffix/], ['environments.us.may_assert.email_domains[2]', /public suffix/], ['environments.us.may_assert.email_domains[3]', /public suffix/]],
  ['wildcards and other shapes', '[acme.com]', '["*.com", "*.acme.com", me@acme.com, any]', ['environments.us.may_assert.email_domains[0]', /must be a domain/], ['environments.us.may_assert.email_domains[1]', /must be a domain/], ['environments.us.may_assert.email_domains[2]', /must be a domain/], ['environments.us.may_assert.email_domains[3]', /must be a domain/]],
  ['a domain instead of a list', '[acme.com]', 'acme.com', ['environments.us.may_assert.email_domains', /list of domains/]],
  ['a protocol claim asserted', '[account_id]', '[sub, iss]', ['environments.us.may_assert.claims[1]', /protocol/]],
  ['a protocol claim set', 'app_url: https://us', 'sets: { email: a@acme.com }\n    app_url: https://us', ['environments.us.sets.email', /protocol/]],
  ['__proto__ as a claim', 'app_url: https://us', 'sets: { __proto__: x, constructor: y }\n    app_url: https://us', ['environments.us.sets.__proto__', /cannot be a key/], ['environments.us.sets.constructor', /cannot be the name/]],
  ['both account claims set', 'app_url: https://us', 'sets: { account_id: a, account_external_id: b }\n    app_url: https://us', ['environments.us.sets.account_external_id', /both/]],
  ['an account that YAML reads as a number', 'app_url: https://us', 'sets: { account_id: 0042 }\n    app_url: https://us', ['environments.us.sets.account_id', /text/]],
  ['the login path of another', '/logout\n', '/callback\n', ['portals.support.logout_path', /login_path of support/]],
  ['the address /return', '/callback', '/return', ['portals.support.login_path', /router itself/]],
  ['the address /return/us', '/callback', '/return/us', ['portals.support.login_path', /router itself/]],
  ['the address /enter/x', '/callback', '/enter/x', ['portals.support.login_path', /router itself/]],
  ['the address /logout/x', '/callback', '/logout/x', ['portals.support.login_path', /router itself/]],
  ['the address /.well-known/jwks.json', '/callback', '/.well-known/jwks.json', ['portals.support.login_path', /router itself/]],
  ['the address /oidc/jwks', '/callback', '/oidc/jwks', ['portals.support.login_path', /router itself/]],
  ['the address /api/x', '/callback', '/api/x', ['portals.support.login_path', /router itself/]],
  ['the address /backchannel-logout/us', '/callback', '/backchannel-logout/us', ['portals.support.login_path', /router itself/]],
  ['the path callback', '/callback', '"callback"', ['portals.support.login_path', /path|segment/]],
  ['the path /', '/callback', '"/"', ['portals.support.login_path', /path|segment/]],
  ['the path /a/', '/callback', '"/a/"', ['portals.support.login_path', /path|segment/]],
  ['the path //a', '/callback', '"//a"', ['portals.support.login_path', /path|segment/]],
  ['the path /a?b', '/callback', '"/a?b"', ['portals.support.login_path', /path|segment/]],
  ['the path /a%2fb', '/callback', '"/a%2fb"', ['portals.support.login_path', /path|segment/]],
  ['the path /../a', '/callback', '"/../a"', ['portals.support.login_path', /path|segment/]],
  ['the path /a/:b', '/callback', '"/a/:b"', ['portals.support.login_path', /path|segment/]],
  ['the path /a/*', '/callback', '"/a/*"', ['portals.support.login_path', /path|segment/]],
  ['a name of other characters', '  us:', '  U.S:', ['environments."U.S"', /must be a name/]],
  ['an unknown portal in a rule', '- by: hint', '- { by: rule, when: { portal: [suport] }, to: us }', ['discovery[0].when.portal[0]', /no portal "suport"/]],
  ['an unknown environment in a step', '- by: picker', '- { by: default, to: usa }', ['discovery[1].to', /no environment "usa"/]],
  ['a rule without a condition', '- by: hint', '- { by: rule, when: {}, to: us }', ['discovery[0].when', /at least one/]],
  ['a range that is none', '- by: hint', '- { by: rule, when: { client_ip: 10.0.0.0/33 }, to: us }', ['discovery[0].when.client_ip', /range/]],
  ['no step', '  - by: hint\n  - by: picker\n', '  []\n', ['discovery', /empty/]],
  ['an unknown preset', 'preset: pylon', 'preset: pilon', ['portals.support.preset', /no preset "pilon"/]],
  ['a preset file that is not there', 'preset: pylon', 'preset: ./own.yaml', ['portals.support.preset', /ENOENT/]],
  ['a mistyped setting', 'org_slug: acme', 'org_slg: acme', ['portals.support.settings.org_slg', /unknown setting/]],
  ['a setting of the wrong shape', 'org_slug: acme', 'org_slug: a/b', ['portals.support.settings.org_slug', /match/]],
  ['a setting that YAML reads as a number', 'org_slug: acme', 'org_slug: 12', ['portals.support.settings.org_slug', /expected text/]],
  ['no settings', '    settings: { org_slug: acme }\n', '', ['portals.support.settings.org_slug', /required/]],
  ['a token that lives too long', 'token_lifetime: 60s', 'token_lifetime: 10m', ['portals.support.token_lifetime', /300s/]],
  ['a delivery parameter of other characters', 'token_lifetime: 60s', 'delivery: { param: "a b" }', ['portals.support.delivery.param', /parameter name/]],
  ['a bare number as duration', 'portals:', 'login_lifetime: 600\nportals:', ['login_lifetime', /duration/]],
  ['a store of another kind', 'portals:', 'store: mysql://x\nportals:', ['store', /must be a store/]],
  ['a Redis address of several hosts', 'portals:', 'store: redis://a,b\nportals:', ['store', /one host/]],
  ['Sentinels without a master', 'portals:', 'store: redis+sentinel://a:26379\nportals:', ['store', /master/]],
  ['a database in a Cluster', 'portals:', 'store: redis+cluster://a:7000/1\nportals:', ['store', /but one/]],
  ['a database that is no number', 'portals:', 'store: rediss://a/x\nportals:', ['store', /number of a database/]],
  ['a Redis port above 65535', 'portals:', 'store: redis://a:70000\nportals:', ['store', /hosts and ports/]],
  ['a mistyped word of a Redis store', 'portals:', 'store: { redis: "redis://a", pasword: { env: US } }\nportals:', ['store.pasword', /unknown key/]],
  ['a Redis password written out', 'portals:', 'store: { redis: "redis://a", password: secret }\nportals:', ['store.password', /must be \{ env/]],
  ['a Redis password in two places', 'portals:', 'store: { redis: "redis://:p@a" }\nportals:', ['store.redis', /user or a password/]],
  ['a Redis password that is another secret', 'portals:', 'store: { redis: "redis://a", password: { env: US } }\nportals:', ['environments.us.login.secret', /same secret as store.password/]],
  ['another kind of store under redis', 'portals:', 'store: { redis: "memory:" }\nportals:', ['store.redis', /Redis address/]],
  ['an address without a port', 'portals:', 'listen: 0.0.0.0\nportals:', ['listen', /host:port/]],
  ['logout.then: portal without home_url', 'portals:', 'logout: { then: portal }\nportals:', ['portals.support.home_url', /missing/]],
  ['a mistyped section is one fault', 'environments:', 'enviroments:', ['enviroments', /unknown key/]],
  ['a mistyped required key is one fault', 'public_url', 'pubic_url', ['pubic_url', /unknown key/]],
];

for (const [heading, rows] of [
  ['case 33', CASE_33],
  ['refused', RULES],
] as const) {
  for (const [title, from, to, ...faults] of rows) {
    t.test(`${heading}: ${title}`, async (t) => {
      const outcome = checkText(goodWith([from, to]), { files: FILES });
      const problems = refused(outcome).filter(({ severity }) => severity === 'fault');
      t.strictSame(problems.map(({ path }) => path).toSorted(), faults.map(([path]) => path).toSorted());
      for (const [path, reason] of faults) t.match(problems.find((problem) => problem.path === path)?.message, reason);
      const repeated = Object.values(VARIABLES).filter((value) => JSON.stringify(outcome).includes(value));
      t.strictSame(repeated, [], 'no secret is repeated');
    });
  }
}

type Change = readonly [title: string, ...changes: readonly (readonly [from: string, to: string])[]];

// biome-ignore format: a table
const ACCEPTED: readonly Change[] = [
  ['one domain, where both say shared', ['[acme.com]', '[acme.com], shared: true'], ['[acme.example]', '[acme.com], shared: true']],
  ['any domain, where the word stands', ['[acme.com]', 'any']],
  ['plain http on loopback', ['https://us.acme.com/sso', 'http://us.localhost:3000/sso'], ['app_url: https://us.acme.com/', 'app_url: http://[::1]:3000/']],
  ['plain http under insecure_development', ['portals:', 'insecure_development: true\nportals:'], ['https://us.acme.com/sso', 'http://us.acme.com/sso']],
  ['a private jwks_url that is allowed', [KEY, 'algorithms: [PS256]\n      allow_private: true\n      jwks_url: http://127.0.0.1:9/jwks']],
  ['a public key in a file', [KEY, 'algorithms: [RS256, PS512]\n      public_key: { file: public.pem }']],
  ['a portal with a key of the router’s own', ['{ algorithm: HS256, secret: { env: PORTAL } }', '{ algorithm: PS256 }']],
  ['a portal with its private key', ['{ algorithm: HS256, secret: { env: PORTAL } }', '{ algorithm: PS384, private_key: { file: private.pem } }']],
  ['an anchor for what is the same', ['claims: [account_id] }\n  eu', 'claims: &claims [account_id] }\n  eu'], ['[acme.example], claims: [account_id]', '[acme.example], claims: *claims']],
];

for (const [title, ...changes] of ACCEPTED) {
  t.test(`accepted: ${title}`, async (t) => {
    t.strictSame(faultsOf(checkText(goodWith(...changes), { files: FILES })), []);
  });
}
