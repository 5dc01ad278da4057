/** Routes that change while logins are under way: case 34. */
import t, { type Test } from 'tap';
import type { Reason } from '../../src/core/reason.ts';
import { denied } from '../support/denied.ts';
import {
  changedRoutes,
  comeBack,
  departure,
  LOGIN,
  ROUTES,
  type RoutesTree,
  readyToReturn,
  SECRETS,
  type World,
} from '../support/world.ts';
import { openAttackWorld, searchForLeaks } from './attack-world.ts';

/** Reloads with the routes changed, does the work, and puts the usual ones back. */
async function while_(t: Test, world: World, change: (routes: RoutesTree) => void, work: () => Promise<unknown>) {
  t.equal(await world.running.reload(changedRoutes(change)), true, 'the new routes are right');
  await work();
  t.equal(await world.running.reload(ROUTES), true);
}

const CHANGES: readonly (readonly [what: string, change: (routes: RoutesTree) => void, reason: Reason])[] = [
  ['disabled', ({ environments: { us } }) => Object.assign(us ?? {}, { disabled: true }), 'environment_disabled'],
  [
    'removed',
    ({ environments }) => {
      delete environments.us;
    },
    'address_unknown',
  ],
  [
    'taken out of the portal’s list',
    ({ portals: { support } }) => Object.assign(support ?? {}, { environments: ['eu', 'globex'] }),
    'environment_not_offered',
  ],
  [
    'given another secret',
    ({ environments: { us } }) => Object.assign(us?.login ?? {}, { secret: { env: 'OTHER' } }),
    'jwt_invalid_signature',
  ],
  [
    'believed about other people only',
    ({ environments: { us } }) => Object.assign(us ?? {}, { may_assert: { email_domains: ['other.test'] } }),
    'email_domain_not_allowed',
  ],
];

const options = { variables: { OTHER: 'canary-other-handoff-secret-0123456789abcdef0123456789abcdef012' } };

t.test('case 34: a login that is under way is refused when its environment may not come in any more', async (t) => {
  const world = await openAttackWorld(t, options);
  for (const [what, change, reason] of CHANGES) {
    const browser = world.browser();
    const address = await readyToReturn(world, browser, 'us');
    await while_(t, world, change, async () => {
      const seen = await denied(t, world, what, reason, () => browser.get(address));
      t.equal(seen.headers['set-cookie'], undefined, 'no visit is recorded');
      t.equal((await comeBack(world, world.browser(), 'eu')).status, 302, 'others sign in');
    });
    t.equal((await browser.get(address)).status, 302, 'and nothing was used up');
  }
});

t.test('case 34: nor is a new one begun, by a link, a hint, a memory or a choice', async (t) => {
  const world = await openAttackWorld(t, options);
  const remembers = world.browser();
  await comeBack(world, remembers, 'us');
  for (const [what, change, reason] of CHANGES.slice(0, 3)) {
    await while_(t, world, change, async () => {
      await denied(t, world, `${what}: a link`, reason, () => world.browser().get('/enter/us/support'));
      for (const address of [`${LOGIN}&env=us`, `${LOGIN}&choose=us`, LOGIN]) {
        const seen = await remembers.copy().get(address);
        t.match(seen, { status: 200, location: '' }, `${what}: asked instead`);
        t.notMatch(seen.body, /choose=us/, `${what}: it is not offered`);
      }
      const source = await world.browser().get(LOGIN, { headers: { referer: 'https://us.acme.test/help' } });
      t.equal(source.status, 200);
    });
  }
  t.equal(departure(await remembers.get(LOGIN)).to.host, 'us.acme.test', 'it comes back when the routes do');
});

t.test(
  'case 34: a portal that is removed, and one whose tenant changed, take no login that is under way',
  async (t) => {
    const world = await openAttackWorld(t, options);
    const another = ({ portals }: RoutesTree) => {
      portals.other = { ...portals.support, login_path: '/other', logout_path: '/other/logout' };
      delete portals.support;
    };
    const browser = world.browser();
    const address = await readyToReturn(world, browser, 'us');
    await while_(t, world, another, () => denied(t, world, 'removed', 'portal_unknown', () => browser.get(address)));
    const tenant = ({ portals: { support } }: RoutesTree) =>
      Object.assign(support ?? {}, { settings: { org_slug: 'other' } });
    await while_(t, world, tenant, () =>
      denied(t, world, 'another tenant', 'redirect_uri_wrong_tenant', () => browser.get(address)),
    );
    t.notOk(Object.values(SECRETS).some((secret) => address.includes(secret)));
  },
);

searchForLeaks(t);
