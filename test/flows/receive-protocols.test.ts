/**
 * The word that a person signed out, in the mouth of real providers: oidc-provider’s logout token, SAML’s
 * LogoutRequest.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { decodeJwt } from 'jose';
import t, { type Test } from 'tap';
import { selfSigned } from '../config/self-signed.ts';
import { serve } from '../outbound/servers.ts';
import type { Browser } from '../support/browser.ts';
import { openProvider } from '../support/oidc-provider.ts';
import {
  assertionXml,
  at,
  attribute,
  audience,
  bearer,
  messageXml,
  responseXml,
  signed,
} from '../support/saml/responses.ts';
import { changedRoutes, comeBack, LOGIN, ORIGIN, openWorld, temporaryFolder, type World } from '../support/world.ts';

const completed = (world: World) =>
  world
    .events()
    .filter(({ event }) => event === 'logout.completed')
    .map(({ reason, environment, detail }) => [reason, environment, detail]);

/** Forwards to an address that is known only later; what came is kept. */
async function openForwarder(t: Test) {
  const posts: { readonly path: string; readonly token: string; readonly status: number }[] = [];
  let to = '';
  let changed = () => {};
  const { url } = await serve(t, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { status } = await fetch(`${to}${request.url}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', connection: 'close' },
      body,
    });
    posts.push({ path: request.url ?? '', token: new URLSearchParams(body).get('logout_token') ?? '', status });
    response.writeHead(status).end();
    changed();
  });
  return {
    url,
    posts,
    lead: (address: string) => {
      to = address;
    },
    async arrived(count: number) {
      while (posts.length < count) await new Promise<void>((resolve) => (changed = resolve));
    },
  };
}

t.test('oidc-provider sends its own logout tokens, and is told by ours in turn', async (t) => {
  const forwarder = await openForwarder(t);
  const provider = await openProvider({
    clients: [
      {
        client_id: 'wayhome',
        client_secret: 'a secret of router and provider',
        redirect_uris: [`${ORIGIN}/return/globex`],
        post_logout_redirect_uris: [`${ORIGIN}/return/globex/logout`],
        backchannel_logout_uri: `${forwarder.url}backchannel-logout/globex`,
        backchannel_logout_session_required: true,
      },
    ],
    accounts: { kim: { email: 'kim@globex.example', email_verified: true } },
  });
  t.teardown(() => provider.close());
  const told: string[] = [];
  let arrived = () => {};
  const app = await serve(t, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    told.push(new URLSearchParams(body).get('logout_token') ?? '');
    response.end();
    arrived();
  });
  const routes = changedRoutes((tree) => {
    Object.assign(tree.environments.globex ?? {}, {
      login: {
        protocol: 'oidc',
        issuer: provider.issuer,
        client_id: 'wayhome',
        client_secret: { env: 'GLOBEX_CLIENT_SECRET' },
        allow_private: true,
      },
      logout: { receive: 'back_channel' },
    });
    Object.assign(tree.environments.eu ?? {}, { logout: { back: { url: app.url } } });
    Object.assign(tree.environments.eu?.login ?? {}, { allow_private: true });
    // biome-ignore lint/suspicious/noThenProperty: the file’s word; this is never awaited
    tree.logout = { then: 'app', fan_out: 'visited' };
  });
  const variables = { GLOBEX_CLIENT_SECRET: 'a secret of router and provider' };
  const world = await openWorld(t, { routes, variables });
  forwarder.lead(world.running.localUrl);

  const person = provider.person();
  const [browser, other] = [world.browser(), world.browser()];
  const signInAtGlobex = async (browser: Browser, who = person) => {
    const { location } = await browser.get(`${LOGIN}&env=globex`);
    const { params } = await who.go(location);
    const back = await browser.get(`/return/globex?${new URLSearchParams([...params])}`);
    t.match(back.location, /access_token=/);
  };
  await signInAtGlobex(browser);
  await comeBack(world, browser, 'eu', { claims: { sub: 'kim at eu' } });
  await signInAtGlobex(other, provider.person());
  world.now = Math.max(world.now, Math.floor(Date.now() / 1000));

  const end = `${provider.issuer}/session/end?client_id=wayhome&post_logout_redirect_uri=${encodeURIComponent(`${ORIGIN}/return/globex/logout`)}`;
  await person.go(end);
  await forwarder.arrived(1);
  t.match(forwarder.posts, [{ path: '/backchannel-logout/globex', status: 200 }], 'it takes 200 for a yes');
  t.ok(decodeJwt(forwarder.posts[0]?.token ?? '').sid, 'of this session');
  t.same(completed(world), [['ended_by_environment', 'globex', 'visits: 1']], 'and not of the person’s other browser');
  while (told.length === 0) await new Promise<void>((resolve) => (arrived = resolve));
  t.equal(decodeJwt(told[0] ?? '').sub, 'kim at eu');

  await signInAtGlobex(browser);
  const { location } = await browser.get('/logout');
  const leg = new URL(location);
  t.equal(`${leg.origin}${leg.pathname}`, `${provider.issuer}/session/end`, 'a sign-out here goes through it');
  const { params } = await person.go(location);
  await forwarder.arrived(2);
  const last = await browser.get(`/return/globex/logout?${new URLSearchParams([...params])}`);
  t.equal(last.location, 'https://acme.globex.example/', 'which holds up nobody by telling us what we said');
  t.equal(forwarder.posts[1]?.status, 200);
});

const KEYS = selfSigned();
const OURS = selfSigned();
const IDP = 'https://idp.acme.test/metadata';
const SAML = `${ORIGIN}/return/saml`;

async function openSamlWorld(t: Test, receive = true) {
  const folder = temporaryFolder(t);
  for (const [name, text] of [
    ['idp.pem', KEYS.certificate],
    ['our.pem', OURS.certificate],
    ['our.key', OURS.key],
  ] as const)
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  const routes = changedRoutes((tree) => {
    tree.environments.saml = {
      app_url: 'https://saml.acme.test/',
      may_assert: { email_domains: 'any' },
      login: {
        protocol: 'saml',
        issuer: IDP,
        sso_url: 'https://idp.acme.test/sso',
        slo_url: 'https://idp.acme.test/slo',
        certificates: [{ file: 'idp.pem' }],
        private_key: { file: 'our.key' },
        certificate: { file: 'our.pem' },
      },
      ...(receive && { logout: { receive: 'single_logout' } }),
    };
  });
  return openWorld(t, { routes, file: join(folder, 'routes.yaml') });
}

async function signInBySaml(world: World, browser: Browser, index: string): Promise<void> {
  const { searchParams } = new URL((await browser.get(`${LOGIN}&env=saml`)).location);
  const request = inflateRawSync(Buffer.from(searchParams.get('SAMLRequest') ?? '', 'base64')).toString();
  const inResponseTo = /\sID="([^"]+)"/.exec(request)?.[1] ?? '';
  const [id, until] = [`_${randomUUID()}`, at(world.now + 120)];
  const assertion = assertionXml({
    id,
    issueInstant: at(world.now),
    issuer: `<saml:Issuer>${IDP}</saml:Issuer>`,
    nameId: '<saml:NameID>ada-7</saml:NameID>',
    confirmation: bearer({ Recipient: SAML, InResponseTo: inResponseTo, NotOnOrAfter: until }),
    conditions: `NotBefore="${at(world.now)}" NotOnOrAfter="${until}"`,
    audience: audience(`${SAML}/metadata`),
    authn: `<saml:AuthnStatement AuthnInstant="${at(world.now)}" SessionIndex="${index}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`,
    attributes: `<saml:AttributeStatement>${attribute('email', 'ada@acme.test')}</saml:AttributeStatement>`,
  });
  const heading = {
    ID: `_${randomUUID()}`,
    IssueInstant: at(world.now),
    Destination: SAML,
    InResponseTo: inResponseTo,
  };
  const xml = responseXml(signed(assertion, id, { keys: KEYS }), heading, { issuer: IDP });
  const fields = {
    SAMLResponse: Buffer.from(xml).toString('base64'),
    RelayState: searchParams.get('RelayState') ?? '',
  };
  const seen = await browser.post('/return/saml', fields, { cookies: 'cross_site_post' });
  t.match(seen.location, /access_token=/);
}

