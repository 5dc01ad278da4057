import fc from 'fast-check';
import t from 'tap';
import { candidates, type Discovery, discover, type Step, type StepReason } from '../../src/core/discovery.ts';
import type { Environment } from '../../src/core/environment.ts';
import type { Facts } from '../../src/core/facts.ts';
import type { EnvironmentName, PortalName } from '../../src/core/names.ts';
import type { Portal } from '../../src/core/portal.ts';

const NOW = 1_700_000_000;
const DAY = 86_400;
const PORTAL = 'support' as PortalName;
const name = (text: string) => text as EnvironmentName;

const environment = (of: string, more: Partial<Environment> = {}): Environment => ({
  name: name(of),
  title: of.toUpperCase(),
  appUrl: `https://${of}.acme.test/`,
  listed: true,
  disabled: false,
  mayAssert: { emailDomains: 'any', claims: new Set(), grants: new Set(), emailVerified: 'not_required' },
  sets: {},
  ...more,
});

const environments = new Map(
  [
    environment('us'),
    environment('eu'),
    environment('globex', { listed: false }),
    environment('off', { disabled: true }),
    environment('other'),
  ].map((one) => [one.name, one]),
);
const portal: Portal = {
  name: PORTAL,
  title: 'Support',
  environments: new Set(['us', 'eu', 'globex', 'off'].map(name)),
};

const discovery = (...steps: Step[]): Discovery => ({
  steps,
  byDomain: new Map([
    ['acme.test', [name('us')]],
    ['globex.example', [name('globex')]],
    ['off.test', [name('off')]],
    ['shared.test', [name('us'), name('eu')]],
  ]),
  byAppOrigin: new Map([
    ['https://us.acme.test', [{ path: '/', environment: name('us') }]],
    [
      'https://app.acme.test',
      [
        { path: '/eu/', environment: name('eu') },
        { path: '/', environment: name('us') },
      ],
    ],
    [
      'https://twins.acme.test',
      [
        { path: '/', environment: name('eu') },
        { path: '/', environment: name('us') },
      ],
    ],
  ]),
});

type Given = {
  query?: Record<string, string>;
  returnQuery?: Record<string, string>;
  headers?: Record<string, string>;
} & Partial<Omit<Facts, 'query' | 'returnQuery' | 'header'>>;

const facts = ({ query = {}, returnQuery = {}, headers = {}, ...rest }: Given = {}): Facts => ({
  query: (param) => (Object.hasOwn(query, param) ? query[param] : undefined),
  returnQuery: (param) => (Object.hasOwn(returnQuery, param) ? returnQuery[param] : undefined),
  header: (header) => (Object.hasOwn(headers, header) ? headers[header] : undefined),
  host: 'login.acme.test',
  clientIp: '192.0.2.1',
  visits: [],
  unfinished: [],
  ...rest,
});

const visit = (to: string, at: number) => ({
  portal: PORTAL,
  environment: name(to),
  at,
  appUrl: `https://${to}.acme.test/`,
});

const STEPS = {
  hint: { by: 'hint', params: ['env', 'domain_hint'] },
  source: { by: 'source' },
  login_hint: { by: 'login_hint' },
  remembered: { by: 'remembered', forSeconds: 30 * DAY, confirm: false },
  rule: { by: 'rule', when: { header: { name: 'cf-ipcountry', in: new Set(['DE', 'FR']) } }, to: name('eu') },
  email: { by: 'email' },
  picker: { by: 'picker' },
  default: { by: 'default', to: name('us') },
} as const satisfies Record<string, Step>;

const read = (steps: readonly Step[], given: Given = {}) =>
  discover(discovery(...steps), environments, portal, facts(given), NOW);

/** `eu answered by_reason`, `picker asked by_reason` or the last step's reason where nothing answered. */
function summary(steps: readonly Step[], given: Given): string {
  const found = read(steps, given);
  if (found.outcome === 'answered') return `${found.environment.name}: ${found.reason}`;
  if (found.outcome === 'asked') return `ask ${found.page}: ${found.reason}`;
  return `nothing: ${found.trail.at(-1)?.reason}`;
}

