import { BlockList } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { coarsen, describeRange, isSplitBy, parseRange, rangesOf } from '../../src/core/address-range.ts';
import { blindSpots } from '../../src/core/blind-spots.ts';
import { openComparison } from '../../src/core/comparison.ts';
import { decide } from '../../src/core/decide.ts';
import type { Discovery, Step } from '../../src/core/discovery.ts';
import type { Environment } from '../../src/core/environment.ts';
import type { Facts } from '../../src/core/facts.ts';
import type { EnvironmentName, PortalName } from '../../src/core/names.ts';
import { parseRecord } from '../../src/core/parse-record.ts';
import { readsOf } from '../../src/core/reads.ts';
import { factsOf, type RoutingDecision, recordOf } from '../../src/core/record.ts';
import type { Routes } from '../../src/core/routes.ts';
import { addRange, addressIn, type Condition } from '../../src/core/rule.ts';
import { WITHHELD, withhold } from '../../src/core/withhold.ts';

const NOW = 1_700_000_000;
const DAY = 86_400;
const PORTAL = 'support' as PortalName;
const named = (...names: string[]) => names as EnvironmentName[];

const environments = new Map(
  named('us', 'eu', 'globex', 'off').map((name): [EnvironmentName, Environment] => [
    name,
    {
      name,
      title: name,
      appUrl: `https://${name}.acme.test/`,
      listed: name !== 'globex',
      disabled: name === 'off',
      mayAssert: { emailDomains: 'any', claims: new Set(), grants: new Set(), emailVerified: 'not_required' },
      sets: {},
    },
  ]),
);

const app = (path: string, name: string) => ({ path, environment: name as EnvironmentName });

const routes = (steps: readonly Step[], more: Partial<Discovery> = {}): Routes => ({
  environments,
  portals: new Map([[PORTAL, { name: PORTAL, title: 'Support', environments: new Set(environments.keys()) }]]),
  discovery: {
    steps,
    byDomain: new Map([
      ['acme.test', named('us')],
      ['globex.example', named('globex')],
      ['shared.test', named('us', 'eu')],
    ]),
    byAppOrigin: new Map([
      ['https://us.acme.test', [app('/', 'us')]],
      ['https://app.acme.test', [app('/eu/', 'eu'), app('/', 'us')]],
    ]),
    ...more,
  },
});

type Given = {
  query?: Record<string, string>;
  returnQuery?: Record<string, string>;
  headers?: Record<string, string>;
} & Partial<Omit<Facts, 'query' | 'returnQuery' | 'header'>>;

const lookup = (values: Record<string, string>) => (name: string) =>
  Object.hasOwn(values, name) ? values[name] : undefined;

const facts = ({ query = {}, returnQuery = {}, headers = {}, ...rest }: Given = {}): Facts => ({
  query: lookup(query),
  returnQuery: lookup(returnQuery),
  header: lookup(headers),
  host: 'login.acme.test',
  clientIp: '203.0.113.77',
  visits: [],
  unfinished: [],
  ...rest,
});

function route(by: Routes, given: Facts, now = NOW): RoutingDecision {
  const request = { portal: PORTAL, initiated: 'portal', params: {} } as const;
  const decision = decide(by, { about: 'start', request, facts: given }, now);
  if (decision.do === 'hand_back') throw new Error('not at a start');
  return decision;
}

const record = (by: Routes, given: Facts, now = NOW) =>
  recordOf(readsOf(by), PORTAL, given, route(by, given, now), now);

/** Through text, as stores and files keep it. */
function replay(by: Routes, given: Facts, replayedBy = by) {
  const kept = parseRecord(JSON.stringify(record(by, given)));
  if (!kept) throw new Error('a record of ours is readable');
  const missing = new Set<string>();
  const again = factsOf(kept, readsOf(replayedBy), NOW + 10 * DAY, (what) => missing.add(what));
  return { decision: route(replayedBy, again, NOW + 10 * DAY), missing: [...missing], kept };
}

const outcome = (decision: RoutingDecision) => ({
  environment: decision.do === 'depart' ? decision.environment.name : undefined,
  page: decision.do === 'ask' ? decision.page : undefined,
  reason: decision.reason,
  trail: decision.trail.map(({ by, outcome: how, reason }) => `${by} ${how} ${reason}`),
});

const blockList = (...ranges: string[]) => {
  const list = new BlockList();
  for (const range of ranges) if (!addRange(list, range)) throw new Error(range);
  return list;
};

const rule = (when: Condition, to = 'eu'): Step => ({ by: 'rule', when, to: to as EnvironmentName });

