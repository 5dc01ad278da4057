import fc from 'fast-check';
import t from 'tap';
import { addressPrefix } from '../../src/config/address-prefix.ts';
import { buildDiscovery } from '../../src/config/build-discovery.ts';
import { reportOn } from '../../src/config/problem.ts';
import { checkReach } from '../../src/config/rule-reach.ts';
import type { RoutesFile } from '../../src/config/schema.ts';
import type { WhenEntry } from '../../src/config/schema-discovery.ts';
import { discover } from '../../src/core/discovery.ts';
import type { Environment } from '../../src/core/environment.ts';
import type { Facts } from '../../src/core/facts.ts';
import type { EnvironmentName, PortalName } from '../../src/core/names.ts';
import type { Portal } from '../../src/core/portal.ts';
import { accepted, checkText, faultsOf, goodWith, noticesOf, refused } from './routes-text.ts';

const NEVER = 'this rule never holds: its parts contradict each other';
const LATE = 'whenever this step could answer, an earlier one answers first';
const UNOFFERED = 'no portal that this rule can match offers this environment, so the step is passed over';

const rule = (when: string, to = 'us') => `{ by: rule, when: ${when}, to: ${to} }`;
const withSteps = (...steps: string[]) => goodWith(['  - by: hint\n', steps.map((step) => `  - ${step}\n`).join('')]);

/** A second portal, which offers `us` only. */
const DOCS: readonly [string, string] = [
  'environments:\n',
  `  docs:
    preset: pylon
    login_path: /docs
    settings: { org_slug: docs }
    signing: { algorithm: PS256 }
    environments: [us]
environments:
`,
];
const withDocs = (text: string) => text.replace(DOCS[0], () => DOCS[1]);

// biome-ignore format: a table
const NEVER_HOLDS: readonly (readonly [title: string, when: string])[] = [
  ['two hosts at once', '{ all: [ { host: a.test }, { host: b.test } ] }'],
  ['a value and not that value', '{ header: { name: cf-ipcountry, in: DE }, not: { header: { name: CF-IPCountry, in: [DE, FR] } } }'],
  ['hosts that differ in case only', '{ host: A.test, not: { host: a.TEST } }'],
  ['a region of a language that is excluded', '{ language: de-AT, not: { language: de } }'],
  ['a network inside one that is excluded', '{ client_ip: 10.1.0.0/16, not: { client_ip: 10.0.0.0/8 } }'],
  ['the same address, written as IPv6', '{ client_ip: "::ffff:10.1.2.3", not: { client_ip: 10.1.2.3 } }'],
  ['networks that do not meet', '{ client_ip: 10.0.0.0/8, all: [ { client_ip: [192.0.2.0/24, "2001:db8::/32"] } ] }'],
  ['no portal at all', '{ not: { portal: support } }'],
  ['each alternative by itself', '{ host: a.test, any: [ { host: b.test }, { not: { host: a.test } } ] }'],
  ['the denial of what always holds', '{ not: { any: [ { host: a.test }, { not: { host: a.test } } ] } }'],
];

