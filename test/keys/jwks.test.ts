import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { CompactSign } from 'jose';
import t, { type Test } from 'tap';
import { type CompactToken, readCompact } from '../../src/keys/compact.ts';
import { openJwks } from '../../src/keys/jwks.ts';
import type { PublicKeyAlgorithm, Verifier } from '../../src/keys/keys.ts';
import { openOutbound } from '../../src/outbound/client.ts';
import type { OutboundAnswer } from '../../src/outbound/outbound.ts';
import { serve } from '../outbound/servers.ts';
import { forge, NOW, reasonOf, rsaKeys } from './tokens.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const URL_OF_SET = 'https://us.acme.test/jwks';

const ONE = rsaKeys();
const TWO = rsaKeys();
const WEAK = rsaKeys(1024);
const TINY = rsaKeys(512);
const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });

type Jwk = Record<string, unknown>;
const jwkOf = (key: KeyObject, rest: Jwk = {}): Jwk => ({ ...key.export({ format: 'jwk' }), ...rest });

const JWK_ONE = jwkOf(ONE.publicKey, { kid: 'one', use: 'sig', alg: 'RS256' });
const JWK_TWO = jwkOf(TWO.publicKey, { kid: 'two' });

async function signed(key: KeyObject, kid?: string, alg = 'RS256'): Promise<CompactToken> {
  const header = kid === undefined ? { alg } : { alg, kid };
  return readCompact(
    await new CompactSign(Buffer.from('{"email":"ada@us.acme.com"}')).setProtectedHeader(header).sign(key),
  );
}

/** A key set that the test changes as it goes, and how often it was read. */
function openSet(initial: unknown, algorithms: PublicKeyAlgorithm[] = ['RS256']) {
  const set = { answer: initial, status: 200, down: false, reads: 0 };
  const fetch = async (): Promise<OutboundAnswer> => {
    set.reads++;
    if (set.down) throw new Error('network: us.acme.test');
    const body = typeof set.answer === 'string' ? set.answer : JSON.stringify(set.answer);
    return { status: set.status, headers: {}, body: Buffer.from(body) };
  };
  return { set, verifier: openJwks({ url: URL_OF_SET, algorithms, fetch }) };
}

const outcome = (verifier: Verifier, token: CompactToken, now = NOW) => reasonOf(() => verifier.verify(token, now));

t.test('opening reads nothing; the first token does, and the set is fresh for ten minutes', async (t) => {
  const { set, verifier } = openSet({ keys: [JWK_ONE] });
  const token = await signed(ONE.privateKey, 'one');
  t.equal(set.reads, 0);
  t.equal(await outcome(verifier, token), 'accepted');
  t.equal(await outcome(verifier, token, NOW + 10 * MINUTE - 1), 'accepted');
  t.equal(set.reads, 1);
  t.equal(await outcome(verifier, token, NOW + 10 * MINUTE), 'accepted');
  t.equal(set.reads, 2);
});

t.test('tokens that arrive together wait for one read', async (t) => {
  const { set, verifier } = openSet({ keys: [JWK_ONE] });
  const token = await signed(ONE.privateKey, 'one');
  const outcomes = await Promise.all(Array.from({ length: 200 }, () => outcome(verifier, token)));
  t.same(new Set(outcomes), new Set(['accepted']));
  t.equal(set.reads, 1);
});

t.test('an unknown kid and a wrong signature are told apart by nobody outside', async (t) => {
  const { verifier } = openSet({ keys: [JWK_ONE] });
  t.equal(await outcome(verifier, await signed(ONE.privateKey, 'other')), 'jwt_invalid_signature');
  t.equal(await outcome(verifier, await signed(TWO.privateKey, 'one')), 'jwt_invalid_signature');
  t.equal(await outcome(verifier, await signed(TWO.privateKey)), 'jwt_invalid_signature');
});

t.test('a new key is found as soon as a token names it, and a withdrawn one is gone with the next read', async (t) => {
  const { set, verifier } = openSet({ keys: [JWK_ONE] });
  const [one, two] = [await signed(ONE.privateKey, 'one'), await signed(TWO.privateKey, 'two')];
  t.equal(await outcome(verifier, one), 'accepted');
  set.answer = { keys: [JWK_ONE, JWK_TWO] };
  t.equal(await outcome(verifier, two, NOW + 30), 'accepted');
  t.equal(set.reads, 2);
  set.answer = { keys: [JWK_TWO] };
  t.equal(await outcome(verifier, one, NOW + 30 + 10 * MINUTE), 'jwt_invalid_signature');
});

