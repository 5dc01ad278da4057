import fc from 'fast-check';
import t from 'tap';
import { randomBytes, randomToken } from '../../src/keys/random.ts';
import { openSealer } from '../../src/keys/seal.ts';
import { makeSealKey, parseSealKey } from '../../src/keys/seal-key.ts';
import { NOW } from './tokens.ts';

const OLD = Buffer.alloc(32, 1);
const NEW = Buffer.alloc(48, 2);
const DAY = 86_400;
const sealer = openSealer([NEW], randomBytes);

const texts = fc.string({ unit: 'grapheme', maxLength: 300 });
const lists = fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { maxLength: 5 });

t.test('what was sealed opens under the same binding and no other', async () => {
  fc.assert(
    fc.property(texts, lists, lists, fc.integer({ min: 0, max: 65_535 }), (text, bound, other, day) => {
      const sealed = sealer.seal(bound, text, day * DAY);
      const same = JSON.stringify(bound) === JSON.stringify(other);
      return (
        /^[A-Za-z0-9_-]+$/.test(sealed) &&
        sealer.open(bound, sealed) === text &&
        (sealer.open(other, sealed) === undefined) === !same
      );
    }),
    { numRuns: 3000 },
  );
});

t.test('bindings that only look alike when run together do not open each other', async (t) => {
  const pairs: [string[], string[]][] = [
    [
      ['login', 'us', 'a'],
      ['login', 'usa', ''],
    ],
    [
      ['login', 'us'],
      ['login', 'us', ''],
    ],
    [
      ['login', '1:a'],
      ['login', '', 'a'],
    ],
    [
      ['login', '\ud800'],
      ['login', '\ud801'],
    ],
    [
      ['login', 'us'],
      ['visit', 'us'],
    ],
    [[], ['']],
  ];
  for (const [one, other] of pairs)
    t.equal(sealer.open(other, sealer.seal(one, 'x', NOW)), undefined, JSON.stringify(other));
});

t.test('a sealed text with any bit changed does not open', async () => {
  fc.assert(
    fc.property(texts, fc.nat(), (text, anywhere) => {
      const bytes = Buffer.from(sealer.seal(['login'], text, NOW), 'base64url');
      const bit = anywhere % (bytes.length * 8);
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      return sealer.open(['login'], bytes.toString('base64url')) === undefined;
    }),
    { numRuns: 2000 },
  );
});

t.test('foreign text does not open and does not throw', async () => {
  const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.base64String({ maxLength: 400 }));
  fc.assert(
    fc.property(anything, (text) => sealer.open(['login'], text) === undefined),
    { numRuns: 3000 },
  );
});

t.test('a sealed text has one spelling', async (t) => {
  const sealed = sealer.seal(['login'], 'x', NOW);
  for (const other of [
    `${sealed}=`,
    `${sealed}\n`,
    ` ${sealed}`,
    `${sealed}A`,
    sealed.slice(0, -1),
    `${sealed}${'A'.repeat(20_000)}`,
  ]) {
    t.equal(sealer.open(['login'], other), undefined, JSON.stringify(other.slice(0, 80)));
  }
});

t.test('older keys open what they sealed, the newest one seals, and a key that has gone opens nothing', async (t) => {
  const before = openSealer([OLD], randomBytes);
  const during = openSealer([NEW, OLD], randomBytes);
  const sealedBefore = before.seal(['login'], 'x', NOW);
  t.equal(during.open(['login'], sealedBefore), 'x');
  t.equal(sealer.open(['login'], sealedBefore), undefined);
  t.equal(sealer.open(['login'], during.seal(['login'], 'y', NOW)), 'y');
  t.equal(before.open(['login'], during.seal(['login'], 'y', NOW)), undefined);
});

t.test('every day has a key of its own, which another process derives alike', async (t) => {
  const fixed = openSealer([OLD], (bytes) => Buffer.alloc(bytes));
  const today = fixed.seal(['login'], 'x', NOW);
  const bodyOf = (sealed: string): string => Buffer.from(sealed, 'base64url').subarray(6).toString('hex');
  t.equal(bodyOf(today), bodyOf(fixed.seal(['login'], 'x', NOW + 60)));
  t.not(bodyOf(today), bodyOf(fixed.seal(['login'], 'x', NOW + DAY)));
  t.equal(openSealer([OLD], randomBytes).open(['login'], today), 'x');
});

t.test('forged days cannot fill the memory', async (t) => {
  const sealed = Buffer.from(sealer.seal(['login'], 'x', NOW), 'base64url');
  const before = process.memoryUsage();
  for (let day = 0; day < 20_000; day++) {
    sealed.writeUInt16BE(day, 4);
    sealer.open(['login'], sealed.toString('base64url'));
  }
  t.ok(process.memoryUsage().rss - before.rss < 60e6);
  t.equal(sealer.open(['login'], sealer.seal(['login'], 'x', NOW)), 'x');
});

t.test('seal keys are canonical base64url of 32 bytes or more', async (t) => {
  const key = makeSealKey();
  t.equal(parseSealKey(key)?.length, 32);
  t.not(makeSealKey(), key);
  for (const text of [
    '',
    'short',
    `${key}=`,
    `${key}\n`,
    Buffer.alloc(31).toString('base64url'),
    Buffer.alloc(33, 255).toString('base64'),
  ]) {
    t.equal(parseSealKey(text), undefined, JSON.stringify(text));
  }
  t.throws(() => openSealer([], randomBytes), /no seal key/);
  t.throws(() => openSealer([Buffer.alloc(31)], randomBytes), /31 bytes/);
});

t.test('random tokens have the length that was asked for and do not repeat', async (t) => {
  const tokens = Array.from({ length: 10_000 }, () => randomToken(16));
  t.equal(new Set(tokens).size, tokens.length);
  t.ok(tokens.every((token) => /^[A-Za-z0-9_-]{22}$/.test(token)));
  const kept = randomBytes(16);
  const copy = Buffer.from(kept);
  for (let i = 0; i < 1000; i++) randomBytes(16);
  t.ok(kept.equals(copy), 'a buffer that was handed out stays as it was');
  t.throws(() => randomBytes(5000), RangeError);
});
