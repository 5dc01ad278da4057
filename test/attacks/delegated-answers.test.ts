/** What environments of every protocol send back works once, in its time, and for who means it: cases 16, 29, 34, 37. */
import { join } from 'node:path';
import t from 'tap';
import type { Reason } from '../../src/core/reason.ts';
import type { Seen } from '../support/browser.ts';
import { alive, denied } from '../support/denied.ts';
import { changedRoutes, LOGIN, portalToken, type RoutesTree, temporaryFolder } from '../support/world.ts';
import { searchForLeaks } from './attack-world.ts';
import { base64, NAMES, openFourWorld, PAIRS, type SamlParts, samlResponse } from './every-protocol.ts';
import { LOOKS } from './looks.ts';

const AT_ONCE = 100;

const succeeded = ({ status, location }: Seen): boolean =>
  (status === 302 || status === 303) && portalToken({ location }) !== '';

for (const store of ['memory:', 'sqlite:']) {
  t.test(
    `case 16: of ${AT_ONCE} identical answers at once, one succeeds, whatever the protocol (${store})`,
    async (t) => {
      const world = await openFourWorld(
        t,
        store === 'sqlite:' ? { sqlite: join(temporaryFolder(t), 'wayhome.db') } : {},
      );
      for (const name of NAMES) {
        const browser = world.browser();
        const back = await world.answer(await world.leave(browser, name));
        const before = world.lines.length;
        const seen = await Promise.all(Array.from({ length: AT_ONCE }, () => world.bring(browser.copy(), back)));
        t.equal(seen.filter(succeeded).length, 1, `${name}: exactly one success`);
        t.equal(seen.filter(({ status }) => status === 410).length, AT_ONCE - 1, `${name}: and every other is refused`);
        const events = world.events().slice(before);
        t.equal(events.length, AT_ONCE);
        t.equal(events.filter(({ reason }) => reason === 'login_already_used').length, AT_ONCE - 1);
      }
      await alive(t, world);
    },
  );
}

t.test('an answer that was used is refused for as long as its login could be, in a restored browser too', async (t) => {
  const world = await openFourWorld(t);
  for (const name of NAMES) {
    const browser = world.browser();
    const back = await world.answer(await world.leave(browser, name));
    const before = browser.copy();
    t.ok(succeeded(await world.bring(browser, back)), name);
    await denied(t, world, `${name}: again`, 'login_already_used', () => world.bring(browser, back));
    const { now } = world;
    for (const seconds of [0, 60, 599, 601]) {
      world.now = now + seconds;
      const { status, location } = await world.bring(before.copy(), back);
      t.ok((status === 410 || status === 401) && location === '', `${name}: restored, ${seconds} s later`);
    }
    world.now = now;
  }
});

t.test(
  'case 29: a SAML response for another login, address, audience or environment, and one that was used',
  async (t) => {
    const world = await openFourWorld(t);
    const [name, other] = PAIRS.saml;
    const address = (of: string) => `https://login.acme.test/return/${of}`;
    const browser = world.browser();
    const elsewhere = await world.leave(browser, other);
    const later = await world.leave(browser, name);
    const rows: readonly (readonly [what: string, parts: Partial<SamlParts>, reason: Reason])[] = [
      ['InResponseTo of another environment’s login', { inResponseTo: elsewhere.bond }, 'saml_in_response_to_mismatch'],
      ['InResponseTo of another login', { inResponseTo: later.bond }, 'saml_in_response_to_mismatch'],
      ['InResponseTo of nobody', { inResponseTo: '_0123456789012345678901' }, 'saml_in_response_to_mismatch'],
      ['another environment’s Recipient', { recipient: address(other) }, 'saml_recipient_mismatch'],
      ['Recipient with a slash', { recipient: `${address(name)}/` }, 'saml_recipient_mismatch'],
      ['another environment’s Destination', { destination: address(other) }, 'saml_destination_mismatch'],
      ['another environment’s Audience', { entity: `${address(other)}/metadata` }, 'saml_audience_mismatch'],
      ['the portal’s Audience', { entity: 'https://portal.usepylon.com' }, 'saml_audience_mismatch'],
      ['another environment’s Issuer', { from: other, signedBy: name }, 'saml_issuer_mismatch'],
      ['another environment’s signature', { signedBy: other }, 'saml_signature_invalid'],
      ['ten minutes old', { now: world.now - 600 }, 'saml_too_old'],
      ['61 s ahead', { now: world.now + 61 }, 'saml_not_yet_valid'],
    ];
    const left = await world.leave(browser, name);
    const bring = (parts: Partial<SamlParts>, relayState = left.state, as = browser) => {
      const xml = samlResponse({ to: name, inResponseTo: left.bond, now: world.now, ...parts });
      const fields = { RelayState: relayState, SAMLResponse: base64(xml) };
      return world.bring(as, { name, fields, posted: true });
    };
    for (const [what, parts, reason] of rows) {
      await denied(t, world, what, reason, () => bring(parts));
    }
    await denied(t, world, 'another environment’s RelayState', 'state_invalid', () => bring({}, elsewhere.state));
    await denied(t, world, 'no RelayState', 'state_missing', () => bring({}, ''));
    await denied(t, world, 'a RelayState of nobody', 'login_not_from_this_browser', () => bring({}, '0123456789'));

    t.ok(succeeded(await bring({ id: '_one-assertion' })), 'the right one');
    await denied(t, world, 'another response to the same login', 'login_already_used', () => bring({ id: '_another' }));
    const again = world.browser();
    const { state, bond } = await world.leave(again, name);
    await denied(t, world, 'the same assertion for another login', 'jwt_replayed', () =>
      bring({ id: '_one-assertion', inResponseTo: bond }, state, again),
    );
    t.ok(succeeded(await bring({ inResponseTo: bond }, state, again)), 'which was not used up');
    await alive(t, world);
  },
);

