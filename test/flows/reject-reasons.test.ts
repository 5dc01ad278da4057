/**
 * HelpCenter.io's ten reasons for a no (source document 004, step 6), each provoked through a running router: by what an
 * environment did wrong, by what the router would have sent wrong and did not send, and at a stand-in of HelpCenter.io
 * whose settings and the router's disagree.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { openHelpCenter } from '../../examples/demo/help-center.ts';
import type { HelpCenterReason, HelpCenterSettings } from '../../examples/demo/help-center-token.ts';
import { choosePorts } from '../../examples/demo/ports.ts';
import type { Reason } from '../../src/core/reason.ts';
import { alive, denied } from '../support/denied.ts';
import { notTraded, trade } from '../support/exchange.ts';
import { leaksOf } from '../support/leaks.ts';
import {
  changedRoutes,
  comeBack,
  departure,
  environmentToken,
  ISSUER,
  ORIGIN,
  openWorld,
  SECRETS,
  type TokenParts,
  temporaryFolder,
} from '../support/world.ts';

const TEN = [
  'jwt_invalid_signature',
  'jwt_missing_required_claim',
  'jwt_expired',
  'jwt_iat_in_future',
  'jwt_too_old',
  'jwt_issuer_mismatch',
  'jwt_audience_mismatch',
  'jwt_replayed',
  'sso_not_configured',
  'user_banned',
] as const satisfies readonly (Reason & HelpCenterReason)[];

const MORE = {
  HELPCENTER_SECRET: 'canary-helpcenter-secret-0123456789-0123456789-0123456789-0123456',
  OWN_SECRET: 'canary-own-helpcenter-secret-0123456789-0123456789-0123456789-012',
};

/**
 * A preset file of somebody who knows better: the built-in one, but every claim is what an environment says, a name is
 * not insisted on, and the key gives way to another claim.
 */
function ownPreset(): string {
  const builtIn = new URL('../../src/portals/presets/helpcenter_io.yaml', import.meta.url);
  const preset = parse(readFileSync(builtIn, 'utf8'));
  const { claims } = preset.token;
  Object.assign(claims, {
    other_id: { from: 'user.other_id' },
    jti: { from: 'request.key' },
    iss: { from: 'user.app', default: 'app.acme.test', required: true },
    aud: { from: 'user.site', default: 'docs' },
    iat: { from: 'user.issued', type: 'number' },
    exp: { from: 'user.expires', type: 'number' },
    name: { from: 'user.name' },
  });
  preset.token.expects = { iss: 'app.acme.test', aud: 'docs' };
  preset.token.at_most_one = [['other_id', 'jti']];
  return stringify(preset);
}

const folder = temporaryFolder(t);
writeFileSync(join(folder, 'own.yaml'), ownPreset());
const { helpCenter: port } = await choosePorts('free');
const site = `http://127.0.0.1:${port}`;

const world = await openWorld(t, {
  file: join(folder, 'routes.yaml'),
  variables: MORE,
  routes: changedRoutes(({ portals, environments }) => {
    const help = { preset: 'helpcenter_io', login_path: '/help', settings: { subdomain: 'acme', site } };
    portals.help = { ...help, signing: { algorithm: 'HS256', secret: { env: 'HELPCENTER_SECRET' } } };
    portals.own = {
      ...help,
      preset: './own.yaml',
      login_path: '/own',
      signing: { algorithm: 'HS256', secret: { env: 'OWN_SECRET' } },
    };
    const claims = ['name', 'app', 'site', 'issued', 'expires', 'other_id'];
    Object.assign(environments.us ?? {}, { may_assert: { email_domains: 'any', claims } });
  }),
});

const SECRETLESS = changedRoutes(({ portals }) => {
  portals.help = {
    preset: 'helpcenter_io',
    login_path: '/help',
    settings: { subdomain: 'acme' },
    signing: { algorithm: 'HS256', secret: { env: 'HELPCENTER_SECRET' } },
  };
});

