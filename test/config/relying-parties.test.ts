/** Portals with `oidc`: what a routes file may say of them, and what comes of it. */
import t from 'tap';
import type { PortalName } from '../../src/core/names.ts';
import { accepted, checkText, faultsOf, GOOD, VARIABLES } from './routes-text.ts';

const SECRET = 'client-secret-0123456789-0123456789';
const WIKI = 'client_id: wiki, client_secret: { env: WIKI }, redirect_uris: ["https://wiki.acme.com/cb"]';
const PUBLIC = 'client_id: wiki, client_auth: none, redirect_uris: ["https://wiki.acme.com/cb"]';

/** The good file with a portal `wiki`: its `oidc`, and what stands beside that. */
const check = (oidc: string, beside = '', text = GOOD) =>
  checkText(text.replace('portals:\n', `portals:\n  wiki: { oidc: { ${oidc} }${beside} }\n`), {
    variables: { WIKI: SECRET, SPACED: `${SECRET} `, FEW: SECRET.slice(0, 31) },
  });

type Row = readonly [title: string, oidc: string, beside: string, ...faults: readonly (readonly [string, RegExp])[]];

// biome-ignore format: a table
const FAULTS: readonly Row[] = [
  ['a mistyped key', `${WIKI}, redirect_uri: x`, '', ['oidc.redirect_uri', /unknown key/]],
  ['no client_id', WIKI.replace('client_id: wiki, ', ''), '', ['oidc.client_id', /missing/]],
  ['a client_id with a space', WIKI.replace('wiki', 'w iki'), '', ['oidc.client_id', /client id/]],
  ['no return address', PUBLIC.replace(/, redirect.*/, ''), '', ['oidc.redirect_uris', /missing/]],
  ['an empty list of them', PUBLIC.replace(/\[.*\]/, '[]'), '', ['oidc.redirect_uris', /empty/]],
  ['plain http', WIKI.replace('https', 'http'), '', ['oidc.redirect_uris[0]', /https/]],
  ['a fragment', WIKI.replace('/cb', '/cb#x'), '', ['oidc.redirect_uris[0]', /fragment/]],
  ['user info', WIKI.replace('wiki.acme', 'a@wiki.acme'), '', ['oidc.redirect_uris[0]', /user name/]],
  ['a scheme of its own', WIKI.replace('https://wiki.acme.com', 'app:'), '', ['oidc.redirect_uris[0]', /absolute URL/]],
  ['a return address with our parameters', WIKI.replace('/cb', '/cb?state=x'), '', ['oidc.redirect_uris[0]', /already holds/]],
  ['a page after sign-outs with our parameter', `${WIKI}, post_logout_redirect_uris: ["https://wiki.acme.com/?state=1"]`, '', ['oidc.post_logout_redirect_uris[0]', /already holds/]],
  ['a frame with our parameter', `${WIKI}, frontchannel_logout_uri: "https://wiki.acme.com/?sid=1"`, '', ['oidc.frontchannel_logout_uri', /already holds/]],
  ['a back channel in the router’s own network', `${WIKI}, backchannel_logout_uri: "https://10.0.0.1/"`, '', ['oidc.backchannel_logout_uri', /private/]],
  ['no secret', WIKI.replace('client_secret: { env: WIKI }, ', ''), '', ['oidc.client_secret', /missing/]],
  ['a secret of a client that keeps none', `${PUBLIC}, client_secret: { env: WIKI }`, '', ['oidc.client_secret', /public client/]],
  ['a secret in the file', WIKI.replace('{ env: WIKI }', SECRET), '', ['oidc.client_secret', /must be \{ env/]],
  ['a short secret', WIKI.replace('env: WIKI', 'env: FEW'), '', ['oidc.client_secret', /31 characters/]],
  ['a secret with a space', WIKI.replace('env: WIKI', 'env: SPACED'), '', ['oidc.client_secret', /spaces/]],
  ['an unknown method', `${WIKI}, client_auth: private_key_jwt`, '', ['oidc.client_auth', /private_key_jwt/]],
  ['HMAC for id_tokens', `${WIKI}, algorithm: HS256`, '', ['oidc.algorithm', /HS256/]],
  ['none for id_tokens', `${WIKI}, algorithm: none`, '', ['oidc.algorithm', /none/]],
  ['an unknown scope', `${WIKI}, scopes: [openid, groups]`, '', ['oidc.scopes[1]', /groups/]],
  ['scopes without openid', `${WIKI}, scopes: [email]`, '', ['oidc.scopes', /openid/]],
  ['words of a preset', WIKI, ', login_path: /wiki, token_lifetime: 60s', ['login_path', /no meaning/], ['token_lifetime', /no meaning/]],
  ['an environment that is not there', WIKI, ', environments: [mars]', ['environments[0]', /mars/]],
];

t.test('what is wrong with a relying party is said, each with its place', async (t) => {
  for (const [title, oidc, beside, ...faults] of FAULTS) {
    const found = faultsOf(check(oidc, beside));
    t.equal(found.length, faults.length, `${title}: ${found.join(' | ')}`);
    for (const [index, [path, reason]] of faults.entries()) {
      t.ok(found[index]?.startsWith(`portals.wiki.${path}: `), `${title}: ${found[index]}`);
      t.match(found[index], reason, title);
    }
  }
});

t.test('a secret has one purpose', async (t) => {
  for (const [variable, owner] of [
    ['US', 'environments.us.login.secret'],
    ['PORTAL', 'portals.support.signing.secret'],
  ] as const)
    t.same(faultsOf(check(WIKI.replace('env: WIKI', `env: ${variable}`))), [
      `${owner}: the same secret as portals.wiki.oidc.client_secret`,
    ]);
});

t.test('a portal is one or the other', async (t) => {
  const neither = checkText(GOOD.replace('portals:\n', 'portals:\n  wiki: { title: Wiki }\n'));
  t.same(
    faultsOf(neither),
    ['preset', 'login_path', 'signing'].map((word) => `portals.wiki.${word}: required, and missing`),
  );
});

t.test('two portals are two clients', async (t) => {
  const two = GOOD.replace('portals:\n', `portals:\n  docs: { oidc: { ${PUBLIC} } }\n`);
  t.match(faultsOf(check(PUBLIC, '', two)), [/^portals\.docs\.oidc\.client_id: is the client_id of wiki already$/]);
});

t.test('what is not said has a default', async (t) => {
  const { routes } = accepted(check(WIKI));
  const { party, portal } = routes.relyingParties.get('wiki' as PortalName) ?? {};
  t.match(party, {
    clientId: 'wiki',
    clientSecret: SECRET,
    clientAuth: 'client_secret_basic',
    postLogoutRedirectUris: [],
    scopes: ['openid', 'email', 'profile'],
    algorithm: 'RS256',
  });
  t.same([...(portal?.environments ?? [])], ['us', 'eu']);
  t.notOk(VARIABLES.WIKI);
});
