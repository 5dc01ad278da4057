import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import t from 'tap';
import { changeKeptKeys, freshKey, keptUnder, openKeptKeys } from '../../src/keys/kept-keys.ts';
import { LEAD, NOTICED_WITHIN, overlapAfter } from '../../src/keys/overlap.ts';
import { openPrivateJwks } from '../../src/keys/private-jwks.ts';
import { openRotatingSigner } from '../../src/keys/rotating-signer.ts';
import { openScheduledSigner } from '../../src/keys/scheduled-signer.ts';
import { makeSigningKey, openSigner, publishedKeys } from '../../src/keys/signer.ts';
import {
  activeKey,
  type Change,
  firstKey,
  make,
  publishedKeysOf,
  retire,
  type SigningKeys,
  stage,
  stateOf,
  switchOver,
  type When,
  withoutGone,
} from '../../src/keys/signing-keys.ts';
import { openMemoryStore } from '../../src/store/memory.ts';

const NOW = 1_764_000_000;
const LIFETIME = 60;

const named = (kid: string) => ({ kid, pem: `pem of ${kid}` });
const states = (keys: SigningKeys, now: number) =>
  keys.map((key) => `${key.kid} ${stateOf(keys, key, now)}`).join(', ');
const published = (keys: SigningKeys, now: number) => publishedKeysOf(keys, now).map(({ kid }) => kid);

/** The set; a refusal is a fault of the test. */
function done(change: Change): SigningKeys {
  if ('fault' in change) throw new Error(change.fault);
  return change;
}

const staged = stage(firstKey(named('a'), NOW - 9_000), named('b'), NOW);
const switched = done(switchOver(staged, 'earliest', LIFETIME, NOW));
const rotated = done(retire(switched, 'earliest', LIFETIME, NOW));

t.test('a key is made, staged, signs, retires and goes, each at its second', (t) => {
  const signsFrom = NOW + LEAD;
  const leavesAt = signsFrom + overlapAfter(LIFETIME);
  t.equal(states(make(firstKey(named('a'), NOW), named('b'), NOW), NOW), 'a active, b made');
  t.same(
    published(make(firstKey(named('a'), NOW), named('b'), NOW), NOW),
    ['a'],
    'nobody is told of a key that is made',
  );
  for (const [now, expected, known] of [
    [NOW, 'a active, b staged', ['a', 'b']],
    [signsFrom - 1, 'a active, b staged', ['a', 'b']],
    [signsFrom, 'a retiring, b active', ['b', 'a']],
    [leavesAt - 1, 'a retiring, b active', ['b', 'a']],
    [leavesAt, 'a gone, b active', ['b']],
  ] as const) {
    t.equal(states(rotated, now), expected, `${now - NOW} s`);
    t.same(published(rotated, now), known);
  }
  t.equal(withoutGone(rotated, leavesAt - 1), rotated);
  t.equal(states(withoutGone(rotated, leavesAt), leavesAt), 'b active');
  t.equal(LEAD, 365, 'five minutes in caches, five seconds to notice, a minute between clocks');
  t.end();
});