t.test('every step alone', (t) => {
  const rows: [keyof typeof STEPS, string, Given, string][] = [
    ['hint', 'absent', {}, 'nothing: hint_absent'],
    ['hint', 'a name', { query: { env: 'eu' } }, 'eu: hint_names_environment'],
    ['hint', 'a name of an unlisted one', { query: { env: 'globex' } }, 'globex: hint_names_environment'],
    ['hint', 'on the return address', { returnQuery: { env: 'eu' } }, 'eu: hint_names_environment'],
    ['hint', 'a domain', { query: { domain_hint: 'Globex.Example' } }, 'globex: hint_names_domain'],
    ['hint', 'a shared domain', { query: { domain_hint: 'shared.test' } }, 'nothing: hint_unknown'],
    ['hint', 'nonsense', { query: { env: '__proto__' } }, 'nothing: hint_unknown'],
    ['hint', 'one that the portal does not offer', { query: { env: 'other' } }, 'nothing: not_offered_here'],
    ['hint', 'a disabled one', { query: { env: 'off' } }, 'nothing: not_offered_here'],
    ['source', 'absent', {}, 'nothing: source_absent'],
    ['source', 'an app', { headers: { referer: 'https://us.acme.test/billing' } }, 'us: source_is_app'],
    ['source', 'an origin', { headers: { origin: 'https://us.acme.test' } }, 'us: source_is_app'],
    ['source', 'the longest path', { headers: { referer: 'https://app.acme.test/eu/x' } }, 'eu: source_is_app'],
    [
      'source',
      'two apps at one place',
      { headers: { referer: 'https://twins.acme.test/' } },
      'nothing: source_ambiguous',
    ],
    [
      'source',
      'a look-alike',
      { headers: { referer: 'https://us.acme.test.evil.example/' } },
      'nothing: source_unknown',
    ],
    ['source', 'no URL', { headers: { referer: 'null' } }, 'nothing: source_unknown'],
    ['login_hint', 'absent', {}, 'nothing: login_hint_absent'],
    ['login_hint', 'a domain', { query: { login_hint: 'kim@globex.example' } }, 'globex: login_hint_domain'],
    ['login_hint', 'unknown', { query: { login_hint: 'kim@nobody.test' } }, 'nothing: login_hint_unknown'],
    ['login_hint', 'shared', { query: { login_hint: 'kim@shared.test' } }, 'nothing: domain_shared'],
    ['login_hint', 'two @', { query: { login_hint: 'kim@x.test@globex.example' } }, 'nothing: login_hint_unknown'],
    ['remembered', 'nothing', {}, 'nothing: remembered_nothing'],
    ['remembered', 'the latest', { visits: [visit('us', NOW - 9), visit('eu', NOW - 5)] }, 'eu: remembered_choice'],
    ['remembered', 'just in time', { visits: [visit('eu', NOW - 30 * DAY)] }, 'eu: remembered_choice'],
    ['remembered', 'too old', { visits: [visit('eu', NOW - 30 * DAY - 1)] }, 'nothing: remembered_too_long_ago'],
    ['remembered', 'from the future', { visits: [visit('eu', NOW + 61)] }, 'nothing: remembered_too_long_ago'],
    ['remembered', 'gone', { visits: [visit('gone', NOW)] }, 'nothing: not_offered_here'],
    [
      'remembered',
      'another tab that left just now',
      { visits: [visit('eu', NOW - 99)], unfinished: [{ environment: name('eu'), at: NOW - 2 }] },
      'eu: remembered_choice',
    ],
    [
      'remembered',
      'left before the visit',
      { visits: [visit('eu', NOW - 9)], unfinished: [{ environment: name('eu'), at: NOW - 20 }] },
      'eu: remembered_choice',
    ],
    ['rule', 'holds', { headers: { 'cf-ipcountry': 'DE' } }, 'eu: rule_holds'],
    ['rule', 'does not hold', { headers: { 'cf-ipcountry': 'US' } }, 'nothing: rule_does_not_hold'],
    ['email', 'asks', {}, 'ask email: email_asked'],
    ['email', 'a domain', { typedEmail: 'Kim@Globex.Example' }, 'globex: email_domain'],
    ['email', 'spaces around', { typedEmail: ' kim@globex.example ' }, 'globex: email_domain'],
    ['email', 'unknown is asked again', { typedEmail: 'kim@nobody.test' }, 'ask email: email_unknown'],
    ['picker', 'asks', {}, 'ask picker: picker_asked'],
    ['picker', 'a choice', { choice: 'eu' }, 'eu: picker_chosen'],
    ['picker', 'a choice that is none', { choice: 'nope' }, 'ask picker: picker_asked'],
    ['picker', 'a choice that is not offered', { choice: 'other' }, 'nothing: not_offered_here'],
    ['default', 'answers', {}, 'us: default'],
  ];
  for (const [step, title, given, expected] of rows)
    t.equal(summary([STEPS[step]], given), expected, `${step}: ${title}`);
  t.end();
});

/** Facts by which each automatic step answers with an environment of its own. */
const ANSWERS: [keyof typeof STEPS, Given, string][] = [
  ['hint', { query: { env: 'eu' } }, 'eu: hint_names_environment'],
  ['source', { headers: { referer: 'https://us.acme.test/' } }, 'us: source_is_app'],
  ['login_hint', { query: { login_hint: 'kim@globex.example' } }, 'globex: login_hint_domain'],
  ['remembered', { visits: [visit('eu', NOW - 1)] }, 'eu: remembered_choice'],
  ['rule', { headers: { 'cf-ipcountry': 'FR' } }, 'eu: rule_holds'],
];

