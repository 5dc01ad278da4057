/**
 * HelpCenter.io to the letter, with the built-in preset and one portal for both of its ways: the redirect with
 * `subdomain` and `key`, and the widget, whose tokens are traded for. Its answers are those of the demo's stand-in, which
 * judges by the rules and the reasons of its article (examples/demo/help-center-token.ts).
 */
import { decodeJwt } from 'jose';
import t from 'tap';
import { freshTo, type HelpCenterSettings, judgeAtHelpCenter } from '../../../examples/demo/help-center-token.ts';
import { checkExpected } from '../../../src/portals/check-expected.ts';
import { checkSettings } from '../../../src/portals/check-settings.ts';
import { builtInPreset } from '../../../src/portals/load.ts';
import { denied } from '../../support/denied.ts';
import { notTraded, trade, traded } from '../../support/exchange.ts';
import { leaksOf } from '../../support/leaks.ts';
import {
  changedRoutes,
  comeBack,
  environmentToken,
  ISSUER,
  openWorld,
  readyToReturn,
  SECRETS,
} from '../../support/world.ts';

const MORE = {
  // 64 characters of base64, as its settings page makes them; the text itself is the key.
  HELPCENTER_SECRET: 'Y2FuYXJ5LWhlbHBjZW50ZXItc2VjcmV0LTAxMjM0NTY3ODktMDEyMzQ1Njc4OQ==',
  WIKI_SECRET: 'Y2FuYXJ5LXdpa2ktaGVscGNlbnRlci1zZWNyZXQtMDEyMzQ1Njc4OS0wMTIzNDU2Nzg5',
};
const AUDIENCE = 'acme-help';
const AT_HELPCENTER: HelpCenterSettings = { secret: MORE.HELPCENTER_SECRET, issuer: ISSUER, audience: AUDIENCE };

const preset = builtInPreset('helpcenter_io');
if (!preset) throw new Error('the preset is missing');

const world = await openWorld(t, {
  variables: MORE,
  routes: changedRoutes(({ portals, environments }) => {
    const help = (secret: string, settings: object) => ({
      preset: 'helpcenter_io',
      settings: { subdomain: 'acme', ...settings },
      signing: { algorithm: 'HS256', secret: { env: secret } },
    });
    portals.help = { ...help('HELPCENTER_SECRET', { issuer: ISSUER, audience: AUDIENCE }), login_path: '/help' };
    portals.wiki = { ...help('WIKI_SECRET', { site: 'https://help.acme.test' }), login_path: '/wiki' };
    const { us, eu } = environments;
    if (us) us.may_assert = { email_domains: 'any', claims: ['name', 'role', 'external_id'], grants: ['role'] };
    if (eu) eu.may_assert = { email_domains: 'any', claims: ['name', 'role', 'external_id'] };
  }),
});
const browser = world.browser();
const PERSON = { claims: { name: 'Ada Fields', external_id: '7', role: 'admin' } };
const seen = new Map<string, string>();

/** What it says to a token that `owner` shows. */
const judge = (token: string, owner: string) =>
  judgeAtHelpCenter(token, AT_HELPCENTER, freshTo(owner, seen), world.now);

const tokenIn = (location: string) => new URL(location).searchParams.get('jwt') ?? '';

t.test('the redirect: the key comes back as jti, at the pinned host, and is accepted once', async (t) => {
  const start = '/help?subdomain=acme&key=8b2f.1795%2Fx%3D&env=us';
  const { location, status } = await comeBack(world, browser, 'us', PERSON, start);
  t.equal(status, 302);
  t.match(location, /^https:\/\/acme\.helpcenter\.io\/sso\/jwt\?jwt=[^&]+$/);
  const token = tokenIn(location);
  t.strictSame(decodeJwt(token), {
    jti: '8b2f.1795/x=',
    iss: ISSUER,
    aud: AUDIENCE,
    iat: world.now,
    exp: world.now + 120,
    email: 'ada@acme.test',
    name: 'Ada Fields',
    external_id: '7',
    role: 'admin',
  });
  t.match(await judge(token, 'a browser'), { accepted: true });
  t.match(await judge(token, 'a thief'), { reason: 'jwt_replayed' });
});

t.test('rights need a grant: the same person of an environment without one is a viewer', async (t) => {
  const { location } = await comeBack(world, browser, 'eu', PERSON, '/help?subdomain=acme&key=k2&env=eu');
  t.match(decodeJwt(tokenIn(location)), { jti: 'k2', role: 'viewer', name: 'Ada Fields' });
});

