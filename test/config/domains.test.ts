import fc from 'fast-check';
import t from 'tap';
import { isPublicMail } from '../../src/config/public-mail.ts';
import { accepted, checkText, faultsOf, goodWith, noticesOf, refused } from './routes-text.ts';

const US = 'environments.us.may_assert.email_domains';
const EU = 'environments.eu.may_assert.email_domains';

/** The good file with these domains in `us` and `eu`. */
const claiming = (us: string, eu = '[acme.example]') => checkText(goodWith(['[acme.com]', us], ['[acme.example]', eu]));

t.test('one name has one form, however it is written', (t) => {
  for (const written of ['BÜCHER.example', 'bücher.example', 'xn--bcher-kva.example', 'XN--BCHER-KVA.EXAMPLE']) {
    const { routes } = accepted(claiming(`[${written}]`));
    t.strictSame(routes.routes.discovery.byDomain.get('xn--bcher-kva.example'), ['us'], written);
    t.strictSame(
      faultsOf(claiming(`[${written}]`, '[xn--bcher-kva.example]')).length,
      2,
      `${written} is no second domain`,
    );
  }
  t.end();
});

t.test('where anybody can have an address, nobody is believed about everybody', (t) => {
  // biome-ignore format: a table
  const rows: readonly (readonly [domain: string, reason: RegExp | undefined])[] = [
    ['com', /public suffix/], ['co.uk', /public suffix/], ['github.io', /public suffix/], ['公司.cn', /public suffix/], ['x.ck', /public suffix/],
    ['{ domain: co.uk, subdomains: included }', /public suffix/], ['{ domain: co.uk, public_mail: accepted }', /public suffix/],
    ['gmail.com', /public mail/], ['GMAIL.com', /public mail/], ['outlook.com', /public mail/], ['yahoo.co.jp', /public mail/], ['yahoo.com.br', /public mail/], ['icloud.com', /public mail/],
    ['proton.me', /public mail/], ['qq.com', /public mail/], ['gmx.at', /public mail/], ['{ domain: gmail.com }', /public mail/], ['{ domain: gmail.com, subdomains: included }', /public mail/],
    ['{ domain: gmail.com, public_mail: accepted }', undefined], ['yahoo.acme.example', undefined], ['mygmail.com', undefined], ['acme.github.io', undefined],
    ['{ domain: acme.test, public_mail: accepted }', undefined],
    ['{ domain: gmail.com, public_mail: true }', /true or false|word|accepted|is not known/], ['{ domain: acme.test, subdomains: true }', /./], ['{ domian: acme.test }', /unknown key/],
    ['"*.acme.test"', /must be a domain/], ['{ domain: "*.acme.test" }', /must be a domain/], ['.acme.test', /must be a domain/], ['12', /must be a domain/], ['[acme.test]', /must be a domain/],
  ];
  for (const [entry, reason] of rows) {
    const outcome = claiming(`[${entry}]`);
    if (!reason) t.strictSame(faultsOf(outcome), [], entry);
    else t.match(refused(outcome)[0]?.message, reason, entry);
  }
  t.ok(claiming('any').ok, 'any says it itself');
  t.end();
});

t.test('subdomains count by their own word only, and only whole labels', (t) => {
  const { routes } = accepted(claiming('[{ domain: acme.com, subdomains: included }, plain.test]'));
  const { byDomain } = routes.routes.discovery;
  const [us] = routes.environments.values();
  const emailDomains = us?.environment.mayAssert.emailDomains;
  if (!emailDomains || emailDomains === 'any') throw new Error('there is a list');
  // biome-ignore format: a table
  const rows = [
    ['acme.com', true], ['a.acme.com', true], ['b.a.acme.com', true], ['evilacme.com', false], ['acme.com.evil.test', false], ['com', false], ['acme.org', false],
    ['plain.test', true], ['a.plain.test', false], ['', false], ['.acme.com', true],
  ] as const;
  for (const [domain, admits] of rows) {
    t.equal(emailDomains.admits(domain), admits, domain);
    t.strictSame(byDomain.get(domain), admits ? ['us'] : undefined, domain);
  }
  t.end();
});