t.test('case 25: ten thousand unknown kids a second cause one read in thirty seconds and disturb nobody', async (t) => {
  const { set, verifier } = openSet({ keys: [JWK_ONE] });
  const good = await signed(ONE.privateKey, 'one');
  t.equal(await outcome(verifier, good), 'accepted');
  for (let second = 0; second < 60; second++) {
    const flood = Array.from({ length: second === 0 ? 10_000 : 200 }, (_, index) =>
      outcome(verifier, readCompact(forge({ alg: 'RS256', kid: `random-${second}-${index}` }, {})), NOW + second),
    );
    t.equal(await outcome(verifier, good, NOW + second), 'accepted');
    t.same(new Set(await Promise.all(flood)), new Set(['jwt_invalid_signature']));
  }
  t.equal(set.reads, 2, 'at the start and thirty seconds later');
});

t.test('case 25: a read that hangs does not hold up tokens whose key is known', async (t) => {
  let reads = 0;
  const fetch = (): Promise<OutboundAnswer> => {
    const body = Buffer.from(JSON.stringify({ keys: [JWK_ONE] }));
    return reads++ === 0 ? Promise.resolve({ status: 200, headers: {}, body }) : new Promise(() => {});
  };
  const verifier = openJwks({ url: URL_OF_SET, algorithms: ['RS256'], fetch });
  const good = await signed(ONE.privateKey, 'one');
  t.equal(await outcome(verifier, good), 'accepted');
  void outcome(verifier, await signed(ONE.privateKey, 'unknown'), NOW + 60);
  t.equal(await outcome(verifier, good, NOW + 60), 'accepted');
  t.equal(reads, 2);
});

t.test('while one read hangs no second one begins', async (t) => {
  let reads = 0;
  let answer = (_: OutboundAnswer): void => {};
  const fetch = (): Promise<OutboundAnswer> => {
    reads++;
    return new Promise((resolve) => {
      answer = resolve;
    });
  };
  const verifier = openJwks({ url: URL_OF_SET, algorithms: ['RS256'], fetch });
  const token = await signed(ONE.privateKey, 'one');
  const waiting = [0, 10, HOUR].map((later) => outcome(verifier, token, NOW + later));
  t.equal(reads, 1);
  answer({ status: 200, headers: {}, body: Buffer.from(JSON.stringify({ keys: [JWK_ONE] })) });
  t.same(await Promise.all(waiting), ['accepted', 'accepted', 'accepted']);
});

t.test('the last good set serves for a day while the environment is down, and is asked for every 30 s', async (t) => {
  const { set, verifier } = openSet({ keys: [JWK_ONE] });
  const token = await signed(ONE.privateKey, 'one');
  t.equal(await outcome(verifier, token), 'accepted');
  set.down = true;
  t.equal(await outcome(verifier, token, NOW + HOUR), 'accepted');
  t.equal(await outcome(verifier, token, NOW + HOUR + 29), 'accepted');
  t.equal(set.reads, 2);
  t.equal(await outcome(verifier, token, NOW + HOUR + 30), 'accepted');
  t.equal(set.reads, 3);
  t.equal(await outcome(verifier, token, NOW + 24 * HOUR - 1), 'accepted');
  t.equal(await outcome(verifier, token, NOW + 24 * HOUR), 'keys_unavailable');
  set.down = false;
  t.equal(await outcome(verifier, token, NOW + 24 * HOUR + 30), 'accepted');
});

t.test('without any set the reason is keys_unavailable, and a recovery is noticed after five seconds', async (t) => {
  const { set, verifier } = openSet({ keys: [JWK_ONE] });
  set.down = true;
  const token = await signed(ONE.privateKey, 'one');
  t.equal(await outcome(verifier, token), 'keys_unavailable');
  set.down = false;
  t.equal(await outcome(verifier, token, NOW + 4), 'keys_unavailable');
  t.equal(await outcome(verifier, token, NOW + 5), 'accepted');
  t.equal(set.reads, 2);
});