t.test('what would leave somebody without a key is refused', (t) => {
  const single = firstKey(named('a'), NOW - 9_000);
  for (const [what, change, expected] of [
    ['nothing is staged', switchOver(single, 'earliest', LIFETIME, NOW), { fault: 'nothing_staged' }],
    [
      'a key that nobody knows',
      switchOver(make(single, named('b'), NOW), 'at_once', LIFETIME, NOW),
      { fault: 'nothing_staged' },
    ],
    [
      'before all caches have it',
      switchOver(staged, NOW + LEAD - 1, LIFETIME, NOW),
      { fault: 'too_early', earliest: NOW + LEAD },
    ],
    ['a time that is past', switchOver(staged, NOW - 1, LIFETIME, NOW), { fault: 'too_early', earliest: NOW + LEAD }],
    ['the last key', retire(single, 'earliest', LIFETIME, NOW), { fault: 'last_key' }],
    ['the last key, at once', retire(single, 'at_once', LIFETIME, NOW), { fault: 'last_key' }],
    ['the last key, by its name', retire(single, 'at_once', LIFETIME, NOW, 'a'), { fault: 'last_key' }],
    ['another is staged but not planned', retire(staged, 'earliest', LIFETIME, NOW), { fault: 'last_key' }],
    ['it signs until the other does', retire(switched, 'at_once', LIFETIME, NOW), { fault: 'last_key' }],
    ['the same, by its name', retire(switched, 'at_once', LIFETIME, NOW, 'a'), { fault: 'last_key' }],
    ['the one that took over', retire(switched, 'earliest', LIFETIME, NOW + LEAD, 'b'), { fault: 'last_key' }],
    [
      'its tokens are about',
      retire(switched, NOW + LEAD + 400, LIFETIME, NOW),
      { fault: 'too_early', earliest: NOW + LEAD + LIFETIME + LEAD },
    ],
    ['a name that is not there', retire(switched, 'earliest', LIFETIME, NOW, 'c'), { fault: 'unknown_key' }],
  ] as const)
    t.same(change, expected, what);
  t.end();
});

t.test('every command may be given twice, and plans can be changed until they have happened', (t) => {
  t.same(stage(staged, named('c'), NOW + 5), staged);
  t.same(make(staged, named('c'), NOW + 5), staged, 'one key at a time');
  t.equal(states(stage(make(firstKey(named('a'), NOW), named('b'), NOW), named('c'), NOW), NOW), 'a active, b staged');
  t.same(switchOver(switched, 'earliest', LIFETIME, NOW + 5), switched);
  t.same(switchOver(switched, NOW + LEAD, LIFETIME, NOW + 5), switched);
  t.same(switchOver(switched, 'earliest', LIFETIME, NOW + LEAD + 5), switched, 'also once it has happened');
  t.same(stage(switched, named('c'), NOW + 5), switched);
  t.same(retire(rotated, 'earliest', LIFETIME, NOW + 5), rotated);
  t.same(retire(rotated, 'earliest', LIFETIME, NOW + 9_000), rotated);

  const later = done(switchOver(rotated, NOW + 5_000, LIFETIME, NOW + 5));
  t.match(later, [
    { kid: 'a', leavesAt: NOW + 5_000 + LIFETIME + LEAD },
    { kid: 'b', signsFrom: NOW + 5_000 },
  ]);
  const calledOff = done(retire(later, 'earliest', LIFETIME, NOW + 6, 'b'));
  t.equal(states(calledOff, NOW + 9_000), 'a active', 'and a stays when nothing follows it');
  const another = done(switchOver(stage(calledOff, named('c'), NOW + 9_000), 'earliest', LIFETIME, NOW + 9_000));
  t.equal(states(another, NOW + 9_000), 'a active, c staged');
  t.equal(states(another, NOW + 9_000 + LEAD), 'a retiring, c active', 'nor does it go before its last tokens');

  const stolen = done(switchOver(staged, 'at_once', LIFETIME, NOW + 1));
  t.equal(states(stolen, NOW + 1), 'a retiring, b active', 'at once, though not everybody knows it');
  t.equal(states(done(retire(stolen, 'at_once', LIFETIME, NOW + 2)), NOW + 2), 'a gone, b active');
  t.end();
});

t.test('a clock that was set back still has a key to sign with', (t) => {
  const old = withoutGone(rotated, NOW + 9_000);
  t.equal(activeKey(old, NOW - 90_000).kid, 'b');
  t.same(published(old, NOW - 90_000), ['b']);
  t.end();
});