// --- What a record is for -----------------------------------------------------------------------------------------

const value = fc.oneof(
  fc.constantFrom('us', 'eu', 'off', 'nowhere', 'acme.test', 'GLOBEX.example', 'shared.test', 'DE', 'FR', 'gold', ''),
  fc.constantFrom(
    'ada@acme.test',
    ' Kim@globex.example ',
    'x@y@z.test',
    'a%40acme.test',
    '203.0.113.77',
    '…',
    '@acme.test',
  ),
  fc.constantFrom('x'.repeat(65), `${'long-name.'.repeat(8)}test`, 'bücher.test', 'de-AT,de;q=0.9,en;q=0.1', 'fr'),
  fc.string({ maxLength: 80 }),
);
const page = fc.oneof(
  fc.constantFrom('https://us.acme.test/people/ada@acme.test?x=1', 'https://app.acme.test/eu/tickets', 'about:blank'),
  fc.constantFrom('https://app.acme.test/europe', 'https://us.acme.test/', 'https://us.acme.test/ada', 'null', ''),
  fc.webUrl(),
  value,
);
const instant = fc.oneof(fc.integer({ min: NOW - 40 * DAY, max: NOW + 120 }), fc.integer({ min: NOW - 90, max: NOW }));
const environmentName = fc.constantFrom(...named('us', 'eu', 'globex', 'off', 'gone'));
const dictionary = fc.dictionary(fc.constantFrom('env', 'org', 'login_hint', 'plan'), value);

const givenFacts = fc
  .record({
    query: dictionary,
    returnQuery: dictionary,
    headers: fc.record(
      { referer: page, origin: page, 'cf-ipcountry': value, 'x-plan': value, 'accept-language': value },
      { requiredKeys: [] },
    ),
    host: fc.constantFrom('login.acme.test', 'login.acme.test:8443', '127.0.0.1:8080', 'evil@host'),
    clientIp: fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom('10.1.2.3', '203.0.113.77', '192.0.2.9', '::ffff:10.1.2.3', '2001:db8:1::5', ''),
    ),
    visits: fc.array(
      fc.record({ portal: fc.constant(PORTAL), environment: environmentName, at: instant, appUrl: value }),
    ),
    unfinished: fc.array(fc.record({ environment: environmentName, at: instant })),
    choice: fc.option(fc.oneof(environmentName, value), { nil: undefined }),
    typedEmail: fc.option(value, { nil: undefined }),
    ask: fc.option(fc.constantFrom('email', 'picker'), { nil: undefined }),
    tried: fc.option(fc.array(environmentName), { nil: undefined }),
  })
  .map(({ choice, typedEmail, ask, tried, ...rest }) =>
    facts({
      ...rest,
      ...(choice !== undefined && { choice }),
      ...(typedEmail !== undefined && { typedEmail }),
      ...(ask !== undefined && { ask }),
      ...(tried && { tried }),
    }),
  );

const NAMED = ['DE', 'FR', 'gold', 'us', 'https://us.acme.test/', 'x'.repeat(65)];
const texts = fc.uniqueArray(fc.constantFrom(...NAMED), { minLength: 1 }).map((some) => new Set(some));
const headerName = fc.constantFrom('cf-ipcountry', 'x-plan', 'referer', 'accept-language');
const cidrs = fc.uniqueArray(
  fc.constantFrom(
    '10.0.0.0/8',
    '10.1.0.0/16',
    '203.0.113.0/24',
    '203.0.113.64/26',
    '192.0.2.1',
    '2001:db8::/32',
    '::/0',
  ),
  { minLength: 1 },
);
const { when } = fc.letrec<{ when: Condition }>((tie) => ({
  when: fc.oneof(
    { depthSize: 'small' },
    fc.record({ name: headerName, in: texts }).map((header) => ({ header })),
    fc.record({ name: fc.constantFrom('plan', 'env'), in: texts }).map((query) => ({ query })),
    fc.constantFrom(new Set(['login.acme.test']), new Set(['127.0.0.1:8080'])).map((host) => ({ host })),
    cidrs.map((ranges) => ({ clientIp: blockList(...ranges) })),
    fc.constantFrom(new Set(['de']), new Set(['fr', 'de-at'])).map((language) => ({ language })),
    fc.array(tie('when'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
    fc.array(tie('when'), { minLength: 1, maxLength: 3 }).map((all) => ({ all })),
    tie('when').map((not) => ({ not })),
  ),
}));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom<Step[]>({ by: 'source' }, { by: 'login_hint' }, { by: 'email' }, { by: 'picker' }),
  fc.constantFrom<Step[]>({ by: 'hint', params: ['env', 'org'] }, { by: 'hint', params: ['login_hint'] }),
  fc
    .constantFrom(30 * DAY, 12 * 3600, 90 * 60, 45, 1)
    .map((forSeconds): Step => ({ by: 'remembered', forSeconds, confirm: forSeconds === 45 })),
  fc.record({ when, to: environmentName }).map(({ when: given, to }) => rule(given, to)),
  environmentName.map((to): Step => ({ by: 'default', to })),
);

t.test('the same routes answer a record as they answered the login, step for step', async (t) => {
  let [judged, all] = [0, 0];
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 7 }), givenFacts, (steps, given) => {
      const by = routes(steps);
      const { decision, missing } = replay(by, given);
      all += 1;
      // A block of addresses that a rule splits is told, never guessed.
      if (missing.length > 0) return missing.every((what) => /^client_ip within \/(?:24|48)$/.test(what));
      judged += 1;
      const [was, is] = [outcome(route(by, given)), outcome(decision)];
      if (JSON.stringify(was) !== JSON.stringify(is)) throw new Error(`${JSON.stringify(was)} ${JSON.stringify(is)}`);
      return true;
    }),
    { numRuns: 10_000 },
  );
  t.ok(judged > 0.97 * all, `${judged} of ${all} could be judged`);
});

