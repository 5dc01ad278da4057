import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { parseDocument } from 'yaml';
import { readEverydayYaml } from '../../src/config/everyday-yaml.ts';
import { collectPlaces } from '../../src/config/places.ts';
import { plainTree } from '../../src/config/plain-tree.ts';
import type { Path } from '../../src/config/problem.ts';
import { GOOD } from './routes-text.ts';

/** Tree and all positions as the library has them, or that it finds a fault. */
function byLibrary(text: string) {
  const options = { schema: 'core', strict: true, stringKeys: true, merge: false, resolveKnownTags: false } as const;
  const document = parseDocument(text, { ...options, prettyErrors: false });
  let faults = document.errors.length + document.warnings.length;
  const { tree, offset } = plainTree(document.contents, () => faults++);
  return faults > 0 ? 'faulty' : { tree, places: placesOf(tree, offset) };
}

function byUs(text: string) {
  const plain = readEverydayYaml(text);
  if (!plain) return undefined;
  const places = collectPlaces();
  const root = readEverydayYaml(text, places.mark);
  if (!root) return 'not read alike twice';
  return { tree: plain.tree, places: placesOf(plain.tree, (path, at) => places.offset(root, path, at)) };
}

function placesOf(tree: unknown, offset: (path: Path, at: 'key' | 'value') => number): string[] {
  const found: string[] = [];
  const walk = (value: unknown, path: Path): void => {
    found.push(`${path.join('/')} ${offset(path, 'key')} ${offset(path, 'value')}`);
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) walk(inner, [...path, Array.isArray(value) ? Number(key) : key]);
  };
  walk(tree, []);
  return found;
}

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

t.test('the files that people are shown are everyday ones, and mean what the library says', async (t) => {
  for (const text of [GOOD, read('../../routes.yaml'), read('contract-example.yaml')]) {
    t.ok(readEverydayYaml(text));
    t.same(byUs(text), byLibrary(text));
  }
});

t.test('words mean what the core schema says', async (t) => {
  // biome-ignore format: a table
  const rows: readonly (readonly [word: string, value: unknown])[] = [
    ['us', 'us'], ['', null], ['~', null], ['null', null], ['true', true], ['False', false], ['yes', 'yes'], ['nUll', 'nUll'],
    ['0', 0], ['600', 600], ['60s', '60s'], ['20/s', '20/s'], ['30d', '30d'], ['0.0.0.0:8080', '0.0.0.0:8080'],
    ['10.0.0.0/8', '10.0.0.0/8'], ['127.0.0.1', '127.0.0.1'], ['2026-01-31', '2026-01-31'], ['2026-01-31T10:00:00Z', '2026-01-31T10:00:00Z'],
    ['https://a.test/?b=c&d', 'https://a.test/?b=c&d'], ['http://a.test:80/  # here', 'http://a.test:80/'], ['a#b', 'a#b'], ['a b  c', 'a b  c'],
    ['"a: b # c"', 'a: b # c'], ["'it is'", 'it is'], ["''", ''], ['"null"', 'null'], ['Zürich', 'Zürich'], ['a, b', 'a, b'], ['./own.yaml', './own.yaml'],
  ];
  for (const [word, value] of rows) {
    const text = `a: ${word}\nb: c\n`;
    t.same(byUs(text)?.valueOf(), byLibrary(text), word);
    t.same(readEverydayYaml(text)?.tree, { a: value, b: 'c' }, word);
  }
});

t.test('what it does not expect is left to the library', async (t) => {
  // biome-ignore format: a table
  const texts = [
    '', '# nothing', '- a', 'a', 'a: 0x10', 'a: 007', 'a: 1.5', 'a: -1', 'a: +1', 'a: .5', 'a: 1e3', 'a: 0o17', 'a: .inf', 'a: 12345678901234567890',
    'a: "b\\n"', "a: 'it''s'", 'a: &x b', 'a: *x', 'a: !!str b', 'a: |\n  b', 'a: >\n  b', 'a: b\n  c', 'a: "b\n  c"', 'a: [b,\n c]', '? a\n: b',
    'a:\tb', 'a: b\r\nc: d\r\n', '---\na: b', 'a: b\n---\nc: d', 'a: b\n...', '%YAML 1.2\n---\na: b', '\ufeffa: b', 'a: b\u0085', 'a: b\u2028c', 'a: b\0',
    'a: b\na: c', '__proto__: b', 'a: { __proto__: b }', 'a: { b: 1, b: 2 }', '"a": b', 'a b: c', 'a: b: c', 'a: b:', 'a: { b }', 'a: { b: }', 'a: {b:1}',
    'a: [b: c]', 'a: [b, , c]', 'a: [', 'a: {', 'a: [b] c', 'a: [b]#c', 'a: "b" c', 'a: b]\n c', 'a: [b #c\n]', 'a: ["b":c]', 'a: @b', 'a: `b', 'a: %b', 'a: ?b',
    'a:\n    b: c\n  d: e', ' a: b\nc: d', 'a:\n  - b\n c: d', 'a:\n  -\n    b', 'a:\n  - - b', 'a:\n  - b: c\n   d: e', `a: ${'['.repeat(40)}${']'.repeat(40)}`,
  ];
  for (const text of texts) t.equal(readEverydayYaml(text), undefined, encodeURIComponent(text));
});

