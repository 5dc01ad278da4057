import { BlockList } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { matchLanguage, preferredLanguages } from '../../src/core/accept-language.ts';
import type { Facts } from '../../src/core/facts.ts';
import type { PortalName } from '../../src/core/names.ts';
import { addRange, type Condition, matchCondition } from '../../src/core/rule.ts';

const SUPPORT = 'support' as PortalName;

type Given = {
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly host?: string;
  readonly clientIp?: string;
};

const facts = ({ headers = {}, query = {}, host = 'login.acme.test', clientIp = '192.0.2.1' }: Given = {}): Facts => ({
  query: (name) => (Object.hasOwn(query, name) ? query[name] : undefined),
  returnQuery: () => undefined,
  header: (name) => (Object.hasOwn(headers, name) ? headers[name] : undefined),
  host,
  clientIp,
  visits: [],
  unfinished: [],
});

const holds = (when: Condition, given?: Given): boolean => matchCondition(when, facts(given), SUPPORT).holds;
const ranges = (...texts: string[]): BlockList => {
  const list = new BlockList();
  for (const text of texts) if (!addRange(list, text)) throw new Error(text);
  return list;
};
const language = (header: string): Given => ({ headers: { 'accept-language': header } });

const COUNTRY: Condition = { header: { name: 'cf-ipcountry', in: new Set(['DE', 'FR']) } };
const GERMAN: Condition = { language: new Set(['de']) };
const OFFICE: Condition = { clientIp: ranges('10.0.0.0/8', '2001:db8::/32', '198.51.100.7') };
const HOST: Condition = { host: new Set(['login.acme.test', 'login.acme.test:8443']) };
const SOURCE: Condition = { query: { name: 'source', in: new Set(['docs']) } };

// biome-ignore format: a table
const PARTS: readonly (readonly [title: string, when: Condition, given: Given, holds: boolean])[] = [
  ['a header with one of the values', COUNTRY, { headers: { 'cf-ipcountry': 'FR' } }, true],
  ['a header with another value', COUNTRY, { headers: { 'cf-ipcountry': 'US' } }, false],
  ['a header in another case', COUNTRY, { headers: { 'cf-ipcountry': 'fr' } }, false],
  ['a header that came twice', COUNTRY, { headers: { 'cf-ipcountry': 'DE, FR' } }, false],
  ['no such header', COUNTRY, {}, false],
  ['a header named like something of every object', { header: { name: 'constructor', in: new Set(['']) } }, {}, false],
  ['a parameter', SOURCE, { query: { source: 'docs' } }, true],
  ['another parameter', SOURCE, { query: { Source: 'docs' } }, false],
  ['the host', HOST, {}, true],
  ['the host with a port', HOST, { host: 'login.acme.test:8443' }, true],
  ['another port', HOST, { host: 'login.acme.test:8444' }, false],
  ['no host', HOST, { host: '' }, false],
  ['the portal', { portal: new Set(['support']) }, {}, true],
  ['another portal', { portal: new Set(['docs']) }, {}, false],
  ['a network', OFFICE, { clientIp: '10.255.0.1' }, true],
  ['beside the network', OFFICE, { clientIp: '11.0.0.1' }, false],
  ['a single address', OFFICE, { clientIp: '198.51.100.7' }, true],
  ['an IPv6 network', OFFICE, { clientIp: '2001:DB8:1::1' }, true],
  ['an IPv4 address inside IPv6', OFFICE, { clientIp: '::ffff:10.0.0.1' }, true],
  ['the same in capitals', OFFICE, { clientIp: '::FFFF:10.0.0.1' }, true],
  ['the same in hexadecimal', OFFICE, { clientIp: '::ffff:a00:1' }, true],
  ['an address with a zone', OFFICE, { clientIp: 'fe80::1%eth0' }, false],
  ['an address with a port', OFFICE, { clientIp: '10.0.0.1:80' }, false],
  ['no address', OFFICE, { clientIp: '' }, false],
  ['a language', GERMAN, language('de'), true],
  ['a regional form', GERMAN, language('de-AT'), true],
  ['capitals', GERMAN, language('DE-at;Q=0.9, EN;q=0.8'), true],
  ['the first of equals', GERMAN, language('de, en'), true],
  ['the second of equals', GERMAN, language('en, de'), false],
  ['the heaviest, wherever it stands', GERMAN, language('en;q=0.8, fr;q=0.7, de;q=0.9'), true],
  ['a language that begins alike', GERMAN, language('den'), false],
  ['a region, where its language is preferred', { language: new Set(['de-at']) }, language('de'), false],
  ['any language', GERMAN, language('*'), false],
  ['any language, but less', GERMAN, language('*;q=0.1, de;q=0.2'), true],
  ['a language that is refused', GERMAN, language('de;q=0'), false],
  ['the next after one that is refused', GERMAN, language('fr;q=0.000, de;q=0.3'), true],
  ['no such header', GERMAN, {}, false],
];

t.test('each part of a condition holds for what it names, and for nothing else', (t) => {
  for (const [title, when, given, expected] of PARTS) {
    t.equal(holds(when, given), expected, title);
    t.equal(holds({ not: when }, given), !expected, `not: ${title}`);
  }
  t.end();
});