t.test('what new routes look at and no record holds is told, where discovery comes to it', async (t) => {
  const old = routes([{ by: 'hint', params: ['env'] }, { by: 'picker' }]);
  const rows: [string, Step, string][] = [
    ['a header', rule({ header: { name: 'x-plan', in: new Set(['gold']) } }), 'header x-plan'],
    ['a parameter', { by: 'hint', params: ['org'] }, 'parameter org'],
    ['the host', rule({ host: new Set(['a.test']) }), 'host'],
    ['the address', rule({ clientIp: blockList('10.0.0.0/8') }), 'client_ip'],
    ['the language', rule({ language: new Set(['de']) }), 'header accept-language'],
    ['the page', { by: 'source' }, 'header referer'],
    ['the memory', { by: 'remembered', forSeconds: DAY, confirm: false }, 'the remembered environment'],
  ];
  for (const [what, added, lacks] of rows) {
    const next = routes([...old.discovery.steps.slice(0, 1), added, { by: 'picker' }]);
    t.match(replay(old, facts(), next).missing[0], lacks, what);
    t.same(replay(old, facts({ query: { env: 'eu' } }), next).missing, [], `${what}, but the hint answered before`);
  }
  const agent = routes([rule({ header: { name: 'user-agent', in: new Set(['curl']) } }), { by: 'picker' }]);
  t.same(replay(agent, facts({ headers: { 'user-agent': 'curl' } })).missing, ['header user-agent'], 'never recorded');
  const coarse = routes([rule({ clientIp: blockList('203.0.0.0/16') }), { by: 'picker' }]);
  const fine = routes([rule({ clientIp: blockList('203.0.113.0/24') }), { by: 'picker' }]);
  t.same(replay(coarse, facts(), fine).missing, ['client_ip within /16']);
  t.same(replay(fine, facts(), coarse).missing, [], 'a smaller block decides for a larger one');
});

t.test('a remembered environment that new routes would have confirmed moves to the page that asks', async (t) => {
  const remembering = (confirm: boolean) =>
    routes([{ by: 'hint', params: ['env'] }, { by: 'remembered', forSeconds: 30 * DAY, confirm }, { by: 'picker' }]);
  const [departs, asks] = [remembering(false), remembering(true)];
  const visits = [{ portal: PORTAL, environment: 'eu' as EnvironmentName, at: NOW - 3 * DAY, appUrl: '' }];
  const comparison = openComparison(departs, asks);
  for (const given of [
    facts({ visits }),
    facts({ visits, query: { env: 'us' } }),
    facts(),
    facts({ visits, choice: 'eu' }),
  ])
    comparison.add(record(departs, given));
  const { judged, moved, moves } = comparison.result();
  t.same([judged, moved], [4, 1]);
  t.match(moves[0], {
    from: { environment: 'eu', by: 'remembered', reason: 'remembered_choice' },
    to: { page: 'picker', by: 'remembered', reason: 'remembered_confirm' },
    parting: { step: 2 },
  });
  t.match(outcome(replay(asks, facts({ visits }), departs).decision), {
    environment: 'eu',
    reason: 'remembered_choice',
  });
});

// --- What a record holds ------------------------------------------------------------------------------------------