t.test('whatever is commanded, everybody who verifies knows the key that signs', (t) => {
  const when = fc.oneof(fc.constant<When>('earliest'), fc.integer({ min: -100, max: 3_000 }));
  const command = fc.oneof(
    fc.record({ do: fc.constantFrom('make' as const, 'stage' as const) }),
    fc.record({ do: fc.constantFrom('switch' as const, 'retire' as const), when }),
    fc.record({ do: fc.constant('call off' as const), which: fc.nat(2) }),
  );
  const lifetime = fc.constantFrom(30, 60, 300, 3_600);
  const run = fc.property(
    lifetime,
    fc.array(fc.tuple(command, fc.integer({ min: 0, max: 600 })), { minLength: 10, maxLength: 40, size: 'max' }),
    (tokenLifetime, commands) => {
      let keys = firstKey(named('k0'), NOW);
      let now = NOW;
      const seen: { at: number; active: string; known: string[] }[] = [];
      for (const [index, [asked, pause]] of commands.entries()) {
        const fresh = named(`k${index + 1}`);
        const timed = 'when' in asked ? (typeof asked.when === 'number' ? now + asked.when : asked.when) : 'earliest';
        const change = {
          make: () => make(keys, fresh, now),
          stage: () => stage(keys, fresh, now),
          switch: () => switchOver(keys, timed, tokenLifetime, now),
          retire: () => retire(keys, timed, tokenLifetime, now),
          'call off': () =>
            retire(keys, timed, tokenLifetime, now, keys['which' in asked ? asked.which : 0]?.kid ?? 'none'),
        }[asked.do]();
        if (!('fault' in change)) keys = withoutGone(change, now);
        for (const end = now + pause; now <= end; now += 20)
          seen.push({ at: now, active: activeKey(keys, now).kid, known: published(keys, now) });
      }
      for (const { at, active } of seen) {
        for (const other of seen) {
          const apart = other.at - at;
          const needed = apart <= 0 ? -apart <= 300 : apart <= tokenLifetime + 300;
          if (needed && !other.known.includes(active))
            throw new Error(`${active} signs at ${at}, unknown at ${other.at}`);
        }
      }
    },
  );
  fc.assert(run, { numRuns: 150 });
  t.pass('before, for as long as caches live, and after, until the last token is over');
  t.end();
});

const PLACE = { kept: keptUnder('support', 'ES256'), algorithm: 'ES256' } as const;

t.test('the key of a router that kept one for good is the first of its set', async (t) => {
  const store = openMemoryStore();
  const pem = makeSigningKey('ES256');
  await store.keep(PLACE.kept, () => pem);
  const [key, ...more] = await openKeptKeys(store, PLACE.kept, 'ES256').current(NOW);
  t.match(key, { pem, signsFrom: 0, publishedFrom: NOW });
  t.same(more, []);
  t.equal(key?.kid, (await openSigner('ES256', { privateKeyPem: pem })).publicJwk?.kid);
});

t.test('of many who change the set at once, none undoes what another did', async (t) => {
  const store = openMemoryStore();
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const fresh = await freshKey('ES256');
      return changeKeptKeys(store, PLACE, (keys) => stage(keys, fresh, NOW), NOW);
    }),
  );
  t.equal(outcomes.filter((outcome) => 'changed' in outcome && outcome.changed).length, 1);
  const keys = await openKeptKeys(store, PLACE.kept, 'ES256').current(NOW);
  t.match(
    keys.map((key) => stateOf(keys, key, NOW)),
    ['active', 'staged'],
  );
});