t.test('a fetch that throws before it returns is a failure like any other', async (t) => {
  let reads = 0;
  const fetch = (): Promise<OutboundAnswer> => {
    if (reads++ === 0) throw new Error('network');
    return Promise.resolve({ status: 200, headers: {}, body: Buffer.from(JSON.stringify({ keys: [JWK_ONE] })) });
  };
  const verifier = openJwks({ url: URL_OF_SET, algorithms: ['RS256'], fetch });
  const token = await signed(ONE.privateKey, 'one');
  t.equal(await outcome(verifier, token), 'keys_unavailable');
  t.equal(await outcome(verifier, token, NOW + 5), 'accepted');
});

t.test('a clock that is set back does not keep an old set alive', async (t) => {
  const { set, verifier } = openSet({ keys: [JWK_ONE] });
  const token = await signed(ONE.privateKey, 'one');
  t.equal(await outcome(verifier, token), 'accepted');
  set.answer = { keys: [JWK_TWO] };
  t.equal(await outcome(verifier, token, NOW - HOUR), 'jwt_invalid_signature');
});

t.test('an empty set withdraws every key', async (t) => {
  const { set, verifier } = openSet({ keys: [] });
  const token = await signed(ONE.privateKey, 'one');
  t.equal(await outcome(verifier, token), 'jwt_invalid_signature');
  set.answer = { keys: [JWK_ONE] };
  t.equal(await outcome(verifier, token, NOW + 30), 'accepted');
  set.answer = { keys: [] };
  t.equal(await outcome(verifier, token, NOW + HOUR), 'jwt_invalid_signature');
});

t.test('case 24: what is no key set leaves the last good one standing', async (t) => {
  const answers: Record<string, [status: number, answer: unknown]> = {
    HTML: [200, '<!doctype html><title>Maintenance</title>'],
    'nothing at all': [200, ''],
    'a list': [200, []],
    null: [200, 'null'],
    'keys as an object': [200, { keys: {} }],
    'keys of no use': [200, { keys: [jwkOf(WEAK.publicKey, { kid: 'one' }), 'x', null] }],
    'over 256 KiB': [200, { keys: [JWK_ONE], padding: 'x'.repeat(256 * 1024) }],
    '404 with keys': [404, { keys: [JWK_TWO] }],
    '500': [500, 'oops'],
  };
  const token = await signed(ONE.privateKey, 'one');
  for (const [what, [status, answer]] of Object.entries(answers)) {
    const { set, verifier } = openSet({ keys: [JWK_ONE] });
    t.equal(await outcome(verifier, token), 'accepted');
    Object.assign(set, { status, answer });
    t.equal(await outcome(verifier, token, NOW + HOUR), 'accepted', what);
    t.equal(set.reads, 2);
    const fresh = openSet(answer);
    fresh.set.status = status;
    t.equal(await outcome(fresh.verifier, token), 'keys_unavailable', `${what}, at first`);
  }
});

t.test('case 24: a key that may not verify is skipped, and the others of the set serve', async (t) => {
  const usable = jwkOf(ONE.publicKey);
  const skipped: Record<string, Jwk[]> = {
    oct: [{ kty: 'oct', kid: 'one', alg: 'HS256', k: 'AAAA' }],
    'oct under RS256': [{ kty: 'oct', kid: 'one', alg: 'RS256', k: 'AAAA' }],
    private: [jwkOf(ONE.privateKey, { kid: 'one' })],
    '512 bits': [jwkOf(TINY.publicKey, { kid: 'one' })],
    '1024 bits': [jwkOf(WEAK.publicKey, { kid: 'one' })],
    'for encryption': [{ ...usable, kid: 'one', use: 'enc' }],
    'key_ops without verify': [{ ...usable, kid: 'one', key_ops: ['encrypt'] }],
    'for another algorithm': [{ ...usable, kid: 'one', alg: 'PS256' }],
    'of another type': [jwkOf(P256.publicKey, { kid: 'one' })],
    'of an unknown type': [{ ...usable, kid: 'one', kty: 'XYZ' }],
    'exponent 1': [{ ...usable, kid: 'one', e: 'AQ' }],
    'without a modulus': [{ kty: 'RSA', e: 'AQAB', kid: 'one' }],
    'a kid that is a number': [{ ...usable, kid: 1 }],
    'a kid twice': [
      { ...usable, kid: 'one' },
      { ...JWK_TWO, kid: 'one' },
    ],
    'a kid twice, the same key': [
      { ...usable, kid: 'one' },
      { ...usable, kid: 'one' },
    ],
  };
  const [one, two] = [await signed(ONE.privateKey, 'one'), await signed(TWO.privateKey, 'two')];
  for (const [what, keys] of Object.entries(skipped)) {
    const { verifier } = openSet({ keys: [...keys, JWK_TWO] });
    t.equal(await outcome(verifier, one), 'jwt_invalid_signature', what);
    t.equal(await outcome(verifier, two), 'accepted', `${what}: the other key`);
  }
  const { verifier } = openSet({
    keys: [
      { ...usable, kid: 'one', use: 'enc' },
      { ...usable, kid: 'one', use: 'sig' },
    ],
  });
  t.equal(await outcome(verifier, one), 'accepted', 'an unusable key does not make a kid ambiguous');
});