/** Mostly what files are made of; the rest is what they might hold, or what somebody might try. */
const word = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.constantFrom(
      'a',
      'us-1',
      'b.c',
      '60s',
      '12',
      'https://a.test/x?y',
      'null',
      'true',
      '"q # r"',
      "'s: t'",
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'é',
      'a b',
      'a#b',
      '0',
      '1.5',
      '0x1f',
      '~',
      '',
      'a,b',
      'a:b',
      '+1',
      '-1',
      '.5',
      '.a',
      '/a',
      '$a',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...[
        '&x',
        '*x',
        '!t',
        '|',
        '>',
        '?',
        '-',
        ':',
        '#',
        '@',
        '%',
        '"\\n"',
        "'it''s'",
        '"',
        "'",
        'a: b',
        'a:',
        '- a',
        '[',
        '}',
        '\t',
        'a\tb',
      ],
      ...['? a', '#c', '<<', '__proto__', '\r', '\u0085', '"a" b', "'a'b", '""', "''", 'a #b', '---', '...'],
    ),
  },
);
const key = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom('a', 'b', 'c', 'd-e', 'f_g', '1h', 'null', '12') },
  { weight: 1, arbitrary: word },
);
const colon = fc.oneof({ weight: 20, arbitrary: fc.constantFrom(': ', ':  ') }, fc.constantFrom(':', ' : '));
const space = fc.oneof({ weight: 10, arbitrary: fc.constantFrom('', ' ') }, fc.constantFrom('  ', '\n  ', ' #c\n'));
const end = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom('', ' ', ' # c') },
  fc.constantFrom('# c', ' #', '\n', '\n   # c'),
);
const joined = (open: string, close: string) => (items: readonly (readonly string[])[]) =>
  `${open}${items.map((item) => item.join('')).join(',')}${close}`;
const flow = fc.letrec<{ value: string; list: string; mapping: string }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, word, tie('list'), tie('mapping')),
  list: fc.array(fc.tuple(space, tie('value'), space), { maxLength: 3 }).map(joined('[', ']')),
  mapping: fc.array(fc.tuple(space, key, colon, tie('value'), space), { maxLength: 3 }).map(joined('{', '}')),
})).value;

/** Lines of a block, indented by what their parents say; a line is now and then off by one. */
const slip = fc.oneof({ weight: 60, arbitrary: fc.constant(0) }, fc.constantFrom(-1, 1));
type Block = readonly { readonly at: number; readonly text: string }[];
const indented = (block: Block, by: number): Block => block.map(({ at, text }) => ({ at: at + by, text }));
const block = fc.letrec<{ node: Block; mapping: Block; list: Block }>((tie) => ({
  node: fc.oneof({ maxDepth: 4 }, tie('mapping'), tie('list')),
  mapping: fc
    .array(
      fc.oneof(
        { maxDepth: 4 },
        fc.tuple(slip, key, colon, flow, end).map(([at, ...parts]): Block => [{ at, text: parts.join('') }]),
        fc.tuple(slip, key, end, fc.constantFrom(0, 1, 2, 4), tie('node')).map(([at, name, rest, by, inner]): Block => {
          return [{ at, text: `${name}:${rest}` }, ...indented(inner, at + by)];
        }),
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((entries) => entries.flat()),
  list: fc
    .array(
      fc.oneof(
        { maxDepth: 4 },
        fc.tuple(slip, flow, end).map(([at, ...parts]): Block => [{ at, text: `- ${parts.join('')}` }]),
        fc.tuple(slip, fc.constantFrom(1, 2, 3), tie('mapping')).map(([at, spaces, inner]): Block => {
          const [first, ...rest] = inner;
          return [{ at, text: `-${' '.repeat(spaces)}${first?.text}` }, ...indented(rest, at + 1 + spaces)];
        }),
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((items) => items.flat()),
})).mapping;
const text = fc
  .tuple(block, fc.constantFrom('\n', '', '\n\n# end'))
  .map(([lines, last]) => lines.map((line) => `${' '.repeat(Math.max(0, line.at))}${line.text}`).join('\n') + last);

/** How often the two are compared; more of it by hand after a change to the reader. */
const RUNS = Number(process.env.RUNS ?? 5_000);

t.test('whatever it reads, the library reads alike, positions included', async (t) => {
  let everyday = 0;
  const agrees = (yaml: string): boolean => {
    const ours = byUs(yaml);
    if (ours === undefined) return true;
    everyday++;
    return fc.stringify(ours) === fc.stringify(byLibrary(yaml));
  };
  fc.assert(fc.property(text, agrees), { numRuns: RUNS });
  t.ok(everyday > RUNS / 10, `${everyday} of ${RUNS} texts were everyday ones`);

  const lines = read('../../routes.yaml')
    .split('\n')
    .filter((line) => !/^\s*#/.test(line));
  const piece = fc.oneof(word, space, flow);
  const edit = fc.record({ at: fc.nat(lines.length - 1), column: fc.nat(40), cut: fc.nat(6), piece });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 2 }), (edits) => {
      const changed = [...lines];
      for (const { at, column, cut, piece: inserted } of edits) {
        const old = changed[at] ?? '';
        changed[at] = `${old.slice(0, column)}${inserted}${old.slice(column + cut)}`;
      }
      return agrees(changed.join('\n'));
    }),
    { numRuns: RUNS / 20 },
  );
});