/** The provider's request, posted by the person's browser: a form of another site, so no visit comes along. */
async function requestLogout(world: World, browser: Browser, index?: string) {
  const heading = { ID: `_${randomUUID()}`, IssueInstant: at(world.now), Destination: `${SAML}/logout` };
  const who = `<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">ada-7</saml:NameID>`;
  const sessions = index === undefined ? '' : `<samlp:SessionIndex>${index}</samlp:SessionIndex>`;
  const xml = signed(messageXml('LogoutRequest', heading, IDP, `${who}${sessions}`), heading.ID, { keys: KEYS });
  const fields = { SAMLRequest: Buffer.from(xml).toString('base64') };
  const seen = await browser.post('/return/saml/logout', fields, { cookies: 'cross_site_post' });
  const answer = new URL(seen.location).searchParams.get('SAMLResponse') ?? '';
  return inflateRawSync(Buffer.from(answer, 'base64')).toString();
}

t.test('a LogoutRequest ends the visits of its sessions in every browser, and is answered', async (t) => {
  const world = await openSamlWorld(t);
  const [one, two] = [world.browser(), world.browser()];
  await signInBySaml(world, one, 'session-1');
  await signInBySaml(world, two, 'session-2');
  world.now += 1;
  t.match(await requestLogout(world, one, 'session-1'), /status:Success/);
  t.match(await requestLogout(world, one), /status:Success/, 'all sessions');
  t.match(await requestLogout(world, two), /status:Success/, 'none is left');
  t.same(completed(world), [
    ['ended_by_environment', 'saml', 'visits: 1'],
    ['ended_by_environment', 'saml', 'visits: 1'],
    ['ended_by_environment', 'saml', 'visits: 0'],
  ]);

  const without = await openSamlWorld(t, false);
  const browser = without.browser();
  await signInBySaml(without, browser, 'session-1');
  without.now += 1;
  await requestLogout(without, browser);
  t.same(
    completed(without),
    [['ended_by_environment', 'saml', 'visits: 0']],
    'nothing is recorded unless the file says so',
  );
});