t.test('a router notices within seconds, reads no more often, and forgets a private key that has gone', async (t) => {
  const store = openMemoryStore();
  let reads = 0;
  let down = false;
  const watched = {
    ...store,
    keep: (name: string, make: () => string) => {
      reads++;
      return down ? Promise.reject(new Error('down')) : store.keep(name, make);
    },
  };
  let now = NOW;
  const kept = openKeptKeys(watched, PLACE.kept, 'ES256');
  const signer = await openRotatingSigner(
    'ES256',
    kept,
    () => now,
    (pem) => openSigner('ES256', { privateKeyPem: pem }),
  );
  const jwks = openPrivateJwks(new Map([['ES256', kept]]), () => now);
  const kidOf = async () => decodeProtectedHeader(await signer.sign('{"a":1}')).kid;
  const first = await kidOf();
  const before = await jwks();
  const change = (to: (keys: SigningKeys) => Change) => changeKeptKeys(store, PLACE, to, now);

  const fresh = await freshKey('ES256');
  await change((keys) => stage(keys, fresh, now));
  reads = 0;
  for (let turn = 0; turn < 50; turn++) t.equal(await kidOf(), first);
  t.equal((await signer.published?.())?.length, 1);
  t.equal(reads, 0);
  now += NOTICED_WITHIN;
  t.same(
    (await signer.published?.())?.map(({ kid }) => kid),
    [first, fresh.kid],
  );
  t.equal(reads, 1);
  t.same(
    (await jwks()).keys.map(({ kid }) => kid),
    [first, fresh.kid],
  );

  await change((keys) => switchOver(keys, 'earliest', LIFETIME, now));
  await change((keys) => retire(keys, 'earliest', LIFETIME, now));
  now += NOTICED_WITHIN;
  t.equal(await kidOf(), first);
  down = true;
  now += LEAD;
  t.equal(await kidOf(), fresh.kid, 'what was planned happens, also while the store cannot be read');
  t.same(
    (await jwks()).keys.map(({ kid }) => kid),
    [fresh.kid, first],
    'the active one first',
  );
  t.equal(await jwks(), await jwks(), 'the same object for as long as nothing changes');
  t.not(await jwks(), before);

  down = false;
  now += overlapAfter(LIFETIME);
  t.same(
    (await signer.published?.())?.map(({ kid }) => kid),
    [fresh.kid],
  );
  const text = await store.keep(PLACE.kept, () => '');
  t.notMatch(text, new RegExp(first ?? '-'), 'the store holds it no more');
  t.match(text, fresh.kid);

  const token = await signer.sign('{"a":1}');
  await jwtVerify(
    token,
    createLocalJWKSet(publishedKeys([{ publicJwk: (await signer.published?.())?.[0] ?? {} }]) as JSONWebKeySet),
  );
});

t.test('without a store there is no first key, and it is said', async (t) => {
  const store = { ...openMemoryStore(), keep: () => Promise.reject(new Error('down')) };
  await t.rejects(openKeptKeys(store, PLACE.kept, 'ES256').current(NOW), { message: 'down' });
  const odd = openMemoryStore();
  await odd.keep(PLACE.kept, () => '{"keys":[]}');
  await t.rejects(openKeptKeys(odd, PLACE.kept, 'ES256').current(NOW), /cannot be read/);
});

t.test('a long RSA key signs beside the event loop, where it holds up nobody', async (t) => {
  const privateKeyPem = generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  }) as string;
  const signer = await openSigner('PS256', { privateKeyPem });
  const sign = () => Promise.all(Array.from({ length: 60 }, () => signer.sign('{"a":1}')));
  await sign();
  const [loop, all] = [process.threadCpuUsage(), process.cpuUsage()];
  await sign();
  const [onLoop, everywhere] = [process.threadCpuUsage(loop), process.cpuUsage(all)].map(
    ({ user, system }) => user + system,
  );
  t.ok((onLoop ?? 0) < (everywhere ?? 0) / 2, `${onLoop} of ${everywhere} µs`);
});

t.test('a cut-over that routes.yaml plans happens at its second, with both keys known all the time', async (t) => {
  const [one, two] = [await freshKey('PS256'), await freshKey('PS256')];
  let now = NOW - 1;
  const open = (privateKeyPem: string) => openSigner('PS256', { privateKeyPem });
  const signer = openScheduledSigner(await open(one.pem), await open(two.pem), NOW, () => now);
  t.same(
    (await signer.published?.())?.map(({ kid }) => kid),
    [one.kid, two.kid],
  );
  t.equal(decodeProtectedHeader(await signer.sign('{}')).kid, one.kid);
  now = NOW;
  t.equal(decodeProtectedHeader(await signer.sign('{}')).kid, two.kid);
  const { n } = createPublicKey(two.pem).export({ format: 'jwk' });
  t.equal((await signer.published?.())?.[1]?.n, n);

  const secret = (text: string) => openSigner('HS256', { secret: Buffer.from(text.repeat(32)) });
  const hmac = openScheduledSigner(await secret('a'), await secret('b'), NOW, () => now);
  t.equal(hmac.published, undefined, 'a secret is nobody’s to read');
});