t.test('a record holds what routing needs of one login, and no person', async (t) => {
  const by = routes([
    { by: 'hint', params: ['env'] },
    { by: 'source' },
    { by: 'login_hint' },
    { by: 'remembered', forSeconds: 30 * DAY, confirm: false },
    rule({ header: { name: 'cf-ipcountry', in: new Set(['DE']) } }),
    rule({ header: { name: 'cookie', in: new Set(['a=b']) } }),
    rule({ clientIp: blockList('10.0.0.0/8'), language: new Set(['de']) }),
    { by: 'picker' },
  ]);
  const given = facts({
    query: { env: 'nowhere', login_hint: 'Ada.Lovelace@nobody.test', secret: 'x' },
    headers: {
      referer: 'https://mail.test/inbox/ada?token=1',
      cookie: 'session=1',
      'user-agent': 'Browser/1',
      'cf-ipcountry': 'NL',
      'accept-language': 'nl-NL,nl;q=0.9,en-GB;q=0.7',
    },
    visits: [
      { portal: PORTAL, environment: 'eu' as EnvironmentName, at: NOW - 31 * DAY - 5, appUrl: 'https://x.test/' },
    ],
  });
  t.strictSame(record(by, given), {
    version: 1,
    day: '2023-11-14',
    portal: 'support',
    query: { env: 'nowhere', login_hint: '@nobody.test' },
    return_query: { env: null, login_hint: null },
    headers: { referer: 'https://mail.test/', origin: null, 'cf-ipcountry': 'NL' },
    language: 'nl-nl',
    client: '128.0.0.0/1',
    remembered: { environment: 'eu', age: 32 * DAY },
    decided: { page: 'picker', by: 'picker', reason: 'picker_asked' },
  });
  const bare = record(routes([{ by: 'picker' }]), given);
  t.strictSame([bare.query, bare.headers, bare.client, bare.remembered], [{}, {}, undefined, undefined]);
});

t.test('a value that may identify a person is reduced or withheld', async (t) => {
  const rows: [string, string][] = [
    ['eu', 'eu'],
    ['', ''],
    ['globex.example', 'globex.example'],
    ['Ada@Acme.test', '@acme.test'],
    [' ada@acme.test ', '@acme.test'],
    ['Ada <ada@acme.test>', WITHHELD],
    ['ada%40acme.test', WITHHELD],
    ['ada%252540acme.test', WITHHELD],
    ['ada＠acme.test', WITHHELD],
    ['203.0.113.77', WITHHELD],
    ['for=203.0.113.77;proto=https', WITHHELD],
    ['2001:db8::1', WITHHELD],
    ['2001:db8:0:1:2:3:4:5', WITHHELD],
    ['\u001b[2J', WITHHELD],
    ['x'.repeat(64), 'x'.repeat(64)],
    ['x'.repeat(65), WITHHELD],
    ['y'.repeat(65), 'y'.repeat(65)],
  ];
  for (const [given, kept] of rows) t.equal(withhold(given, new Set(['y'.repeat(65)])), kept, JSON.stringify(given));
});

t.test('what the records of old routes cannot show to new ones is said', async (t) => {
  const old = readsOf(routes([{ by: 'source' }]));
  const emailRule = rule({ query: { name: 'u', in: new Set(['ada@acme.test', 'gold']) } });
  const byAppOrigin = new Map([['https://app.acme.test', [app('/eu/', 'eu'), app('/us/', 'us'), app('/', 'us')]]]);
  t.strictSame(blindSpots(old, readsOf(routes([emailRule], { byAppOrigin }))), [
    'a rule compares with "ada@acme.test", which is never recorded as it stands',
    'pages below https://app.acme.test/us/ were recorded as pages of https://app.acme.test',
  ]);
  t.strictSame(blindSpots(old, old), []);
});

// --- Addresses ----------------------------------------------------------------------------------------------------