t.test('at most fifty keys are looked at', async (t) => {
  const junk = Array.from({ length: 49 }, (_, index) => ({ kty: 'oct', kid: `${index}`, k: 'AA' }));
  const token = await signed(ONE.privateKey, 'one');
  t.equal(await outcome(openSet({ keys: [...junk, JWK_ONE] }).verifier, token), 'accepted');
  t.equal(await outcome(openSet({ keys: [JWK_TWO, ...junk, JWK_ONE] }).verifier, token), 'jwt_invalid_signature');
});

t.test('a token without kid is tried with the suitable keys, eight at most', async (t) => {
  const others = Array.from({ length: 7 }, () => jwkOf(TWO.publicKey));
  const token = await signed(ONE.privateKey);
  t.equal(await outcome(openSet({ keys: [...others, jwkOf(ONE.publicKey)] }).verifier, token), 'accepted');
  t.equal(
    await outcome(openSet({ keys: [JWK_TWO, JWK_ONE] }).verifier, token),
    'accepted',
    'keys with a kid are suitable too',
  );
  const nine = openSet({ keys: [...others, jwkOf(TWO.publicKey), jwkOf(ONE.publicKey)] });
  t.equal(await outcome(nine.verifier, token), 'jwt_invalid_signature');
});

t.test('alg is judged before anything is read (cases 19 and 20)', async (t) => {
  const { set, verifier } = openSet({ keys: [JWK_ONE] }, ['RS256']);
  for (const alg of ['HS256', 'none', 'PS256', 'ES256', 'toString']) {
    const token = readCompact(forge({ alg, kid: 'one' }, {}, JSON.stringify(JWK_ONE)));
    t.equal(await outcome(verifier, token), 'jwt_algorithm_not_allowed', alg);
  }
  t.equal(set.reads, 0);
  t.throws(() => openSet({ keys: [] }, ['HS256' as PublicKeyAlgorithm]), /RS\*/);
});

t.test(
  'case 24: by way of the outbound client, a hostile key set costs little and the last good one stays',
  async (t) => {
    const bomb = gzipSync(Buffer.alloc(400_000_000, ' '), { level: 9 });
    const good = JSON.stringify({ keys: [JWK_ONE] });
    const answers: Record<string, (response: ServerResponse) => void> = {
      'a gzip bomb': (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
      'a slow drip': (response) => drip(t, response),
      'a redirect': (response) => response.writeHead(302, { location: '/elsewhere' }).end(),
      HTML: (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      'a reset': (response) => response.destroy(),
    };
    let answer = (response: ServerResponse): unknown => response.end(good);
    const { url } = await serve(t, (_, response) => answer(response));
    const outbound = openOutbound({ timeoutMs: 300 });
    t.teardown(() => outbound.close());
    const caller = outbound.callerFor('us', { allowPrivate: true });
    const fetch = () => caller.call({ url, headers: { accept: 'application/json' } });
    const verifier = openJwks({ url, algorithms: ['RS256'], fetch });
    const token = await signed(ONE.privateKey, 'one');
    t.equal(await outcome(verifier, token), 'accepted');
    let now = NOW;
    for (const [what, hostile] of Object.entries(answers)) {
      answer = hostile;
      now += HOUR;
      const before = process.memoryUsage();
      t.equal(await outcome(verifier, token, now), 'accepted', what);
      const after = process.memoryUsage();
      const grown = after.heapUsed + after.external - before.heapUsed - before.external;
      t.ok(grown < 10_000_000, `${what}: ${grown} bytes`);
    }
    answer = (response) => response.end(good);
    t.equal(await outcome(verifier, token, now + 30), 'accepted');
  },
);

function drip(t: Test, response: ServerResponse): void {
  response.writeHead(200);
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
  t.teardown(() => clearInterval(timer));
}
