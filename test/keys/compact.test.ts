import fc from 'fast-check';
import t from 'tap';
import { Refusal } from '../../src/core/reason.ts';
import { readCompact } from '../../src/keys/compact.ts';
import { hmacKey, hmacVerifier } from '../../src/keys/hmac.ts';
import { encode, forge, NOW, reasonOf, refusesAll, SECRET } from './tokens.ts';

const HEADER = { alg: 'HS256', typ: 'JWT' };
const CLAIMS = { iss: 'https://us.acme.com/', email: 'ada@us.acme.com' };
const GOOD = forge(HEADER, CLAIMS);
const [HEAD = '', BODY = '', SIGNATURE = ''] = GOOD.split('.');

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** The same bytes for a forgiving decoder: the last character's spare bits are set. */
const spareBits = (text: string): string => text.slice(0, -1) + ALPHABET[ALPHABET.indexOf(text.slice(-1)) + 1];

const read = (text: string) => [() => readCompact(text), 'jwt_malformed'] as const;
const readHeader = (header: unknown) => [() => readCompact(forge(header, CLAIMS)), 'jwt_header_not_allowed'] as const;
const readPayload = (payload: string) => [() => readCompact(forge(HEADER, payload)), 'jwt_malformed'] as const;

t.test('a plain token is taken apart', async (t) => {
  const token = readCompact(forge({ ...HEADER, kid: 'key-1' }, CLAIMS));
  t.same(token.header, { alg: 'HS256', kid: 'key-1' });
  const digest = `${'+/Az'.repeat(10)}+/A=`;
  t.equal(readCompact(forge({ ...HEADER, kid: digest }, CLAIMS)).header.kid, digest, '32 bytes in base64');
  t.same(token.claims, CLAIMS);
  t.equal(`${token.signingInput}.${token.signature.toString('base64url')}`, token.text);
});

t.test('case 18: no second spelling of an accepted token is accepted', (t) =>
  refusesAll(t, {
    'line end': read(`${GOOD}\n`),
    'line end before the signature': read(`${HEAD}.${BODY}\n.${SIGNATURE}`),
    'carriage return': read(`${GOOD}\r\n`),
    'leading space': read(` ${GOOD}`),
    '=': read(`${GOOD}=`),
    '==': read(`${GOOD}==`),
    'padding inside': read(`${HEAD}=.${BODY}.${SIGNATURE}`),
    'spare bits in the signature': read(`${HEAD}.${BODY}.${spareBits(SIGNATURE)}`),
    'spare bits in the payload': read(`${HEAD}.${spareBits(encode({ a: 1, b: 12 }))}.${SIGNATURE}`),
    'the other alphabet': read(`${HEAD}.${BODY}.${'+'.repeat(SIGNATURE.length)}`),
    'a length that no bytes have': read(`${HEAD}.${BODY}.${SIGNATURE}AA`),
    'a NUL': read(`${GOOD}\0`),
    'another script': read(`${HEAD}.${BODY}.${SIGNATURE.slice(0, -1)}А`),
  }),
);

t.test('case 18: a shape that is not three filled parts is malformed', (t) =>
  refusesAll(t, {
    empty: read(''),
    dots: read('..'),
    'one part': read(HEAD),
    'two parts': read(`${HEAD}.${BODY}`),
    'no signature': read(`${HEAD}.${BODY}.`),
    'no payload': read(`${HEAD}..${SIGNATURE}`),
    'no header': read(`.${BODY}.${SIGNATURE}`),
    'four parts': read(`${GOOD}.`),
    'over 16 KiB': read(forge(HEADER, { ...CLAIMS, a: 'a'.repeat(13_000) })),
  }),
);

t.test('JSON that two readers could understand differently is malformed', (t) =>
  refusesAll(t, {
    'a name twice': readPayload('{"email":"a@a.test","email":"b@b.test"}'),
    'a name twice, escaped': readPayload('{"email":"a@a.test","\\u0065mail":"b@b.test"}'),
    'a name twice, deeper': readPayload('{"a":[{"b":1,"b":1}]}'),
    '__proto__ twice': readPayload('{"__proto__":1,"__proto__":2}'),
    'a lone surrogate': readPayload('{"email":"\\ud800@a.test"}'),
    'a lone surrogate as a name': readPayload('{"\\udc00":1}'),
    'a number that overflows': readPayload('{"exp":1e999}'),
    'a list': readPayload('[]'),
    text: readPayload('"x"'),
    null: readPayload('null'),
    'no JSON': readPayload('{email:1}'),
    'two documents': readPayload('{}{}'),
    'a byte order mark': readPayload('\ufeff{}'),
    '17 levels': readPayload(`${'{"a":'.repeat(17)}1${'}'.repeat(17)}`),
    '6000 levels': readPayload('['.repeat(6000)),
    'not UTF-8': read(
      `${HEAD}.${Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString('base64url')}.${SIGNATURE}`,
    ),
    'a header name twice': read(forge('{"alg":"none","alg":"HS256"}', CLAIMS)),
    '16 levels are fine': [() => readCompact(forge(HEADER, `${'{"a":'.repeat(16)}1${'}'.repeat(16)}`)), 'accepted'],
    'colons and quotes in text are fine': [
      () => readCompact(forge(HEADER, { a: ':"{[\\', 'b:\\"': '😀' })),
      'accepted',
    ],
  }),
);

t.test('claims named after parts of Object.prototype are claims and nothing else', async (t) => {
  const { claims } = readCompact(forge(HEADER, '{"__proto__":{"email":"evil@b.test"},"constructor":1}'));
  t.equal(claims.email, undefined);
  t.same(Object.keys(claims), ['__proto__', 'constructor']);
  t.equal(({} as Record<string, unknown>).email, undefined);
});