t.test('check reports a rule whose parts contradict each other, at its condition', async (t) => {
  for (const [title, when] of NEVER_HOLDS) {
    const outcome = accepted(checkText(withSteps(rule(when))));
    t.strictSame(noticesOf(outcome), [`discovery[0].when: ${NEVER}`], title);
    t.match(outcome.notices[0], { line: 30, column: 17, remedy: /any: \[/ });
  }
});

type Row = readonly [title: string, steps: readonly string[], ...notices: string[]];

// biome-ignore format: a table
const ORDER: readonly Row[] = [
  ['the same rule twice', [rule('{ host: a.test }'), rule('{ host: a.test }', 'eu')], `discovery[1]: ${LATE}`],
  ['a narrower rule after a wider one', [rule('{ header: { name: x, in: [a, b] } }'), rule('{ header: { name: X, in: a }, host: h }')], `discovery[1]: ${LATE}`],
  ['a wider rule after a narrower one', [rule('{ header: { name: x, in: a } }'), rule('{ header: { name: x, in: [a, b] } }')]],
  ['a rule that several take apart', [rule('{ header: { name: x, in: a } }'), rule('{ header: { name: x, in: b } }'), rule('{ header: { name: x, in: [a, b] } }')], `discovery[2]: ${LATE}`],
  ['the same value of another header', [rule('{ header: { name: x, in: a } }'), rule('{ header: { name: y, in: a } }')]],
  ['a header and a parameter of one name', [rule('{ header: { name: x, in: a } }'), rule('{ query: { name: x, in: a } }')]],
  ['parameters that differ in case', [rule('{ query: { name: x, in: a } }'), rule('{ query: { name: X, in: a } }')]],
  ['a network inside an earlier one', [rule('{ client_ip: 10.0.0.0/8 }'), rule('{ client_ip: [10.1.0.0/16, 10.2.3.4] }')], `discovery[1]: ${LATE}`],
  ['a network around an earlier one', [rule('{ client_ip: 10.1.0.0/16 }'), rule('{ client_ip: 10.0.0.0/8 }')]],
  ['a region after its language', [rule('{ language: de }'), rule('{ language: de-AT }', 'eu')], `discovery[1]: ${LATE}`],
  ['a language after a region', [rule('{ language: de-AT }'), rule('{ language: de }', 'eu')]],
  ['a language that only begins alike', [rule('{ language: de }'), rule('{ language: den }', 'eu')]],
  ['both sides of a denial', [rule('{ host: a }'), rule('{ not: { host: a } }'), 'by: source'], `discovery[2]: ${LATE}`],
  ['what a rule leaves to a default', [rule('{ host: a }'), '{ by: default, to: us }']],
  ['a default after a default', ['{ by: default, to: us }', '{ by: default, to: eu }'], `discovery[1]: ${LATE}`],
  ['a default after rules that take everything', [rule('{ host: a }'), rule('{ not: { host: a } }'), '{ by: default, to: eu }'], `discovery[2]: ${LATE}`],
  ['every automatic step after a default', ['{ by: default, to: us }', 'by: hint', 'by: remembered', rule('{ host: a }')], `discovery[1]: ${LATE}`, `discovery[2]: ${LATE}`, `discovery[3]: ${LATE}`],
  ['pages that a person can ask for past a default', ['{ by: default, to: us }', 'by: email']],
  ['a rule after a page', ['by: email', rule('{ host: a }')]],
  ['a rule after a page about what is remembered', ['{ by: remembered, confirm: true }', rule('{ host: a }'), 'by: picker']],
  ['a page about what is remembered, after a default', ['{ by: default, to: us }', '{ by: remembered, confirm: true }', 'by: picker'], `discovery[1]: ${LATE}`],
];

t.test('check reports a step for which earlier ones leave nothing, and no other', async (t) => {
  for (const [title, steps, ...notices] of ORDER)
    t.strictSame(noticesOf(checkText(withSteps(...steps))), notices, title);
  const [notice] = accepted(
    checkText(withSteps(rule('{ host: a }'), rule('{ host: b }'), rule('{ host: [a, b] }'))),
  ).notices;
  t.match(notice, { line: 32, column: 5, remedy: /^discovery\[0\], discovery\[1\] does\. Put this step higher/ });
});

t.test('a remembered environment is confirmed on the page of the picker, so there has to be one', (t) => {
  const rows: readonly (readonly [steps: readonly string[], ...faults: string[]])[] = [
    [['{ by: remembered, confirm: true }', 'by: email'], 'discovery[0].confirm: there is no picker to ask on'],
    [['{ by: remembered, confirm: true }', 'by: picker']],
    [['by: picker', '{ by: remembered, confirm: true }']],
    [['{ by: remembered, confirm: false }', 'by: email']],
  ];
  const faultsWith = (steps: readonly string[]) => {
    const text = goodWith(['  - by: hint\n  - by: picker\n', steps.map((step) => `  - ${step}\n`).join('')]);
    return faultsOf(checkText(text));
  };
  for (const [steps, ...faults] of rows) t.strictSame(faultsWith(steps), faults, steps.join(' '));
  t.strictSame(
    faultsWith(['{ by: remembered, confirm: true }', '{ by: piker }']),
    ['discovery[1].by: "piker" is not known here'],
    'what a mistyped step was to be, nobody knows',
  );
  t.end();
});

t.test('a portal that does not offer the environment goes on to the next step', async (t) => {
  const rows: readonly Row[] = [
    ['the rule’s own portal', [rule('{ portal: docs }', 'eu')], `discovery[0].to: ${UNOFFERED}`],
    ['another portal', [rule('{ portal: support }', 'eu')]],
    ['one of two portals', [rule('{ host: a }', 'eu')]],
    ['a default that one portal does not offer', ['{ by: default, to: eu }', '{ by: default, to: us }']],
    ['a rule that one portal does not offer', [rule('{ host: a }', 'eu'), rule('{ host: a }', 'us')]],
    [
      'a rule for the portal that offers it',
      [rule('{ host: a }', 'eu'), rule('{ host: a, portal: support }', 'us')],
      `discovery[1]: ${LATE}`,
    ],
    [
      'two portals that are all there are',
      [rule('{ portal: docs }'), rule('{ portal: support }'), 'by: source'],
      `discovery[2]: ${LATE}`,
    ],
  ];
  for (const [title, steps, ...notices] of rows) {
    t.strictSame(noticesOf(checkText(withDocs(withSteps(...steps)))), notices, title);
  }
  const nobody = withSteps('{ by: default, to: eu }').replace(
    '    token_lifetime',
    '    environments: [us]\n    token_lifetime',
  );
  t.match(noticesOf(checkText(nobody)), [
    /claims/,
    'discovery[0].to: no portal offers this environment, so the step is passed over',
  ]);
});

t.test('an environment that takes no logins leaves them to later steps', async (t) => {
  const text = withSteps(rule('{ host: a }'), rule('{ host: a }', 'eu'), '{ by: default, to: us }', 'by: source');
  t.strictSame(noticesOf(checkText(text)), [`discovery[1]: ${LATE}`, `discovery[3]: ${LATE}`]);
  t.strictSame(
    noticesOf(checkText(text.replace('app_url: https://us', 'disabled: true\n    app_url: https://us'))),
    [],
  );
});

t.test('faults inside nested conditions stand at their own place, and such a file is not judged further', async (t) => {
  // biome-ignore format: a table
  const rows = [
    ['{ any: [ { hst: a }, { host: b } ] }', 'discovery[0].when.any[0].hst: unknown key'],
    ['{ not: { all: [ { host: a }, {} ] } }', 'discovery[0].when.not.all[1]: must hold at least one condition'],
    ['{ all: [ { not: { portal: [support, suport] } } ] }', 'discovery[0].when.all[0].not.portal[1]: there is no portal "suport"'],
    ['{ any: { host: a } }', 'discovery[0].when.any: expected a list, found a mapping'],
    ['{ any: [] }', 'discovery[0].when.any: must not be empty'],
    ['{ language: de_AT }', 'discovery[0].when.language: must be a language'],
    ['{ header: { name: Cookie, in: a } }', 'discovery[0].when.header.name: is a header that no rule may look at'],
    ['{ query: { name: access_token, in: a } }', 'discovery[0].when.query.name: is a parameter with a meaning of its own'],
    [`${'{ not: '.repeat(8)}{ host: a }${' }'.repeat(8)}`, 'discovery[0].when: is nested too deeply'],
  ] as const;
  for (const [when, fault] of rows) {
    const outcome = checkText(withSteps(rule(when), rule('{ host: a, not: { host: a } }')));
    t.strictSame(faultsOf(outcome), [fault], when);
    t.strictSame(noticesOf(outcome), [], 'no judgement');
  }
  const [misspelt] = refused(checkText(withSteps(rule('{ not: { langauge: de } }'))));
  t.match(misspelt, { line: 30, column: 32, remedy: /^Did you mean "language"\?/ });
  t.strictSame(faultsOf(checkText(withSteps(rule(`${'{ not: '.repeat(7)}{ host: a }${' }'.repeat(7)}`)))), []);

  const nested = Array.from({ length: 60 }, (_, index) => {
    const inner = index === 0 ? '{ host: a }' : `*a${index - 1}`;
    return rule(`&a${index} ${'{ not: '.repeat(40)}${inner}${' }'.repeat(40)}`);
  });
  t.equal(faultsOf(checkText(withSteps(...nested))).length, 60, 'aliases cannot nest without end either');
});

t.test('the bits of a range are those that all its addresses have in common', async (t) => {
  const rows = [
    ['10.0.0.0/8', '::ffff:a00:0/104'],
    ['10.9.9.9/8', '10.0.0.0/8'],
    ['192.0.2.1', '::ffff:192.0.2.1'],
    ['2001:db8::/32', '2001:0db8:0:0:0:0:0:0/32'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:0.7.0.8'],
    ['::', '0:0:0:0:0:0:0:0/128'],
    ['1::', '1:0::/128'],
  ] as const;
  for (const [one, same] of rows) t.equal(addressPrefix(one), addressPrefix(same), `${one} is ${same}`);
  t.equal(addressPrefix('2001:db8::/32').length, 32);
  t.equal(addressPrefix('0.0.0.0/0').length, 96);
});

/** One value of every kind that the generated rules below can tell apart. */
const VALUES = [undefined, 'a', 'b', 'c'];
const LANGUAGES = [undefined, 'de', 'de-AT', 'de-AT-1996', 'den', 'fr', '*'];
const ADDRESSES = ['10.0.0.1', '10.1.0.1', '10.1.2.3', '192.0.2.1', '2001:db8::1', '2001:db9::1', '::1', 'unknown', ''];
const PORTALS = ['support', 'docs'];

const single = fc.oneof(
  fc.record({ header: fc.record({ name: fc.constantFrom('x', 'X'), in: fc.constantFrom('a', ['a', 'b']) }) }),
  fc.record({ query: fc.record({ name: fc.constant('q'), in: fc.constantFrom('b', ['a', 'b']) }) }),
  fc.record({ portal: fc.constantFrom('support', 'docs', ['support', 'docs']) }),
  fc.record({ language: fc.constantFrom('de', 'DE-at', ['fr', 'de-AT']) }),
  fc.record({
    client_ip: fc.constantFrom('10.0.0.0/8', ['10.1.0.0/16', '2001:db8::/32'], '::ffff:10.1.2.3', '::/0', '0.0.0.0/0'),
  }),
);
const { when } = fc.letrec<{ when: WhenEntry }>((tie) => ({
  when: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    single,
    fc.record({ any: fc.array(tie('when'), { minLength: 1, maxLength: 2 }) }),
    fc.record({ all: fc.array(tie('when'), { minLength: 1, maxLength: 2 }) }),
    fc.tuple(single, tie('when')).map(([own, not]) => ({ ...own, not })),
    fc.record({ not: tie('when') }),
  ),
}));
const to = fc.constantFrom('us', 'eu', 'off');
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ by: fc.constant('rule' as const), when, to }) },
  { weight: 1, arbitrary: fc.record({ by: fc.constant('default' as const), to }) },
);

