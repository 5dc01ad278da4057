import t from 'tap';
import { openEmailDomains } from '../../src/core/email-domains.ts';
import type { Claims, Environment, MayAssert } from '../../src/core/environment.ts';
import type { EnvironmentName } from '../../src/core/names.ts';
import { applyPolicy } from '../../src/core/policy.ts';

const environment = (mayAssert: Partial<MayAssert> = {}, sets: Claims = {}): Environment => ({
  name: 'globex' as EnvironmentName,
  title: 'Globex',
  appUrl: 'https://acme.globex.example/',
  listed: true,
  disabled: false,
  mayAssert: {
    emailDomains: openEmailDomains([{ domain: 'a.test', subdomains: false }]),
    claims: new Set(['name', 'account_id', 'account_external_id']),
    grants: new Set(),
    emailVerified: 'not_required',
    ...mayAssert,
  },
  sets,
});

const outcome = (claims: Record<string, unknown>, of = environment()) =>
  applyPolicy(of, { environment: of.name, claims: claims as Claims, acceptableUntil: 0 });

t.test('case 1: an environment signs in people of its own domains only', (t) => {
  const rows: [unknown, string][] = [
    ['kim@a.test', 'kim@a.test'],
    ['KIM@A.TEST', 'kim@a.test'],
    ['victim@b.test', 'email_domain_not_allowed'],
    ['victim@sub.a.test', 'email_domain_not_allowed'],
    ['victim@nota.test', 'email_domain_not_allowed'],
    ['victim@a.test.evil.example', 'email_domain_not_allowed'],
    ['x@b.test@a.test', 'email_malformed'],
    ['"x@a.test"@b.test', 'email_malformed'],
    ['victim＠b.test', 'email_malformed'],
    [['kim@a.test'], 'email_malformed'],
    [undefined, 'jwt_missing_required_claim'],
    ['', 'jwt_missing_required_claim'],
  ];
  for (const [email, expected] of rows) {
    const result = outcome(email === undefined ? {} : { email });
    t.equal(result.ok ? result.identity.email : result.reason, expected, JSON.stringify(email));
  }
  t.end();
});

t.test('an email that the environment calls unverified is refused, an absent word only where it is required', (t) => {
  const strict = environment({ emailVerified: 'required' });
  const rows: [unknown, Environment, string][] = [
    [undefined, environment(), 'ok'],
    [true, environment(), 'ok'],
    ['true', environment(), 'ok'],
    [false, environment(), 'email_not_verified'],
    ['false', environment(), 'email_not_verified'],
    [null, environment(), 'email_not_verified'],
    [0, environment(), 'email_not_verified'],
    [1, environment(), 'email_not_verified'],
    [{}, environment(), 'email_not_verified'],
    [undefined, strict, 'email_not_verified'],
    [true, strict, 'ok'],
  ];
  for (const [verified, of, expected] of rows) {
    const result = outcome({ email: 'kim@a.test', ...(verified !== undefined && { email_verified: verified }) }, of);
    t.equal(result.ok ? 'ok' : result.reason, expected, JSON.stringify(verified));
  }
  t.end();
});

t.test('only granted claims are repeated, and what the operator sets wins', (t) => {
  const asserted = {
    email: 'kim@a.test',
    name: 'Kim',
    role: 'admin',
    account_id: 'a1',
    account_external_id: 'x1',
    iss: 'i',
  };
  const rows: [string, Environment, Claims][] = [
    ['granted only', environment({ claims: new Set(['name']) }), { name: 'Kim' }],
    ['set wins', environment({ claims: new Set(['name']) }, { name: 'Fixed' }), { name: 'Fixed' }],
    [
      'a set account claim drops the other kind',
      environment({}, { account_external_id: 'globex' }),
      { name: 'Kim', account_external_id: 'globex' },
    ],
    ['and the same kind', environment({}, { account_id: 'g' }), { name: 'Kim', account_id: 'g' }],
    ['nothing is inherited', environment({ claims: new Set(['toString', 'constructor']) }), {}],
  ];
  for (const [title, of, claims] of rows) {
    const result = outcome(asserted, of);
    t.strictSame(result.ok && result.identity.claims, claims, title);
  }
  t.end();
});

t.test('over 1,000,000 random assertions no identity has an email outside its environment’s domains', (t) => {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  t.comment(`SEED=${seed}`);
  const random = mulberry32(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const pieces = [
    'victim',
    'kim',
    'a.test',
    'b.test',
    '@',
    '＠',
    '.',
    '"',
    '\\',
    ' ',
    '\n',
    '\0',
    '%40',
    ';',
    ',',
    '<',
    '>',
    '(',
    ')',
    '[',
    ']',
    ':',
    '+',
    '。',
    '．',
    'xn--',
    'ü',
    'ſ',
    'K',
    '\u00ad',
    '\u200b',
    '\u202e',
    'A.TEST',
    'a.test.',
    '.a.test',
    '@a.test',
    '@b.test',
    '@a.test@',
    '/',
  ];
  const domains = ['a.test', 'b.test', 'xn--bcher-kva.example', 'sub.a.test'];
  let accepted = 0;
  let outside = 0;
  for (let run = 0; run < 1_000_000; run++) {
    const own = [pick(domains), pick(domains)].map((domain) => ({ domain, subdomains: random() < 0.3 }));
    const parts = Array.from({ length: 1 + Math.floor(random() * 6) }, () => pick(pieces)).join('');
    const email =
      random() < 0.3 ? `kim${Math.floor(random() * 100)}@${pick(domains)}` : random() < 0.05 ? [parts] : parts;
    const result = outcome(
      { email, email_verified: pick([undefined, true, false, 'true']) ?? true },
      environment({ emailDomains: openEmailDomains(own) }),
    );
    if (!result.ok) continue;
    accepted++;
    const { email: sent } = result.identity;
    const sentDomain = sent.slice(sent.lastIndexOf('@') + 1);
    const inside = own.some(
      ({ domain, subdomains }) => sentDomain === domain || (subdomains && sentDomain.endsWith(`.${domain}`)),
    );
    if (!inside || sent.indexOf('@') !== sent.lastIndexOf('@')) outside++;
  }
  t.equal(outside, 0);
  t.ok(accepted > 50_000, `${accepted} were accepted, so the test reaches the yes`);
  t.end();
});

/** A small seeded generator, so that a failure can be run again. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