t.test('case 20: a header outside the allow-list is refused and nothing is fetched', (t) =>
  refusesAll(t, {
    jku: readHeader({ ...HEADER, jku: 'https://evil.test/jwks' }),
    jwk: readHeader({ ...HEADER, jwk: { kty: 'oct', k: 'AA' } }),
    x5u: readHeader({ ...HEADER, x5u: 'https://evil.test/x5u' }),
    x5c: readHeader({ ...HEADER, x5c: [] }),
    crit: readHeader({ ...HEADER, crit: ['exp'] }),
    b64: readHeader({ ...HEADER, b64: false, crit: ['b64'] }),
    zip: readHeader({ ...HEADER, zip: 'DEF' }),
    cty: readHeader({ ...HEADER, cty: 'JWT' }),
    __proto__: readHeader('{"alg":"HS256","__proto__":{}}'),
    'kid as URL': readHeader({ ...HEADER, kid: 'https://evil.test/key' }),
    'kid as path': readHeader({ ...HEADER, kid: '../../dev/null' }),
    'kid with ..': readHeader({ ...HEADER, kid: 'a..b' }),
    'kid with SQL': readHeader({ ...HEADER, kid: "x' UNION SELECT 'k" }),
    'kid with a NUL': readHeader({ ...HEADER, kid: 'a\0' }),
    'kid with a line end': readHeader({ ...HEADER, kid: 'a\n' }),
    'kid too long': readHeader({ ...HEADER, kid: 'k'.repeat(201) }),
    'kid as path of that length': readHeader({ ...HEADER, kid: `/${'../'.repeat(14)}=` }),
    'kid empty': readHeader({ ...HEADER, kid: '' }),
    'kid as number': readHeader({ ...HEADER, kid: 1 }),
    'alg absent': readHeader({ typ: 'JWT' }),
    'alg as list': readHeader({ alg: ['HS256'] }),
    'x5t is let through': [() => readCompact(forge({ ...HEADER, x5t: 'a', 'x5t#S256': 'b' }, CLAIMS)), 'accepted'],
  }),
);

t.test('case 20: none, in any spelling, is no algorithm', async (t) => {
  const verifier = hmacVerifier(['HS256'], hmacKey(SECRET));
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', 'HS256 ', 'hs256', 'constructor', '__proto__']) {
    t.equal(
      await reasonOf(() => verifier.verify(readCompact(forge({ alg }, CLAIMS)), NOW)),
      'jwt_algorithm_not_allowed',
      alg,
    );
    t.equal(
      await reasonOf(() => readCompact(`${encode({ alg })}.${BODY}.`)),
      'jwt_malformed',
      `${alg} without a signature`,
    );
  }
});

t.test('case 22: a typ other than JWT is refused', (t) =>
  refusesAll(t, {
    'at+jwt': readHeader({ alg: 'HS256', typ: 'at+jwt' }),
    'logout+jwt': readHeader({ alg: 'HS256', typ: 'logout+jwt' }),
    'application/jwt': readHeader({ alg: 'HS256', typ: 'application/jwt' }),
    empty: readHeader({ alg: 'HS256', typ: '' }),
    number: readHeader({ alg: 'HS256', typ: 1 }),
    jwt: [() => readCompact(forge({ alg: 'HS256', typ: 'jwt' }, CLAIMS)), 'accepted'],
    absent: [() => readCompact(forge({ alg: 'HS256' }, CLAIMS)), 'accepted'],
  }),
);

t.test('case 23: encrypted tokens cost nothing', async (t) => {
  const pbes2 = encode({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31, p2s: 'c2FsdA' });
  const inflating = encode({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' });
  const before = { ms: performance.now(), heap: process.memoryUsage().heapUsed };
  await refusesAll(t, {
    'PBES2 with a p2c of 2^31': read(`${pbes2}.AAAA.AAAA.AAAA.AAAA`),
    'one that inflates': read(`${inflating}..AAAA.${'A'.repeat(8000)}.AAAA`),
    'the same header on a signature': [() => readCompact(`${pbes2}.${BODY}.${SIGNATURE}`), 'jwt_header_not_allowed'],
  });
  t.ok(performance.now() - before.ms < 30, 'each in under 10 ms');
  t.ok(process.memoryUsage().heapUsed - before.heap < 5_000_000, 'in under 5 MB');
});

t.test('whatever the text, the answer is a token with one spelling or a refusal', async () => {
  const parts = fc.oneof(fc.string(), fc.base64String(), fc.json().map(encode), fc.constantFrom(HEAD, BODY, SIGNATURE));
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(parts, { maxLength: 6 }).map((all) => all.join('.')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const token = readCompact(text);
        const [header = '', payload = ''] = text.split('.');
        return (
          [header, payload].every((part) => Buffer.from(part, 'base64url').toString('base64url') === part) &&
          `${token.signingInput}.${token.signature.toString('base64url')}` === text
        );
      } catch (error) {
        return error instanceof Refusal && ['jwt_malformed', 'jwt_header_not_allowed'].includes(error.reason);
      }
    }),
    { numRuns: 20_000 },
  );
});

t.test('an object is accepted exactly when no name stands twice', async () => {
  const members = fc.array(fc.tuple(fc.string(), fc.jsonValue({ maxDepth: 3 })), { maxLength: 6 });
  fc.assert(
    fc.property(members, (pairs) => {
      const json = `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
      const unique = new Set(pairs.map(([name]) => name)).size === pairs.length;
      try {
        readCompact(forge(HEADER, json));
        return unique;
      } catch {
        return !unique;
      }
    }),
    { numRuns: 5000 },
  );
});
