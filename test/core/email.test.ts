import fc from 'fast-check';
import t from 'tap';
import { parseDomain, parseEmail } from '../../src/core/email.ts';

t.test('an address has one canonical form', (t) => {
  const rows: [string, string][] = [
    ['ada@acme.test', 'ada@acme.test'],
    ['Ada.Lovelace@Acme.TEST', 'ada.lovelace@acme.test'],
    ["o'brien+tag@acme.test", "o'brien+tag@acme.test"],
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['ada@XN--BCHER-KVA.example', 'ada@xn--bcher-kva.example'],
  ];
  for (const [given, address] of rows) t.equal(parseEmail(given)?.address, address, given);
  t.end();
});

t.test('case 2: what two programs could read as two addresses is no address', (t) => {
  const rows: unknown[] = [
    'x@b.test@a.test',
    '"x@a.test"@b.test',
    '"x"@a.test',
    'ada@b.test。example',
    'ada@ａcme.test',
    'ada@acme\u00ad.test',
    'victim＠b.test',
    'victim＠b.test@a.test',
    ['x@a.test'],
    { toString: () => 'x@a.test' },
    42,
    null,
    '',
    '@a.test',
    'x@',
    'x@a',
    'x@a.test.',
    'x@.a.test',
    'x@a..test',
    'x@-a.test',
    'x@127.0.0.1',
    'x@[127.0.0.1]',
    'x@a.test\n',
    ' x@a.test',
    'x @a.test',
    'x\u0000@a.test',
    'x@a.test\u0000',
    'x@a.test,y@b.test',
    'x@a.test;y',
    'x(comment)@a.test',
    'x@a.test(comment)',
    '<x@a.test>',
    'x..y@a.test',
    '.x@a.test',
    'ünal@a.test',
    'x@a℀b.test',
    'x@a/b.test',
    'x@xn--a.test\u00ad',
    `${'a'.repeat(65)}@a.test`,
    `x@${'a'.repeat(64)}.test`,
    `x@${'a.'.repeat(130)}test`,
  ];
  for (const given of rows) t.equal(parseEmail(given), undefined, JSON.stringify(given));
  t.end();
});

t.test('whatever is accepted is plain ASCII, has one @, and is its own canonical form', (t) => {
  const piece = fc.constantFrom(
    'a',
    'Z',
    '.',
    '@',
    '"',
    ' ',
    '\n',
    '＠',
    '。',
    'ü',
    '-',
    '_',
    '+',
    'xn--',
    '%40',
    '\u202e',
    '/',
    'a.test',
    '⑨',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.array(piece, { maxLength: 12 }).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(text, (given) => {
      const email = parseEmail(given);
      if (!email) return;
      if (!/^[\x21-\x3f\x41-\x7e]+@[a-z0-9.-]+$/.test(email.address)) throw new Error(email.address);
      if (parseEmail(email.address)?.address !== email.address) throw new Error(`not canonical: ${email.address}`);
      if (parseDomain(email.domain) !== email.domain || !email.address.endsWith(`@${email.domain}`))
        throw new Error(email.domain);
    }),
    { numRuns: 50_000 },
  );
  t.end();
});
