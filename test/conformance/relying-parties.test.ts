/** Relying parties of other people's making sign people in through the router: openid-client, mod_auth_openidc. */
import { setImmediate as tick } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { choosePorts, type Ports } from '../../examples/demo/ports.ts';
import { apacheCallback, apacheGone, openApache } from '../provider/mod-auth-openidc.ts';
import { clientPortalWords, openClientPortal } from '../provider/openid-client-portal.ts';
import { openTraveller } from '../provider/traveller.ts';
import type { Seen } from '../support/browser.ts';
import { counterparts, without } from '../support/counterparts.ts';
import { changedRoutes, LOGIN, openWorld, type RoutesTree, type World } from '../support/world.ts';

const VARIABLES = {
  HELP_SECRET: 'canary-help-client-secret-0123456789abcdef',
  WIKI_SECRET: 'canary-wiki-client-secret-0123456789abcdef',
} as const;

/** `help` is the portal by openid-client, `wiki` the one by Apache; `support` is that of the usual world. */
function routesAt(ports: Ports, change: (routes: RoutesTree) => void): string {
  return changedRoutes((routes) => {
    Object.assign(routes, { public_url: `http://127.0.0.1:${ports.router}`, listen: `127.0.0.1:${ports.router}` });
    const words = { scopes: ['openid', 'email', 'profile', 'offline_access'], allow_private: true };
    const wiki = apacheCallback(ports.us);
    Object.assign(routes.portals, {
      help: {
        oidc: {
          client_id: 'help',
          client_secret: { env: 'HELP_SECRET' },
          ...clientPortalWords(ports.portal),
          ...words,
        },
      },
      wiki: {
        oidc: {
          client_id: 'wiki',
          client_secret: { env: 'WIKI_SECRET' },
          redirect_uris: [wiki],
          post_logout_redirect_uris: [apacheGone(ports.us)],
          backchannel_logout_uri: `${wiki}?logout=backchannel`,
          frontchannel_logout_uri: `${wiki}?logout=get`,
          ...words,
        },
      },
    });
    change(routes);
  });
}

async function openParties(t: Test, change: (routes: RoutesTree) => void = () => {}) {
  const ports = await choosePorts('free');
  const world = await openWorld(t, { routes: routesAt(ports, change), variables: VARIABLES });
  const help = await openClientPortal(t, {
    port: ports.portal,
    issuer: `${world.running.publicUrl}/`,
    clientId: 'help',
    clientSecret: VARIABLES.HELP_SECRET,
  });
  return { world, ports, help };
}

/** The relying parties that took the router's word from the outbox, once there are so many, or else after 5 s. */
async function toldAt(world: World, count: number): Promise<string[]> {
  const told = () =>
    world.events().flatMap(({ reason, portal }) => (reason === 'notice_delivered' ? [String(portal)] : []));
  for (const end = Date.now() + 5_000; told().length < count && Date.now() < end; ) await tick();
  return told().sort();
}

t.test('openid-client: in, refreshed, out, and told', async (t) => {
  const { world, help } = await openParties(t);
  const traveller = openTraveller(world, { name: 'Ada' });
  t.match((await traveller.go(`${help.origin}/login?domain_hint=us`)).body, 'Signed in as ada@acme.test');
  t.match((await traveller.go(`${help.origin}/refresh`)).body, 'Refreshed 1 times');
  t.match((await traveller.go(`${help.origin}/refresh`)).body, 'Refreshed 2 times', 'by the second refresh token');
  t.match((await traveller.go(`${help.origin}/login?prompt=none`)).body, 'Signed in as ada@acme.test');
  const end = await traveller.go(`${help.origin}/logout`);
  t.equal(end.at.href, `${help.origin}/signed-out?state=bye`);
  t.same(help.people(), []);
  t.match((await traveller.go(`${help.origin}/login?prompt=none`)).body, 'Refused: login_required');
  t.same(await toldAt(world, 1), ['help']);
  t.same(help.told.toSorted(), ['back', 'front']);
});