const CHANGES: readonly (readonly [
  what: string,
  change: (routes: RoutesTree, name: string) => void,
  reason: Reason,
])[] = [
  [
    'disabled',
    ({ environments }, name) => Object.assign(environments[name] ?? {}, { disabled: true }),
    'environment_disabled',
  ],
  [
    'closed',
    ({ environments }, name) => Object.assign(environments[name] ?? {}, { until: '2020-01-01T00:00:00Z' }),
    'environment_closed',
  ],
  [
    'removed',
    ({ environments }, name) => {
      delete environments[name];
    },
    'address_unknown',
  ],
  [
    'taken out of the portal’s list',
    ({ portals: { support } }, name) =>
      Object.assign(support ?? {}, { environments: NAMES.filter((other) => other !== name) }),
    'environment_not_offered',
  ],
  [
    'believed about other people only',
    ({ environments }, name) =>
      Object.assign(environments[name] ?? {}, { may_assert: { email_domains: ['other.test'] } }),
    'email_domain_not_allowed',
  ],
];

t.test('case 34: a login under way is refused when its environment may not come in any more', async (t) => {
  const world = await openFourWorld(t);
  for (const name of NAMES) {
    for (const [what, change, reason] of CHANGES) {
      const browser = world.browser();
      const back = await world.answer(await world.leave(browser, name));
      const changed = changedRoutes((routes) => change(routes, name), world.routes);
      t.equal(await world.running.reload(changed), true);
      const codes = world.codes.length;
      await denied(t, world, `${name}: ${what}`, reason, () => world.bring(browser, back));
      if (reason !== 'email_domain_not_allowed') t.equal(world.codes.length, codes, 'nobody was asked');
      t.equal(await world.running.reload(world.routes), true);
      t.ok(succeeded(await world.bring(browser, back)), 'nothing was used up');
    }
  }
});

t.test('case 37: looking at what an environment sends back uses nothing up', async (t) => {
  const world = await openFourWorld(t);
  const browser = world.browser();
  const looksAt = async (what: string, address: string, headers: Readonly<Record<string, string>> = {}) => {
    const jar = JSON.stringify([...browser.jar]);
    const [lines, codes] = [world.lines.length, world.codes.length];
    for (const [look, send] of Object.entries(LOOKS)) {
      const seen = await browser.send(address, { ...send, headers: { ...send.headers, ...headers } });
      const { status, location, body } = seen;
      t.same({ status, location, body }, { status: 204, location: '', body: '' }, `${what}: ${look}`);
    }
    t.equal(JSON.stringify([...browser.jar]), jar, `${what}: the browser holds what it held`);
    t.same([world.lines.length, world.codes.length], [lines, codes], `${what}: nothing was written or asked`);
  };
  for (const name of NAMES) {
    const back = await world.answer(await world.leave(browser, name));
    await looksAt(name, `/return/${name}?${new URLSearchParams(back.fields)}`);
    t.ok(succeeded(await world.bring(browser, back)), `${name}: the real return`);
  }

  await browser.get('/logout');
  const provider = world.browser();
  t.ok(succeeded(await world.bring(provider, await world.answer(await world.leave(provider, 'oidc-a')))));
  const { location } = await provider.get('/logout');
  const back = `/return/oidc-a/logout?state=${new URL(location).searchParams.get('state')}`;
  await looksAt('the way back of a sign-out', back);
  t.equal((await provider.get(back)).location, 'https://oidc-a.acme.test/', 'the real one');

  const behind = { host: 'behind.login.acme.test' };
  const entrance = (await browser.get(`${LOGIN}&env=behind`)).location;
  t.match(entrance, /^https:\/\/behind\.login\.acme\.test\/\.wayhome\/login\?/);
  const { pathname, search } = new URL(entrance);
  for (const [look, send] of Object.entries(LOOKS)) {
    if (send.method === 'OPTIONS') continue;
    const seen = await browser.send(pathname + search, { ...send, headers: { ...send.headers, ...behind } });
    t.match(seen, { status: 204, location: '' }, `the entrance of a proxied host: ${look}`);
    t.equal(seen.headers['set-cookie'], undefined);
  }
  const real = await world.browser().get(pathname + search, { headers: behind });
  t.match(real, { status: 302, location: /^\/sso/ });
  t.match(real.headers['set-cookie'], [/^__Host-wayhome-caught=/]);
});

searchForLeaks(t);
