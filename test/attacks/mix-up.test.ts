/** An answer belongs to the browser, the login and the environment that it was asked of: cases 12 to 15, every protocol. */
import t from 'tap';
import type { Reason } from '../../src/core/reason.ts';
import { alive, denied } from '../support/denied.ts';
import { portalToken } from '../support/world.ts';
import { searchForLeaks } from './attack-world.ts';
import { type Back, type Left, NAMES, openFourWorld, PAIRS, PROTOCOLS, type Protocol } from './every-protocol.ts';

const world = await openFourWorld(t);
const LOGIN_COOKIE = '__Host-wayhome-login.';

/** The part of a state that names the login. */
const referenceOf = ({ state }: Left): string => state.slice(0, 10);

const token = ({ status, location }: { status: number; location: string }): string =>
  status === 302 || status === 303 ? portalToken({ location }) : '';

t.test('every environment signs people in', async (t) => {
  for (const name of NAMES) {
    const browser = world.browser();
    const back = await world.answer(await world.leave(browser, name));
    t.not(token(await world.bring(browser, back)), '', name);
  }
});

t.test('case 12: an answer that another browser asked for is refused, form posts included', async (t) => {
  for (const name of NAMES) {
    const attacker = world.browser();
    const back = await world.answer(await world.leave(attacker, name));
    await denied(t, world, `${name}: a clean browser`, 'login_not_from_this_browser', () =>
      world.bring(world.browser(), back),
    );
    const busy = world.browser();
    await world.leave(busy, name);
    await denied(t, world, `${name}: one with a login of its own`, 'login_not_from_this_browser', () =>
      world.bring(busy, back),
    );
    await denied(t, world, `${name}: the other way of sending it`, 'login_not_from_this_browser', () =>
      world.bring(world.browser(), { ...back, posted: !back.posted }),
    );
    t.not(token(await world.bring(attacker, back)), '', `${name}: nothing was used up`);
  }
  await alive(t, world);
});

t.test('case 13: a login cookie opens its own login only', async (t) => {
  for (const name of NAMES) {
    const [attacker, victim] = [world.browser(), world.browser()];
    const theirs = await world.leave(attacker, name);
    const own = await world.leave(victim, name);
    const cookie = victim.jar.get(LOGIN_COOKIE + referenceOf(own));
    t.ok(cookie);
    if (cookie) victim.jar.set(LOGIN_COOKIE + referenceOf(theirs), cookie);
    const back = await world.answer(theirs);
    await denied(t, world, `${name}: the victim’s cookie under the attacker’s name`, 'state_invalid', () =>
      world.bring(victim, back),
    );
    if (own.stateParam === 'RelayState') continue;
    const mixed = `${referenceOf(own)}.${theirs.state.slice(11)}`;
    await denied(t, world, `${name}: the attacker’s state under the victim’s name`, 'state_invalid', async () =>
      world.bring(victim, await world.answer({ ...theirs, state: mixed })),
    );
  }
});

t.test('case 13: two logins of one browser do not take each other’s answers', async (t) => {
  const reasons = {
    handoff: 'jwt_nonce_mismatch',
    oidc: 'jwt_nonce_mismatch',
    saml: 'saml_in_response_to_mismatch',
  } as const satisfies Partial<Record<string, Reason>>;
  for (const protocol of ['handoff', 'oidc', 'saml'] as const) {
    for (const name of PAIRS[protocol]) {
      const browser = world.browser();
      const [one, two] = [await world.leave(browser, name), await world.leave(browser, name)];
      await denied(t, world, `${name}: one’s state, two’s answer`, reasons[protocol], async () =>
        world.bring(browser, await world.answer({ ...one, bond: two.bond })),
      );
      for (const left of [two, one]) t.not(token(await world.bring(browser, await world.answer(left))), '', name);
    }
  }
});

t.test('case 14: no environment’s state is taken at another’s return address, whoever answers', async (t) => {
  for (const from of NAMES) {
    const browser = world.browser();
    const left = await world.leave(browser, from);
    for (const to of NAMES.filter((name) => name !== from)) {
      const { stateParam } = await world.leave(world.browser(), to);
      for (const as of new Set([from, to])) {
        const back = await world.answer({ ...left, name: to, stateParam }, as);
        await denied(t, world, `${from}’s login at ${to}, answered by ${as}`, 'state_invalid', () =>
          world.bring(browser, back),
        );
      }
    }
    t.not(token(await world.bring(browser, await world.answer(left))), '', `${from}: nothing was used up`);
  }
});