t.test('a domain of its own is the operator’s setting, never the request’s', async (t) => {
  const { location } = await comeBack(world, browser, 'us', PERSON, '/wiki?subdomain=acme&key=k3&env=us');
  t.match(location, /^https:\/\/help\.acme\.test\/sso\/jwt\?jwt=/);
  t.equal(decodeJwt(tokenIn(location)).aud, undefined, 'without an audience in the form none is sent');
  for (const [query, reason] of [
    ['subdomain=evil.test/%23&key=k', 'request_parameter_mismatch'],
    ['subdomain=globex&key=k', 'request_parameter_mismatch'],
    ['subdomain=acme', 'request_parameter_missing'],
    ['key=k', 'request_parameter_missing'],
    ['subdomain=acme&key=k&subdomain=evil', 'request_parameter_duplicated'],
    ['subdomain=acme&key=k&site=https://evil.test', undefined],
  ] as const) {
    if (reason) await denied(t, world, query, reason, () => browser.get(`/wiki?${query}`));
    else t.equal((await browser.get(`/wiki?${query}&env=us`)).status, 302, 'what the preset does not know is ignored');
  }
});

t.test('the widget: the same portal, a jti of its own each time', async (t) => {
  const ask = async (environment: 'us' | 'eu') => {
    const subject = await environmentToken(environment, world.now, undefined, PERSON);
    const answer = await trade(browser, subject, { audience: 'help', origin: `https://${environment}.acme.test` });
    return traded(t, answer).jwt;
  };
  const tokens = await Promise.all(Array.from({ length: 20 }, () => ask('us')));
  const ids = tokens.map((token) => decodeJwt(token).jti);
  t.equal(new Set(ids).size, tokens.length);
  for (const id of ids) t.match(id, /^[0-9a-f-]{36}$/);
  for (const [index, token] of tokens.entries()) t.match(await judge(token, `tab ${index}`), { accepted: true });
  t.match(decodeJwt(await ask('eu')), { role: 'viewer', aud: AUDIENCE });
});

t.test('each of its required claims is missed by name before anything leaves', async (t) => {
  for (const claims of [{}, { name: '' }, { name: ' ' }]) {
    const subject = await environmentToken('us', world.now, undefined, { claims });
    await notTraded(t, world, JSON.stringify(claims), 'jwt_missing_required_claim', () =>
      trade(browser, subject, { audience: 'help' }),
    );
    const back = await readyToReturn(world, browser, 'us', { claims }, '/help?subdomain=acme&key=k9&env=us');
    await denied(t, world, JSON.stringify(claims), 'jwt_missing_required_claim', () => browser.get(back));
  }
});

t.test('a link in an app has no key, so it ends nowhere', async (t) => {
  await denied(t, world, '/enter', 'request_parameter_missing', () => browser.get('/enter/us/help'));
});

t.test('an issuer that stands there otherwise is found when the routes are checked', (t) => {
  const messages = (issuer: string) =>
    checkExpected(preset, { subdomain: 'acme', issuer }, 'https://login.acme.test').map(({ message }) => message);
  t.same(messages('https://login.acme.test/'), []);
  t.same(messages(''), [], 'not compared there');
  t.match(messages('https://login.acme.test'), [
    /"https:\/\/login\.acme\.test\/".*expects "https:\/\/login\.acme\.test"/,
  ]);
  t.end();
});

t.test('settings: the subdomain alone is enough, and none of them makes another address', (t) => {
  const faults = (settings: Record<string, string>) =>
    checkSettings(preset, { settings, allowRedirects: [], tokenLifetime: 120 }).map(({ path }) => path.join('.'));
  t.same(faults({ subdomain: 'acme' }), []);
  t.same(faults({}), ['settings.subdomain'], 'one fault, not one for each address that is made of it');
  for (const subdomain of ['acme.evil', 'acme/', 'Acme', '-acme', 'a@b', 'evil.test/#', ''])
    t.same(faults({ subdomain }), ['settings.subdomain'], subdomain);
  t.same(faults({ subdomain: 'acme', site: 'http://help.acme.test' }), ['settings.site']);
  t.same(faults({ subdomain: 'acme', site: 'https://help.acme.test/?x' }), ['settings.site']);
  t.same(
    checkSettings(preset, { settings: { subdomain: 'acme' }, allowRedirects: [], tokenLifetime: 301 }).length,
    1,
    'no longer than the widget’s TTL',
  );
  t.end();
});

t.test('nothing of it was anywhere else', (t) => {
  t.same(leaksOf(world), []);
  t.equal(world.lines.join('').includes(SECRETS.PORTAL_SECRET), false);
  t.end();
});