t.test('of two steps that would answer, the first in the file wins, in either order', (t) => {
  for (const [first, givenFirst, expected] of ANSWERS) {
    for (const [second, givenSecond] of ANSWERS) {
      if (first === second) continue;
      const given = {
        ...givenFirst,
        ...givenSecond,
        query: { ...givenFirst.query, ...givenSecond.query },
        headers: { ...givenFirst.headers, ...givenSecond.headers },
      };
      t.equal(summary([STEPS[first], STEPS[second]], given), expected, `${first} before ${second}`);
    }
  }
  t.end();
});

t.test('in every order of the automatic steps, the first in the file answers, and the trail holds it alone', (t) => {
  const all = ANSWERS.reduce<Given>(
    (given, [, own]) => ({
      ...given,
      ...own,
      query: { ...given.query, ...own.query },
      headers: { ...given.headers, ...own.headers },
    }),
    {},
  );
  const orders = permutations(ANSWERS);
  for (const order of orders) {
    const [[first, , expected] = ['hint', {}, '']] = order;
    const found = read(
      order.map(([step]) => STEPS[step]),
      all,
    );
    const { trail } = found;
    const names = order.map(([step]) => step).join(' ');
    t.equal(found.outcome === 'answered' && `${found.environment.name}: ${found.reason}`, expected, names);
    t.same(
      trail.map(({ by, outcome }) => [by, outcome]),
      [[first, 'answered']],
      names,
    );
  }
  t.equal(orders.length, 120);
  t.end();
});

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}

t.test('the trail names every step that was read, what it saw, and why it passed', (t) => {
  const { trail } = read(Object.values(STEPS), { query: { env: 'nope', login_hint: 'kim@nobody.test' } });
  t.strictSame(trail, [
    { by: 'hint', saw: 'env=nope', outcome: 'passed', reason: 'hint_unknown' },
    { by: 'source', saw: '', outcome: 'passed', reason: 'source_absent' },
    { by: 'login_hint', saw: '@nobody.test', outcome: 'passed', reason: 'login_hint_unknown' },
    { by: 'remembered', saw: '', outcome: 'passed', reason: 'remembered_nothing' },
    { by: 'rule', saw: 'cf-ipcountry=', outcome: 'passed', reason: 'rule_does_not_hold' },
    { by: 'email', saw: '', outcome: 'asked', reason: 'email_asked' },
  ]);
  t.end();
});

t.test('what the person says on our page outranks every guess', (t) => {
  const all = Object.values(STEPS);
  const guess: Given = { visits: [visit('us', NOW - 1)], headers: { 'cf-ipcountry': 'DE' } };
  t.equal(summary(all, guess), 'us: remembered_choice');
  t.equal(summary(all, { ...guess, choice: 'eu' }), 'eu: picker_chosen');
  t.equal(summary(all, { ...guess, typedEmail: 'kim@globex.example' }), 'globex: email_domain');
  t.equal(summary(all, { ...guess, ask: 'picker' }), 'ask picker: picker_asked');
  t.equal(summary(all, { ...guess, ask: 'email' }), 'ask email: email_asked');
  t.equal(
    summary([STEPS.remembered], { ...guess, ask: 'picker' }),
    'us: remembered_choice',
    'a page that is not offered',
  );
  t.end();
});

