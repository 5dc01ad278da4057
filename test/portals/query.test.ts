import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { readQuery } from '../../src/portals/query.ts';
import { refusal } from './refusal.ts';

const reasonFor = (text: string) => refusal(() => readQuery(text));

t.test('a query is read as browsers write it', (t) => {
  const rows: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
    ['', []],
    ['&&', []],
    [
      'a=1&b=2',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    ['a', [['a', '']]],
    ['a=b=c', [['a', 'b=c']]],
    ['a=b+c%2B%20d', [['a', 'b c+ d']]],
    ['%61=%C3%A9%F0%9F%99%82', [['a', 'é🙂']]],
    ['a=1;b=2', [['a', '1;b=2']]],
    [
      '__proto__=1&constructor=2',
      [
        ['__proto__', '1'],
        ['constructor', '2'],
      ],
    ],
    [
      'openid.ns=1&openid.mode=2',
      [
        ['openid.ns', '1'],
        ['openid.mode', '2'],
      ],
    ],
  ];
  for (const [text, pairs] of rows) t.same([...readQuery(text)], pairs, text);
  t.end();
});

t.test('a name that stands twice is refused, whatever it is and however it is written', (t) => {
  const rows = [
    'a=1&a=2',
    'a&a',
    'a=1&%61=2',
    'a=1&A=2',
    'a=1&a[]=2',
    'a[]=1&a[]=2',
    'a=1&a%5B0%5D=2',
    'a=1&%2561=2',
    'a=1&+a=2',
    '=1&=2',
  ];
  for (const text of rows) t.equal(reasonFor(text), 'request_parameter_duplicated', text);
  t.end();
});

t.test('broken escapes, control characters and what is not UTF-8 are refused', (t) => {
  const rows = [
    'a=%',
    'a=%2',
    'a=%zz',
    '%=1',
    'a=%ff',
    'a=%c0%af',
    'a=%ed%a0%80',
    'a=%00',
    'a%00=1',
    'a=%0d%0a',
    'a=%7f',
    'a=\u0000',
    'a=\n',
    'a=é',
    'a=\ud800',
    'a=%u0041',
  ];
  for (const text of rows) t.equal(reasonFor(text), 'request_malformed', JSON.stringify(text));
  t.end();
});

t.test('what is read agrees with the WHATWG parser, and nothing else is thrown than a refusal', (t) => {
  const piece = fc.oneof(
    fc.constantFrom('&', '=', '%', '%41', '+', 'a', '%C3%A9', ';', '[]'),
    fc.string({ unit: 'binary', maxLength: 3 }),
  );
  let read = 0;
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
      (text) => {
        if (reasonFor(text) !== 'accepted') return;
        read++;
        assert.deepEqual([...readQuery(text)], [...new URLSearchParams(`&${text}`)]);
      },
    ),
    { numRuns: 5_000 },
  );
  t.ok(read > 500, `${read} were read`);
  t.end();
});