t.test('mod_auth_openidc', { skip: without(counterparts.modAuthOpenidc) }, async (t) => {
  await t.test('signs in, reads claims, refreshes, signs out', async (t) => {
    const { world, apache } = await openBoth(t);
    const traveller = openTraveller(world, { name: 'Ada' });
    const own = traveller.at(apache.origin);
    const first = await traveller.go(apache.page);
    t.equal(first.at.href, apache.page);
    t.equal(first.headers['x-person'], 'ada@acme.test');
    const info = async () =>
      JSON.parse((await own.get(`${apache.callback}?info=json`)).body) as Record<string, unknown>;
    const before = await info();
    t.match(before.id_token, { iss: `${world.running.publicUrl}/`, aud: 'wiki', email_verified: true, sid: String });
    t.match(before.userinfo, { email: 'ada@acme.test', name: 'Ada' });

    const query = new URLSearchParams({ refresh: apache.page, access_token: String(before.access_token) });
    const refreshed = await traveller.go(`${apache.callback}?${query}`);
    t.equal(refreshed.at.href, apache.page, 'it would say error_code here');
    const after = await info();
    t.not(after.access_token, before.access_token);
    t.not(after.refresh_token, before.refresh_token);

    const kept = own.copy();
    const gone = apacheGone(Number(new URL(apache.origin).port));
    const end = await traveller.go(`${apache.callback}?logout=${encodeURIComponent(gone)}`);
    t.equal(end.at.href, gone);
    t.ok(isAsked(await kept.get(apache.page)), 'its session is gone, not its cookie alone');
    t.same(await toldAt(world, 1), ['wiki']);
    t.ok(world.events().some(({ event, portal }) => event === 'logout.completed' && portal === 'wiki'));
  });

  const doors: readonly (readonly [what: string, leave: (parties: Both) => string])[] = [
    ['another portal’s logout URL', ({ world }) => `${world.running.publicUrl}/logout`],
    ['another relying party’s sign-out', ({ help }) => `${help.origin}/logout`],
  ];
  for (const channel of ['backchannel', 'frontchannel'] as const) {
    for (const [what, leave] of doors) {
      await t.test(`is told on the ${channel} of a sign-out by ${what}`, async (t) => {
        const parties = await openBoth(t, ({ portals }) => {
          const other = channel === 'backchannel' ? 'frontchannel_logout_uri' : 'backchannel_logout_uri';
          for (const { oidc } of Object.values(portals)) delete (oidc as Record<string, unknown> | undefined)?.[other];
        });
        const { world, apache, help } = parties;
        const traveller = openTraveller(world);
        await traveller.go(apache.page);
        await traveller.go(`${help.origin}/login?domain_hint=us`);
        await traveller.go(`${world.running.publicUrl}${LOGIN}&env=us`);
        t.notOk(isAsked(await traveller.at(apache.origin).get(apache.page)));
        t.equal(help.people().length, 1);

        await traveller.go(leave(parties));
        const onBack = channel === 'backchannel';
        t.same(await toldAt(world, onBack ? 2 : 0), onBack ? ['help', 'wiki'] : []);
        t.ok(isAsked(await traveller.at(apache.origin).get(apache.page)));
        t.same(help.people(), []);
        t.same(help.told, [onBack ? 'back' : 'front']);
      });
    }
  }
});

type Both = Awaited<ReturnType<typeof openBoth>>;

async function openBoth(t: Test, change: (routes: RoutesTree) => void = () => {}) {
  const opened = await openParties(t, change);
  const apache = await openApache(t, {
    port: opened.ports.us,
    issuer: `${opened.world.running.publicUrl}/`,
    clientId: 'wiki',
    clientSecret: VARIABLES.WIKI_SECRET,
    hint: 'domain_hint=us',
  });
  return { ...opened, apache: { ...apache, page: `${apache.origin}/secure/index.html` } };
}

/** Whether somebody has to sign in first. */
const isAsked = ({ location }: Seen): boolean => location.includes('/oidc/auth?');