t.test('a remembered environment is asked about where that is wanted, and where nobody came back from it', (t) => {
  const { remembered, email, picker } = STEPS;
  const confirm: Step = { ...remembered, confirm: true };
  const eu: Given = { visits: [visit('eu', NOW - 99)] };
  const stuck: Given = { ...eu, unfinished: [{ environment: name('eu'), at: NOW - 20 }] };
  const globex: Given = { visits: [visit('globex', NOW - 99)] };
  const rows: [string, readonly Step[], Given, string, suggested?: string][] = [
    ['to be confirmed', [confirm, picker], eu, 'ask picker: remembered_confirm', 'eu'],
    ['one that is not listed', [confirm, picker], globex, 'ask picker: remembered_confirm', 'globex'],
    ['before any rule', [confirm, STEPS.default, picker], eu, 'ask picker: remembered_confirm', 'eu'],
    [
      'an earlier step answers',
      [STEPS.hint, confirm, picker],
      { ...eu, query: { env: 'us' } },
      'us: hint_names_environment',
    ],
    ['yes', [confirm, picker], { ...eu, choice: 'eu' }, 'eu: picker_chosen'],
    ['no, another one', [confirm, picker], { ...eu, choice: 'us' }, 'us: picker_chosen'],
    ['no, by email address', [confirm, picker, email], { ...eu, ask: 'email' }, 'ask email: email_asked'],
    [
      'an address of nobody',
      [confirm, email, picker],
      { ...eu, typedEmail: 'kim@nobody.test' },
      'ask picker: remembered_confirm',
      'eu',
    ],
    ['a search of the list', [confirm, picker], { ...eu, ask: 'picker' }, 'ask picker: picker_asked'],
    ['nothing remembered', [confirm, picker], {}, 'ask picker: picker_asked'],
    ['too old', [confirm, picker], { visits: [visit('eu', NOW - 31 * DAY)] }, 'ask picker: picker_asked'],
    ['disabled since', [confirm, picker], { visits: [visit('off', NOW - 99)] }, 'ask picker: picker_asked'],
    ['it failed a moment ago', [confirm, picker], { ...eu, tried: [name('eu')] }, 'ask picker: picker_asked'],
    ['no page to ask on', [confirm, email], eu, 'eu: remembered_choice'],
    ['left and not come back', [remembered, picker], stuck, 'ask picker: remembered_left_unfinished', 'eu'],
    ['both', [confirm, picker], stuck, 'ask picker: remembered_left_unfinished', 'eu'],
    ['left, and it failed', [remembered, picker], { ...stuck, tried: [name('eu')] }, 'ask picker: picker_asked'],
    ['left, and no page to ask on', [remembered], stuck, 'eu: remembered_choice'],
  ];
  for (const [title, steps, given, expected, suggested] of rows) {
    const found = read(steps, given);
    t.equal(summary(steps, given), expected, title);
    t.equal(found.outcome === 'asked' ? found.suggested?.name : undefined, suggested, title);
  }
  t.strictSame(read([STEPS.hint, confirm, picker], eu).trail, [
    { by: 'hint', saw: 'env, domain_hint', outcome: 'passed', reason: 'hint_absent' },
    { by: 'remembered', saw: 'eu', outcome: 'asked', reason: 'remembered_confirm' },
  ]);
  const next = (given: Given) => candidates(discovery(confirm, picker), environments, portal, facts(given), NOW);
  t.strictSame(
    next({ ...eu, tried: [name('us')] }).map((one) => one.name),
    ['eu'],
    'where another one failed, it is offered',
  );
  t.strictSame(next({ ...eu, tried: [name('eu')] }), []);
  t.end();
});

t.test('a typed address goes along to the environment, and only the typed one', (t) => {
  const typed = read([STEPS.email], { typedEmail: 'Kim@Globex.example' });
  t.equal(typed.outcome === 'answered' && typed.loginHint, 'kim@globex.example');
  const chosen = read([STEPS.picker], { choice: 'eu' });
  t.equal(chosen.outcome === 'answered' && chosen.loginHint, undefined);
  t.end();
});

t.test('no input makes it throw or answer with an environment outside the portal’s list', (t) => {
  const word = fc.oneof(
    fc.constantFrom(
      'us',
      'eu',
      'globex',
      'off',
      'other',
      '__proto__',
      'constructor',
      'kim@globex.example',
      'https://us.acme.test/',
      'DE',
      '',
    ),
    fc.string({ unit: 'binary', maxLength: 30 }),
  );
  const given = fc.record(
    {
      query: fc.dictionary(fc.constantFrom('env', 'domain_hint', 'login_hint'), word),
      returnQuery: fc.dictionary(fc.constantFrom('env', 'login_hint'), word),
      headers: fc.dictionary(fc.constantFrom('referer', 'origin', 'cf-ipcountry'), word),
      visits: fc.array(fc.tuple(word, fc.integer()).map(([to, at]) => visit(to, at))),
      unfinished: fc.array(fc.record({ environment: word.map(name), at: fc.integer() })),
      clientIp: word,
      choice: word,
      typedEmail: word,
      ask: fc.constantFrom('email' as const, 'picker' as const),
      tried: fc.array(word.map(name)),
    },
    { requiredKeys: [] },
  );
  const steps = fc.shuffledSubarray<Step>([...Object.values(STEPS), { ...STEPS.remembered, confirm: true }]);
  const seen = new Set<StepReason>();
  fc.assert(
    fc.property(steps, given, (order, input) => {
      const found = read(order, input as Given);
      for (const step of found.trail) seen.add(step.reason);
      const named = found.outcome === 'answered' ? found.environment : found.outcome === 'asked' && found.suggested;
      if (named && (!portal.environments.has(named.name) || named.disabled)) throw new Error(named.name);
    }),
    { numRuns: 20_000 },
  );
  t.ok(seen.size > 20, `${seen.size} reasons were reached`);
  t.end();
});