/** What its owner has set up, and how far its clock is ahead. */
let settings: HelpCenterSettings = {};
let ahead = 0;
const helpCenter = await openHelpCenter({
  port,
  subdomain: 'acme',
  loginUrl: `${ORIGIN}/help`,
  logoutUrl: `${ORIGIN}/help/logout`,
  settings: () => settings,
  now: () => world.now + ahead,
});
t.teardown(() => helpCenter.close());

/** The help center's own redirect to the router, with a key that it waits for. */
async function asked(portal: 'help' | 'own'): Promise<string> {
  const { headers } = await fetch(`${site}/`, { redirect: 'manual' });
  const { searchParams } = new URL(headers.get('location') ?? '');
  return `/${portal}?${searchParams}&env=us`;
}

const named = (claims: Record<string, unknown> = {}): TokenParts => ({ claims: { name: 'Ada Fields', ...claims } });
const login = async (portal: 'help' | 'own', parts: TokenParts = named()) =>
  comeBack(world, world.browser(), 'us', parts, await asked(portal));

t.test('by what an environment did wrong: its answer is refused, on a page and in the log', async (t) => {
  const { now } = world;
  const jti = 'used-before';
  t.equal((await login('help', named({ jti }))).status, 302);
  const rows: readonly (readonly [Reason, TokenParts])[] = [
    ['jwt_invalid_signature', { ...named(), secret: SECRETS.EU_SECRET }],
    ...['jti', 'iss', 'iat', 'exp', 'email', 'name'].map(
      (name) => ['jwt_missing_required_claim', named({ [name]: undefined })] as const,
    ),
    ['jwt_missing_required_claim', named({ name: '  ' })],
    ['jwt_missing_required_claim', named({ email: '' })],
    ['jwt_expired', named({ iat: now - 120, exp: now - 60 })],
    ['jwt_iat_in_future', named({ iat: now + 61, exp: now + 121 })],
    ['jwt_too_old', named({ iat: now - 361, exp: now + 1 })],
    ['jwt_issuer_mismatch', named({ iss: 'app.yourcompany.com' })],
    ['jwt_audience_mismatch', named({ aud: 'https://acme.helpcenter.io' })],
    ['jwt_replayed', named({ jti })],
  ];
  for (const [reason, parts] of rows) await denied(t, world, reason, reason, () => login('help', parts));
  // An app that has suspended the person signs nothing; it says so, and the router repeats it to nobody.
  const browser = world.browser();
  const { redirectUri } = departure(await browser.get(await asked('help')));
  const banned = () => browser.get(`${redirectUri}&error=user_banned`);
  await denied(t, world, 'user_banned', 'user_banned', banned);
  // Nothing can be signed for a portal that is not in the routes; one without its secret never gets into them.
  const token = await environmentToken('us', now, undefined, named());
  const forNobody = () => trade(browser, token, { audience: 'wiki' });
  await notTraded(t, world, 'sso_not_configured', 'sso_not_configured', forNobody, 'invalid_target');
  await t.rejects(openWorld(t, { routes: SECRETLESS }), /HELPCENTER_SECRET/);

  t.same(new Set([...rows.map(([reason]) => reason), 'user_banned', 'sso_not_configured']), new Set(TEN));
  await alive(t, world);
});

t.test('by what HelpCenter.io would refuse: such a token does not leave, and the login is not used up', async (t) => {
  const { now } = world;
  const rows: readonly (readonly [Reason, 'help' | 'own', Record<string, unknown>])[] = [
    ['jwt_missing_required_claim', 'help', { name: undefined }],
    ['jwt_expired', 'own', { expires: now }],
    ['jwt_iat_in_future', 'own', { issued: now + 1 }],
    ['jwt_too_old', 'own', { issued: now - 301, expires: now + 60 }],
    ['jwt_issuer_mismatch', 'own', { app: 'app.yourcompany.com' }],
    ['jwt_audience_mismatch', 'own', { site: 'another' }],
    ['jwt_replayed', 'own', { other_id: '7' }],
  ];
  const right = { issued: now, expires: now + 60 };
  for (const [reason, portal, claims] of rows) {
    const browser = world.browser();
    const start = await asked(portal);
    const parts = named({ ...right, ...claims });
    await denied(t, world, reason, reason, () => comeBack(world, browser, 'us', parts, start));
  }
  t.equal((await login('own', named(right))).status, 302, 'and without the fault it leaves');
  const left = rows.map(([reason]) => reason);
  const others = TEN.filter((reason) => !(left as readonly string[]).includes(reason));
  t.same(others, ['jwt_invalid_signature', 'sso_not_configured', 'user_banned'], 'what nobody but the portal can tell');

  const browser = world.browser();
  const { redirectUri, nonce } = departure(await browser.get(await asked('help')));
  const answer = async (claims: Record<string, unknown>) =>
    browser.get(`${redirectUri}&access_token=${await environmentToken('us', now, nonce, { claims })}`);
  await denied(t, world, 'without a name', 'jwt_missing_required_claim', () => answer({}));
  t.equal((await answer({ name: 'Ada Fields' })).status, 302, 'nothing was used up by it');
});