t.test('what is reported never answers, whoever asks; and all that never answers is reported', async (t) => {
  const environments = new Map(
    ['us', 'eu', 'off'].map((name) => [name as EnvironmentName, environment(name as EnvironmentName)]),
  );
  let reported = 0;
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 5 }),
      fc.constantFrom(['us'], ['us', 'eu', 'off']),
      (steps, list) => {
        const report = reportOn({ file: 'routes.yaml', locate: () => ({ line: 1, column: 1 }) });
        const portals = { support: {}, docs: { environments: list } };
        const tree = { portals, environments: { us: {}, eu: {}, off: { disabled: true } }, discovery: steps };
        const draft = tree as unknown as RoutesFile;
        checkReach({ draft, report });
        const silent = new Set(report.problems.map(({ path }) => Number(/\d+/.exec(path)?.[0])));
        reported += silent.size;

        const answered = new Set<number>();
        const discovery = buildDiscovery(steps, environments);
        for (const facts of everybody()) {
          const name = facts.at as PortalName;
          const offers = name === 'docs' ? list : ['us', 'eu', 'off'];
          const portal: Portal = { name, title: name, environments: new Set(offers as EnvironmentName[]) };
          const found = discover(discovery, environments, portal, facts, 0);
          if (found.outcome === 'answered') answered.add(found.trail.length - 1);
        }
        for (const [index, { to: name }] of steps.entries()) {
          // One that is disabled today is no mistake of the rule.
          if (answered.has(index) ? silent.has(index) : !silent.has(index) && name !== 'off')
            throw new Error(`discovery[${index}]`);
        }
      },
    ),
    { numRuns: 300 },
  );
  t.ok(reported > 100, `${reported} steps were reported`);
});