t.test('conditions nest: all parts of one mapping have to hold', (t) => {
  const yes: Condition = { host: new Set(['login.acme.test']) };
  const no: Condition = { host: new Set(['elsewhere.test']) };
  const rows: readonly (readonly [Condition, boolean])[] = [
    [{ any: [no, yes] }, true],
    [{ any: [no, no] }, false],
    [{ all: [yes, yes] }, true],
    [{ all: [yes, no] }, false],
    [{ not: no }, true],
    [{ ...yes, not: yes }, false],
    [{ ...yes, any: [no, yes], all: [yes], not: no }, true],
    [{ ...yes, any: [no], all: [yes], not: no }, false],
    [{ ...no, any: [yes] }, false],
    [{ not: { any: [no, { all: [yes, { not: yes }] }] } }, true],
    [{ not: { not: { not: { not: yes } } } }, true],
  ];
  for (const [when, expected] of rows) t.equal(holds(when), expected, JSON.stringify(Object.keys(when)));
  t.end();
});

t.test('the trail shows what was looked at, each once, until the outcome was known', (t) => {
  const saw = (when: Condition, given?: Given) => matchCondition(when, facts(given), SUPPORT).saw;
  const portal: Condition = { portal: new Set(['docs']) };
  t.equal(saw({ ...COUNTRY, ...OFFICE }, { headers: { 'cf-ipcountry': 'DE' } }), 'cf-ipcountry=DE client_ip=192.0.2.1');
  t.equal(saw({ ...COUNTRY, ...OFFICE }), 'cf-ipcountry=', 'the last thing seen decided');
  t.equal(
    saw({ any: [portal, GERMAN], not: portal }, language('de-AT;q=0.5, fr;q=0.4')),
    'portal=support language=de-at',
  );
  t.equal(saw({ query: { name: 'source', in: new Set(['x']) } }, { query: { source: 'docs' } }), 'source=docs');
  t.end();
});

t.test('languages come in the order of preference, whatever the header', (t) => {
  const rows: readonly (readonly [header: string | undefined, languages: readonly string[]])[] = [
    [undefined, []],
    ['', []],
    ['de-AT,de;q=0.9,en-US;q=0.8,en;q=0.7', ['de-at', 'de', 'en-us', 'en']],
    ['en;q=0.1, fr , de;q=1.000', ['fr', 'de', 'en']],
    [' fr ; q=0.5 ,\tpt-BR ;q=0.6\t', ['pt-br', 'fr']],
    ['de, de;q=0.2, DE', ['de']],
    ['*', ['*']],
    ['zh-Hant-TW, *;q=0.5, en;q=0', ['zh-hant-tw', '*']],
    ['de;q=2, fr;q=-1, es;q=0.1234, it;q=, pt;q, nl;x=1, sv;q=0.5;q=0.9, da', ['da']],
    [',,;q=1,;;, de_DE, deutschland, 12, é, <de>, "de", de-, -de, da', ['da']],
    ['__proto__, constructor, da', ['da']],
    [`${'a,'.repeat(60)}da`, ['a']],
    ['x'.repeat(30_000), []],
    [`de${'-aaaaaaaa'.repeat(3_000)}!`, []],
  ];
  for (const [header, languages] of rows)
    t.strictSame(preferredLanguages(header), languages, (header ?? 'no header').slice(0, 60));
  t.end();
});

t.test('a language is matched by the longest of those it is a form of', (t) => {
  const among = ['zh', 'zh-hant', 'pt-br', 'en'];
  const rows = [
    ['zh-hant-tw', 'zh-hant'],
    ['zh-hans', 'zh'],
    ['pt', undefined],
    ['pt-br', 'pt-br'],
    ['eng', undefined],
    ['*', undefined],
  ] as const;
  for (const [asked, match] of rows) t.equal(matchLanguage(asked, among), match, asked);
  t.end();
});

const anything = fc.oneof(
  fc.constantFrom('DE', 'docs', '10.0.0.1', 'de-AT, *;q=0.1', '__proto__', 'login.acme.test', ''),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
const givens: fc.Arbitrary<Given> = fc.record({
  headers: fc.dictionary(fc.constantFrom('cf-ipcountry', 'accept-language'), anything),
  query: fc.dictionary(fc.constantFrom('source'), anything),
  host: anything,
  clientIp: fc.oneof(anything, fc.ipV4(), fc.ipV6()),
});
const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(COUNTRY, GERMAN, OFFICE, HOST, SOURCE),
    fc.constantFrom<Condition>({ ...COUNTRY, ...GERMAN }, { ...HOST, ...OFFICE, portal: new Set(['support']) }),
    fc.record({ any: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ all: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('condition') }),
  ),
}));

t.test('whatever comes in, no condition throws, and the laws of De Morgan hold', (t) => {
  let held = 0;
  fc.assert(
    fc.property(condition, condition, givens, (a, b, given) => {
      const is = (when: Condition) => holds(when, given);
      if (is(a)) held++;
      return (
        is({ not: { any: [a, b] } }) === is({ all: [{ not: a }, { not: b }] }) &&
        is({ not: { all: [a, b] } }) === is({ any: [{ not: a }, { not: b }] }) &&
        is({ not: { not: a } }) === is(a)
      );
    }),
    { numRuns: 10_000 },
  );
  t.ok(held > 500, `${held} conditions held`);
  t.end();
});
