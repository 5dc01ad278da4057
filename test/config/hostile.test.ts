import fc from 'fast-check';
import t from 'tap';
import { checkRoutes } from '../../src/config/check.ts';
import { describeProblems } from '../../src/config/describe.ts';
import { parseYaml } from '../../src/config/parse-yaml.ts';
import { checkText, GOOD, goodWith, refused, VARIABLES } from './routes-text.ts';

const nested = (levels: number, open: string, close: string) => `a: ${open.repeat(levels)}${close.repeat(levels)}`;
const letters = [...'abcdefghi'];
const aliasBomb = (leaf: string) =>
  letters
    .map((letter, index) => {
      const before = letters[index - 1];
      return `${letter}: &${letter} [${Array(9)
        .fill(before ? `*${before}` : leaf)
        .join(', ')}]`;
    })
    .join('\n');

/** The text, and a word of the reason. */
const BOMBS: readonly (readonly [title: string, text: string, reason: RegExp])[] = [
  ['aliases of aliases', aliasBomb('x'), /aliases make this file too large/],
  [
    'aliases where the grammar has a list',
    goodWith(['discovery:', `${aliasBomb('x')}\ntrusted_proxies: *i\ndiscovery:`]),
    /aliases make/,
  ],
  ['an alias inside its own anchor', 'portals: &a { x: *a }', /no anchor above/],
  ['20,000 levels of lists', nested(20_000, '[', ']'), /nested too deeply/],
  ['20,000 levels of unclosed lists', nested(20_000, '[', ''), /nested too deeply/],
  ['20,000 levels of mappings', nested(20_000, '{ a: ', '}'), /nested too deeply/],
  ['20,000 levels of dashes on one line', '- '.repeat(20_000), /nested too deeply/],
  ['20,000 levels of explicit keys', '? '.repeat(20_000), /nested too deeply/],
  [
    '3,000 levels of indentation',
    Array.from({ length: 3_000 }, (_, index) => `${' '.repeat(index)}a:`).join('\n'),
    /nested too deeply/,
  ],
  [
    'a huge !!omap',
    `a: !!omap [${Array.from({ length: 100_000 }, (_, index) => `{ k${index}: 1 }`).join(',')}]`,
    /tags/,
  ],
  ['many unknown tags', `a: [${'!x y,'.repeat(200_000)}]`, /tags/],
  ['a mapping with 5,000 equal keys', 'a: 1\n'.repeat(5_000), /duplicate key/],
  ['100,000 closing brackets', '}\n'.repeat(100_000), /not valid YAML/],
  ['100,000 documents', '---\n'.repeat(100_000), /second YAML document/],
  ['more than 8 MiB', '#'.repeat(8 * 1024 * 1024 + 1), /too long/],
  ['__proto__ at the top', `__proto__: { insecure_development: true }\n${GOOD}`, /cannot be a key/],
  ['__proto__ as an environment', goodWith(['  eu:', '  __proto__:']), /cannot be a key/],
  [
    '__proto__ in quotes',
    goodWith(['claims: [account_id] }\n  eu', 'claims: [account_id], "__proto__": { shared: true } }\n  eu']),
    /cannot be a key/,
  ],
  ['constructor as a key', `constructor: { prototype: { x: 1 } }\n${GOOD}`, /unknown key/],
];

for (const [title, text, reason] of BOMBS) {
  t.test(`case 38: ${title}`, async (t) => {
    const start = performance.now();
    const problems = refused(checkText(text));
    const took = performance.now() - start;
    t.ok(
      problems.some(({ message }) => reason.test(message)),
      `the reason is ${reason}`,
    );
    t.ok(took < 1000, `rejected in ${Math.round(took)} ms`);
    t.equal(({} as Record<string, unknown>).insecure_development, undefined, 'no prototype was touched');
  });
}

t.test('a key that is no plain text, and other broken syntax, is reported without its text', async (t) => {
  const rows = [
    ['? [a, hunter2]\n: 1', /key must be plain text/],
    ['public_url: "hunter2', /character is missing/],
    ['public_url: @hunter2', /cannot start with/],
    ['public_url: !hunter2 x', /tags/],
    ['public_url: *hunter2', /no anchor above/],
    ['public_url: hunter2: x', /two keys on one line/],
    ['public_url: "\\hunter2"', /escape/],
    ['\tpublic_url: x', /./],
    ['} hunter2', /not valid YAML/],
  ] as const;
  for (const [text, reason] of rows) {
    const problems = refused(checkText(text));
    t.ok(
      problems.some(({ message }) => reason.test(message)),
      `${text} → ${reason}`,
    );
    t.notMatch(describeProblems(problems), /hunter2/);
  }
});

