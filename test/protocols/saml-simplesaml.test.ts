import t from 'tap';
import type { EnvironmentName } from '../../src/core/names.ts';
import type { StateMaker } from '../../src/protocols/delegate.ts';
import { parseIdpMetadata } from '../../src/protocols/saml/idp-metadata.ts';
import { openSaml } from '../../src/protocols/saml/saml.ts';
import type { SamlBinding, SamlSettings } from '../../src/protocols/saml/settings.ts';
import { selfSigned } from '../config/self-signed.ts';
import { reasonOf } from '../keys/tokens.ts';
import { counterparts, without } from '../support/counterparts.ts';
import { openPerson } from '../support/saml/person.ts';
import { pairOf } from '../support/saml/responses.ts';
import { openSimpleSaml, type SimpleSaml } from '../support/saml/simplesaml.ts';

const BROWSER = { cookies: () => [] };
const NONCE = 'q83vEjRWeJCrze8SNFZ4kA';
const ACCOUNTS = { ada: { uid: 'ada', mail: 'ada@globex.test', displayName: 'Ada & “Lovelace”' } };
const signing = pairOf(selfSigned());
const decryption = pairOf(selfSigned());
/** SimpleSAMLphp has the real time. */
const present = (): number => Math.floor(Date.now() / 1000);

function stateMaker(): StateMaker & { carried(): string } {
  let carried = '';
  const shortState = (carry = '') => {
    carried = carry;
    return '0123456789';
  };
  return { shortState, state: shortState, carried: () => carried };
}

/** An environment whose provider is described by its own metadata, and knows us by ours. */
async function openEnvironment(
  idp: SimpleSaml,
  name: string,
  binding: SamlBinding,
  changes: Partial<SamlSettings> = {},
) {
  const parsed = parseIdpMetadata(await idp.metadata(), present());
  if (!parsed.ok) throw new Error(parsed.message);
  const { provider } = parsed;
  const delegate = openSaml({
    environment: name as EnvironmentName,
    publicOrigin: 'https://login.acme.com',
    provider: {
      ...provider,
      signOn: { ...provider.signOn, binding },
      ...(provider.logout && { logout: { ...provider.logout, binding } }),
    },
    signing,
    decryption,
    signed: 'both',
    attributes: new Map([['name', ['displayName']]]),
    maxAge: 300,
    forceAuthn: false,
    authnContexts: [],
    logout: true,
    ...changes,
  });
  idp.register(delegate.describe?.().body ?? '');
  return delegate;
}

for (const encrypt of [false, true]) {
  for (const binding of ['redirect', 'post'] as const) {
    const how = `by ${binding}, ${encrypt ? 'encrypted' : 'in the clear'}`;
    t.test(`SimpleSAMLphp signs a person in and out, ${how}`, { skip: without(counterparts.simpleSaml) }, async (t) => {
      const idp = await openSimpleSaml(t, { accounts: ACCOUNTS, encrypt });
      const { begin, complete, logout } = await openEnvironment(idp, 'globex', binding);
      const person = openPerson(idp, 'ada');
      const login = { nonce: NONCE, browser: BROWSER };

      const maker = stateMaker();
      const departure = await begin({ ...maker, ...login, portalReturn: () => undefined }, present());
      if ('claims' in departure) throw new Error('nobody is signed in yet');
      const came = await person.go(departure);
      t.match(came, { address: 'https://login.acme.com/return/globex', method: 'POST' });
      t.equal(came.params.get('RelayState'), '0123456789');
      const response = Buffer.from(came.params.get('SAMLResponse') ?? '', 'base64').toString();
      t.equal(response.includes('EncryptedAssertion'), encrypt);
      const assertion = await complete(came.params, { ...login, carry: maker.carried() }, present());
      t.match(assertion.claims, { email: 'ada@globex.test', name: 'Ada & “Lovelace”', uid: 'ada' });
      t.match(assertion.replayKey, /^saml\/globex\/assertion\/_[0-9a-f]+$/);
      t.equal(
        await reasonOf(() => complete(came.params, { ...login, carry: '_other' }, present())),
        'saml_in_response_to_mismatch',
      );
      t.equal(
        await reasonOf(() => complete(came.params, { ...login, carry: maker.carried() }, present() + 3_600)),
        'saml_too_old',
      );

      t.ok(logout && assertion.session);
      const ending = stateMaker();
      const leaving = await logout?.begin({ ...ending, session: assertion.session ?? '' }, present());
      if (!leaving) throw new Error('cannot sign out');
      const ended = await person.go(leaving);
      t.equal(ended.address, 'https://login.acme.com/return/globex/logout');
      await logout?.complete(ended.params, { carry: ending.carried() }, present());
      t.equal(
        await reasonOf(() => logout?.complete(ended.params, { carry: '_other' }, present())),
        'saml_in_response_to_mismatch',
      );

      const again = await begin({ ...stateMaker(), ...login, portalReturn: () => undefined }, present());
      if ('claims' in again) throw new Error('nobody is signed in any more');
      await person.go(again);
      t.equal(person.asked(), 2, 'the session at SimpleSAMLphp had ended');
    });
  }
}

t.test(
  'SimpleSAMLphp ends a session by itself, and hears what became of it',
  { skip: without(counterparts.simpleSaml) },
  async (t) => {
    const idp = await openSimpleSaml(t, { accounts: ACCOUNTS });
    const [globex, initech] = [
      await openEnvironment(idp, 'globex', 'redirect'),
      await openEnvironment(idp, 'initech', 'redirect'),
    ];
    const person = openPerson(idp, 'ada');
    const login = { nonce: NONCE, browser: BROWSER };
    const sessions = [];
    for (const { begin, complete } of [globex, initech]) {
      const maker = stateMaker();
      const departure = await begin({ ...maker, ...login, portalReturn: () => undefined }, present());
      if ('claims' in departure) throw new Error('nobody is signed in yet');
      const { params } = await person.go(departure);
      sessions.push((await complete(params, { ...login, carry: maker.carried() }, present())).session ?? '');
    }
    t.equal(person.asked(), 1, 'one session for both');

    const leaving = await initech.logout?.begin({ ...stateMaker(), session: sessions[1] ?? '' }, present());
    if (!leaving) throw new Error('cannot sign out');
    const asked = await person.go(leaving);
    t.equal(asked.address, 'https://login.acme.com/return/globex/logout', 'globex is asked to end its session, too');
    const notice = await globex.logout?.receive?.(asked.params, present());
    t.equal(notice?.concerns(sessions[0] ?? ''), true);
    t.equal(notice?.concerns(sessions[1] ?? ''), false, 'a session of somebody else');
    const reply = notice?.reply(true);
    if (!reply) throw new Error('no notice');
    t.equal((await person.go(reply)).address, 'https://login.acme.com/return/initech/logout', 'the reply is believed');
  },
);