t.test('a domain below another environment’s subdomains is claimed twice', (t) => {
  const below = '{ domain: acme.com, subdomains: included }';
  // biome-ignore format: a table
  const rows: readonly (readonly [us: string, eu: string, faults: readonly string[]])[] = [
    [`[${below}]`, '[eu.acme.com]', [`${US}[0]`, `${EU}[0]`]],
    ['[acme.com]', '[eu.acme.com]', []],
    [`[${below}]`, '[acme.com]', [`${US}[0]`, `${EU}[0]`]],
    [`[${below}], shared: true`, '[eu.acme.com]', [`${US}[0]`, `${EU}[0]`]],
    [`[${below}]`, '[eu.acme.com], shared: true', [`${US}[0]`, `${EU}[0]`]],
    [`[${below}], shared: true`, '[eu.acme.com], shared: true', []],
    [`[${below}, eu.acme.com]`, '[evilacme.com]', []],
    ['[{ domain: eu.acme.com, subdomains: included }]', `[${below}]`, [`${US}[0]`, `${EU}[0]`]],
    [`[x.test, ${below}]`, '[a.b.acme.com]', [`${US}[1]`, `${EU}[0]`]],
  ];
  for (const [us, eu, faults] of rows) {
    const outcome = claiming(us, eu);
    const problems = outcome.ok ? [] : outcome.problems;
    t.strictSame(problems.map(({ path }) => path).toSorted(), faults.toSorted(), `${us} ${eu}`);
    for (const { message } of problems) t.match(message, /belongs to/);
  }
  const { routes } = accepted(claiming(`[${below}], shared: true`, '[eu.acme.com], shared: true'));
  const { byDomain } = routes.routes.discovery;
  t.strictSame(byDomain.get('eu.acme.com'), ['eu'], 'discovery follows the most specific claim');
  t.strictSame(byDomain.get('a.eu.acme.com'), ['us']);
  t.strictSame(byDomain.get('acme.com'), ['us']);
  t.end();
});

t.test('planned environments: dates are checked, and one that is over is a notice', (t) => {
  const planned = (words: string, now = 0) =>
    checkText(goodWith(['app_url: https://us', `${words}\n    app_url: https://us`]), { now });
  // biome-ignore format: a table
  const faults: readonly (readonly [words: string, path: string, reason: RegExp])[] = [
    ['from: tomorrow', 'from', /must be a date/], ['from: 2026-02-30', 'from', /does not exist/], ['from: 2026-13-01', 'from', /must be a date/], ['from: 2026-07-01T09:00', 'from', /zone/],
    ['from: 1782856800', 'from', /must be a date/], ['from: 2026-07-01T25:00Z', 'from', /must be a date/], ['until: 2026-7-1', 'until', /must be a date/],
    ['from: 2026-07-01\n    until: 2026-07-01', 'until', /not after from/], ['from: 2026-07-01T02:00+02:00\n    until: 2026-07-01', 'until', /not after from/],
  ];
  for (const [words, key, reason] of faults) {
    const [problem, ...more] = refused(planned(words));
    t.equal(problem?.path, `environments.us.${key}`, words);
    t.match(problem?.message, reason, words);
    t.strictSame(more, []);
  }
  const outcome = planned('from: 2026-07-01\n    until: 2026-07-02T01:30:00+01:30');
  const [us] = accepted(outcome).routes.environments.values();
  t.match(us?.environment, { from: Date.UTC(2026, 6, 1) / 1000, until: Date.UTC(2026, 6, 2) / 1000 });
  t.strictSame(noticesOf(outcome), []);
  const over = 'environments.us.until: takes no logins any more: until has passed';
  t.strictSame(noticesOf(planned('until: 2026-07-02', Date.UTC(2026, 6, 2) / 1000)), [over]);
  t.strictSame(noticesOf(planned('until: 2026-07-02', Date.UTC(2026, 6, 2) / 1000 - 1)), []);
  t.end();
});

t.test('no domain makes the list of providers throw', (t) => {
  fc.assert(fc.property(fc.oneof(fc.domain(), fc.string()), (domain) => typeof isPublicMail(domain) === 'boolean'));
  t.end();
});