t.test('positions are those of keys and values, through aliases and with any line ends', async (t) => {
  const { locate } = parseYaml('a.yaml', 'a: &x\r\n  b: 1\r\nc: *x\r\nd:\r\n  - e\r\n  - { f: }\r\n');
  const rows = [
    [['a', 'b'], 'value', 2, 6],
    [['a', 'b'], 'key', 2, 3],
    [['c'], 'value', 3, 4],
    [['c', 'b'], 'value', 2, 6],
    [['d', 0], 'value', 5, 5],
    [['d', 1, 'f'], 'value', 6, 7],
    [['d', 1, 'missing'], 'key', 6, 5],
    [['missing', 'too'], 'key', 1, 1],
  ] as const;
  for (const [path, at, line, column] of rows)
    t.strictSame(locate(path, at), { line, column }, `${path.join('.')} ${at}`);
});

const secrets = Object.entries(VARIABLES);
const scalar = fc.oneof(
  fc.string(),
  fc.constantFrom(
    'any',
    'handoff',
    'HS256',
    'https://a.test/',
    'us',
    'pylon',
    '/callback',
    '10m',
    null,
    true,
    1,
    -1.5,
    1e300,
  ),
);
const key = fc.oneof(
  fc.string(),
  fc.constantFrom(
    ...[
      'public_url',
      'portals',
      'environments',
      'discovery',
      'us',
      'login',
      'protocol',
      'secret',
      'env',
      'file',
      'by',
      'when',
    ],
    ...[
      'host',
      'portal',
      'in',
      'may_assert',
      'email_domains',
      'claims',
      'sets',
      'signing',
      'preset',
      'settings',
      'seal_keys',
    ],
  ),
);
const tree = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: 'medium' },
    scalar,
    fc.array(tie('node'), { maxLength: 4 }),
    fc.dictionary(key, tie('node'), { maxKeys: 8 }),
  ),
})).node;

t.test('no text and no tree makes the check throw', async (t) => {
  const absent = () => ({ error: 'ENOENT' });
  const nothing = { readFile: absent, listFolder: absent, realPath: absent };
  const check = (text: string) => checkRoutes({ file: 'r.yaml', text, ...nothing, now: 0, variables: VARIABLES });
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => void check(text)),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(tree, (value) => void check(JSON.stringify(value))),
    { numRuns: 500 },
  );
  t.pass('1,000 files');
});

t.test('a good file with any piece cut out, doubled or replaced never throws and never repeats a secret', async (t) => {
  const lines = GOOD.split('\n');
  const planted = secrets.map(([, value]) => value);
  const piece = fc.oneof(
    fc.constantFrom(...planted, '[', '}', '&a', '*a', '!', ': ', '- ', '\t', '__proto__: x'),
    fc.string(),
  );
  const edit = fc.record({ at: fc.nat(lines.length - 1), column: fc.nat(70), cut: fc.nat(20), piece });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const changed = [...lines];
      for (const { at, column, cut, piece: text } of edits) {
        const line = changed[at] ?? '';
        changed[at] = `${line.slice(0, column)}${text}${line.slice(column + cut)}`;
      }
      const text = changed.join('\n');
      const outcome = checkText(text);
      const said = describeProblems(outcome.ok ? outcome.notices : outcome.problems);
      // A value that the file holds in plain text is nobody's secret any more, unless it stands where one belongs.
      return planted.every((value) => text.includes(value) || !said.includes(value));
    }),
    { numRuns: 1_000 },
  );
  t.pass('1,000 files');
});

t.test('a secret written where its reference belongs is not repeated', async (t) => {
  const value = VARIABLES.US ?? '';
  for (const written of [
    value,
    `{ ${value} }`,
    `{ env: ${value} }`,
    `{ env:${value} }`,
    `[${value}]`,
    `{ ${value}: x }`,
    `"${value}`,
    `!${value}`,
  ]) {
    const said = describeProblems(refused(checkText(goodWith(['{ env: US }', written]))));
    t.notMatch(said, new RegExp(value), written.replace(value, '…'));
  }
});

t.test('a description holds no control characters of the file', async (t) => {
  const problems = refused(checkText(`"\\e[31mred\\u009b\\u202e": 1\n${GOOD}`));
  for (const line of describeProblems(problems).split('\n')) t.notMatch(line, /[\p{Cc}\p{Cf}]/u);
});