t.test('case 14: an environment cannot answer a login that left for another one of its protocol', async (t) => {
  const reasons = {
    handoff: 'jwt_invalid_signature',
    oidc: 'jwt_issuer_mismatch',
    saml: 'saml_issuer_mismatch',
  } as const;
  for (const protocol of ['handoff', 'oidc', 'saml'] as const) {
    const [one, two] = PAIRS[protocol];
    for (const [name, as] of [
      [one, two],
      [two, one],
    ] as const) {
      const browser = world.browser();
      const left = await world.leave(browser, name);
      const before = world.codes.length;
      await denied(t, world, `${name}, answered by ${as}`, reasons[protocol], async () =>
        world.bring(browser, await world.answer(left, as)),
      );
      t.equal(world.codes.length, before, 'no code was traded');
      t.not(token(await world.bring(browser, await world.answer(left))), '', 'nothing was used up');
    }
  }
});

t.test('case 15: a code goes to no token endpoint unless `iss` is the provider’s own, byte for byte', async (t) => {
  for (const name of PAIRS.oidc) {
    const browser = world.browser();
    const left = await world.leave(browser, name);
    const back = await world.answer(left);
    const { iss = '', ...without } = back.fields;
    const other = (await world.answer(left, name === 'oidc-a' ? 'oidc-b' : 'oidc-a')).fields.iss ?? '';
    const rows: readonly (readonly [what: string, fields: Back['fields'], reason: Reason])[] = [
      ['absent', without, 'iss_parameter_missing'],
      ['absent, with an error', { [left.stateParam]: left.state, error: 'access_denied' }, 'iss_parameter_missing'],
      ['empty', { ...without, iss: '' }, 'jwt_issuer_mismatch'],
      ['the other provider’s', { ...without, iss: other }, 'jwt_issuer_mismatch'],
      ['with a slash', { ...without, iss: `${iss}/` }, 'jwt_issuer_mismatch'],
      ['with a space', { ...without, iss: `${iss} ` }, 'jwt_issuer_mismatch'],
      ['in capitals', { ...without, iss: iss.toUpperCase() }, 'jwt_issuer_mismatch'],
      ['encoded once more', { ...without, iss: encodeURIComponent(iss) }, 'jwt_issuer_mismatch'],
      ['with dot segments', { ...without, iss: iss.replace(`/${name}`, `/./${name}`) }, 'jwt_issuer_mismatch'],
      ['as localhost', { ...without, iss: iss.replace('127.0.0.1', 'localhost') }, 'jwt_issuer_mismatch'],
      ['by https', { ...without, iss: iss.replace('http:', 'https:') }, 'jwt_issuer_mismatch'],
    ];
    const before = world.codes.length;
    for (const [what, fields, reason] of rows) {
      await denied(t, world, `${name}: ${what}`, reason, () => world.bring(browser, { ...back, fields }));
    }
    await denied(t, world, `${name}: twice`, 'request_parameter_duplicated', () =>
      browser.get(`/return/${name}?${new URLSearchParams(back.fields)}&iss=${encodeURIComponent(other)}`),
    );
    t.equal(world.codes.length, before, 'no token endpoint heard of any code');
    t.not(token(await world.bring(browser, back)), '', 'and the right answer is taken');
    t.same(world.codes.slice(before), [{ name, code: left.bond }], 'by the provider that it is of');
  }
});

t.test(
  'the mix-up attack of RFC 9700 §4.4: a code that the honest provider made never reaches the attacker',
  async (t) => {
    const [honest, attacker] = PAIRS.oidc;
    const victim = world.browser();
    // The attacker’s authorization endpoint sends the browser on to the honest provider, as a request of its own client.
    const toAttacker = await world.leave(victim, attacker);
    const stolen = await world.answer({ ...toAttacker, name: honest, bond: 'a-code-of-the-honest-provider' });
    const before = world.codes.length;
    await denied(t, world, 'at the honest provider’s address', 'state_invalid', () => world.bring(victim, stolen));
    await denied(t, world, 'at the attacker’s address', 'jwt_issuer_mismatch', () =>
      world.bring(victim, { ...stolen, name: attacker }),
    );
    t.equal(world.codes.length, before, 'nobody was sent the code');
    await alive(t, world);
  },
);

t.test('no protocol takes another one’s answer', async (t) => {
  const reasons: Readonly<Record<Protocol, Reason>> = {
    handoff: 'jwt_malformed',
    oidc: 'iss_parameter_missing',
    saml: 'saml_malformed',
    // Whatever came along: who has no session there is nobody.
    session: 'login_required',
  };
  for (const protocol of PROTOCOLS) {
    for (const other of PROTOCOLS.filter((one) => one !== protocol)) {
      const [name] = PAIRS[protocol];
      const browser = world.browser();
      const left = await world.leave(browser, name);
      const { fields } = await world.answer(left, PAIRS[other][0]);
      await denied(t, world, `${protocol} with an answer of ${other}`, reasons[protocol], () =>
        browser.post(`/return/${name}`, fields),
      );
    }
  }
});

searchForLeaks(t);