function* everybody(): Generator<Facts & { at: string }> {
  for (const at of PORTALS)
    for (const clientIp of ADDRESSES)
      for (const language of LANGUAGES)
        for (const header of VALUES)
          for (const query of VALUES)
            yield {
              at,
              clientIp,
              host: 'h',
              header: (name) => (name === 'accept-language' ? language : header),
              query: () => query,
              returnQuery: () => undefined,
              visits: [],
              unfinished: [],
            };
}

const environment = (name: EnvironmentName): Environment => ({
  name,
  title: name,
  appUrl: `https://${name}.acme.test/`,
  listed: true,
  disabled: name === 'off',
  mayAssert: { emailDomains: 'any', claims: new Set(), grants: new Set(), emailVerified: 'not_required' },
  sets: {},
});

t.test('files with many or tangled rules are checked in a moment', async (t) => {
  const many = Array.from({ length: 3_000 }, (_, index) =>
    rule(`{ host: h${index}.test, header: { name: x, in: [a, b] } }`),
  );
  const pairs = Array.from(
    { length: 16 },
    (_, index) => `{ any: [ { host: a${index} }, { query: { name: q${index}, in: a } } ] }`,
  );
  const networks = Array.from({ length: 3_000 }, (_, index) => `10.${index >> 8}.${index & 255}.0/24`);
  const tangled = Array.from({ length: 40 }, () => rule(`{ all: [ ${pairs.join(', ')} ] }`));
  const files = {
    many,
    tangled,
    networks: [rule(`{ client_ip: [${networks}] }`), rule(`{ not: { client_ip: [${networks}] } }`)],
  };
  for (const [title, steps] of Object.entries(files)) {
    const start = performance.now();
    t.ok(checkText(withSteps(...steps)).ok, title);
    const ms = performance.now() - start;
    t.ok(ms < 4_000, `${title}: ${Math.round(ms)} ms`);
  }
});