t.test('an address becomes the largest block that the rules do not split, never finer than /24 or /48', async (t) => {
  const rows: [string, string[], string | undefined][] = [
    ['10.1.2.3', ['10.0.0.0/8'], '10.0.0.0/8'],
    ['11.1.2.3', ['10.0.0.0/8'], '11.0.0.0/8'],
    ['203.0.113.77', ['10.0.0.0/8'], '128.0.0.0/1'],
    ['10.1.2.3', ['2001:db8::/32'], '0.0.0.0/0'],
    ['10.1.2.3', ['10.0.0.0/8', '10.1.2.3'], '10.1.2.0/24'],
    ['::ffff:10.1.2.3', ['10.1.0.0/16'], '10.1.0.0/16'],
    ['::ffff:a01:203', ['10.1.0.0/16'], '10.1.0.0/16'],
    ['2001:db8:1:2:3:4:5:6', ['2001:db8:1:2::/64'], '2001:db8:1::/48'],
    ['2001:db8:1:2:3:4:5:6', ['2001:db8::/32'], '2001:db8::/32'],
    ['2a00::1', ['2001:db8::/32'], '2800::/5'],
    ['fe80::1%eth0', ['::/0'], undefined],
    ['not an address', ['10.0.0.0/8'], undefined],
  ];
  for (const [address, ranges, block] of rows) {
    const found = coarsen(address, rangesOf(blockList(...ranges)));
    t.equal(found && describeRange(found), block, `${address} among ${ranges}`);
  }
  const cidr = fc.oneof(
    fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })),
    fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })),
  );
  fc.assert(
    fc.property(fc.array(cidr, { maxLength: 6 }), fc.oneof(fc.ipV4(), fc.ipV6()), (given, address) => {
      const lists = given.map(([of, bits]) => blockList(`${of}/${bits}`));
      const ranges = lists.flatMap(rangesOf);
      const block = coarsen(address, ranges);
      if (!block || ranges.length !== lists.length) return false;
      const text = describeRange(block);
      if (JSON.stringify(parseRange(text), big) !== JSON.stringify(block, big)) return false;
      const first = text.slice(0, text.indexOf('/'));
      return lists.every(
        (list) => isSplitBy(block, rangesOf(list)) || addressIn(list, first) === addressIn(list, address),
      );
    }),
    { numRuns: 5_000 },
  );
});

const big = (_: string, given: unknown) => (typeof given === 'bigint' ? given.toString(16) : given);

// --- Reading records, comparing routes ----------------------------------------------------------------------------

t.test('a line that is no record is refused, and reading never throws', async (t) => {
  const good = record(routes([{ by: 'picker' }]), facts());
  t.strictSame(parseRecord(JSON.stringify(good)), good);
  const wrong: [string, unknown][] = [
    ['another version', { ...good, version: 2 }],
    ['no portal', { ...good, portal: undefined }],
    ['a day that is none', { ...good, day: '2026-13-45' }],
    ['a time', { ...good, day: '2026-11-02T10:00:00Z' }],
    ['numbers among values', { ...good, query: { env: 1 } }],
    ['a list of values', { ...good, headers: [] }],
    ['a memory without age', { ...good, remembered: { environment: 'eu' } }],
    ['another page', { ...good, ask: 'payment' }],
    ['nothing decided', { ...good, decided: undefined }],
    ['null', null],
    ['a list', [good]],
  ];
  for (const [what, line] of wrong) t.equal(parseRecord(JSON.stringify(line)), undefined, what);
  for (const line of ['', '{', '{"version":1}', 'login 5']) t.equal(parseRecord(line), undefined, line);
  fc.assert(fc.property(fc.json(), (line) => parseRecord(line) === undefined));
});

t.test('a comparison says where logins go instead, why, and where the two ways part', async (t) => {
  const old = routes([{ by: 'hint', params: ['env'] }, { by: 'source' }, { by: 'picker' }]);
  const next = routes([
    { by: 'hint', params: ['env'] },
    { by: 'source' },
    { by: 'default', to: 'eu' as EnvironmentName },
    { by: 'picker' },
  ]);
  const comparison = openComparison(old, next);
  comparison.add(record(old, facts({ query: { env: 'us' } })));
  for (let days = 0; days < 5; days++) comparison.add(record(old, facts(), NOW + days * DAY));
  const { moves, ...result } = comparison.result();
  t.strictSame(result, {
    decisions: 6,
    judged: 6,
    days: ['2023-11-14', '2023-11-18'],
    moved: 5,
    unjudged: new Map(),
    drifted: 0,
  });
  t.match(moves, [
    {
      from: { page: 'picker', by: 'picker', reason: 'picker_asked' },
      to: { environment: 'eu', by: 'default', reason: 'default' },
      parting: { step: 3, was: { by: 'picker' }, is: { by: 'default' } },
      count: 5,
    },
  ]);
  t.equal(moves[0]?.examples.length, 3);

  const drifted = openComparison(next, next);
  drifted.add(record(old, facts()));
  t.match(drifted.result(), { moved: 0, drifted: 1 }, 'a file that changed since the recording is noticed');
  const gone = openComparison(old, { ...next, portals: new Map() });
  gone.add(record(old, facts({ query: { env: 'us' } })));
  t.match(gone.result().moves[0]?.to, { reason: 'portal_unknown' });
});