t.test('at HelpCenter.io, where its settings and the router’s disagree: its page and its log say so', async (t) => {
  const right: HelpCenterSettings = { secret: MORE.HELPCENTER_SECRET, issuer: ISSUER };
  const own: HelpCenterSettings = { secret: MORE.OWN_SECRET };
  const decoded = Buffer.from(MORE.HELPCENTER_SECRET, 'base64').toString('latin1');
  const lifetime = 120;
  const rows: readonly (readonly [HelpCenterReason | 'ok', HelpCenterSettings, number, ('help' | 'own')?])[] = [
    ['ok', right, 0],
    ['ok', right, lifetime + 30],
    ['ok', right, -30],
    ['jwt_invalid_signature', { ...right, secret: decoded }, 0],
    ['jwt_missing_required_claim', own, 0, 'own'],
    ['jwt_expired', right, lifetime + 31],
    ['jwt_iat_in_future', right, -31],
    ['jwt_too_old', { ...right, ttl: 60 }, 61],
    ['jwt_issuer_mismatch', { ...right, issuer: ORIGIN }, 0],
    ['jwt_audience_mismatch', { ...right, audience: 'https://acme.helpcenter.io' }, 0],
    ['sso_not_configured', {}, 0],
    ['user_banned', { ...right, suspended: ['ada@acme.test'] }, 0],
  ];
  const deliver = async (location: string) => {
    const answer = await fetch(location, { redirect: 'manual' });
    return { status: answer.status, body: await answer.text(), event: helpCenter.events.at(-1) };
  };
  for (const [reason, its, clock, portal = 'help'] of rows) {
    settings = its;
    ahead = clock;
    const claims = { issued: world.now, expires: world.now + lifetime };
    const { location } = await login(portal, portal === 'own' ? { claims } : named());
    t.match(location, `${site}/sso/jwt?jwt=`);
    const said = await deliver(location);
    if (reason === 'ok') t.match(said, { status: 303, event: 'sso.redirect_flow.accepted' }, `clock ${clock}`);
    else t.match(said, { status: 401, body: `<strong>${reason}</strong>`, event: `rejected ${reason}` }, reason);
  }

  settings = right;
  ahead = 0;
  const { location } = await login('help');
  t.equal((await deliver(location)).status, 303);
  t.match(await deliver(location), { status: 401, event: 'sso.redirect_flow.rejected jwt_replayed' }, 'its jti again');
  const start = await asked('help');
  const once = await comeBack(world, world.browser(), 'us', named(), start);
  t.match(await deliver(once.location), { status: 303 }, 'a key’s first login');
  const again = await comeBack(world, world.browser(), 'us', named(), start);
  t.equal(again.status, 410, 'the back button: another login with the same key is not sent to be refused');
  t.equal(again.location, '');
  t.match(world.events().at(-1), { event: 'login.refused', reason: 'login_already_used', portal: 'help' });
  t.same(new Set([...rows.slice(3).map(([reason]) => reason), 'jwt_replayed']), new Set(TEN));
});

t.test('case 39: no secret and no token was anywhere else', (t) => {
  t.same(leaksOf(world), []);
  t.end();
});
