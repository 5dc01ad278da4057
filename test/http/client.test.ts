/** Who is asking, and with which cookies: what a request says about its sender. */
import type { IncomingMessage } from 'node:http';
import { BlockList } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import type { EnvironmentName, PortalName } from '../../src/core/names.ts';
import { type Reason, Refusal } from '../../src/core/reason.ts';
import { addRange } from '../../src/core/rule.ts';
import { parameters, readCall } from '../../src/http/call.ts';
import {
  clearOldVisits,
  clearVisitCookies,
  readLogin,
  readLogins,
  readVisits,
  setLoginCookie,
  setVisitCookie,
} from '../../src/http/cookies.ts';
import { openRateLimit } from '../../src/http/rate-limit.ts';
import { randomBytes } from '../../src/keys/random.ts';
import { openSealer } from '../../src/keys/seal.ts';

const NOW = 1_764_000_000;
const support = 'support' as PortalName;
const us = 'us' as EnvironmentName;

const trusting = (...ranges: string[]): BlockList => {
  const list = new BlockList();
  for (const range of ranges) addRange(list, range);
  return list;
};

const call = (headers: Record<string, string>, peer: string, trusted: BlockList, target = '/callback', body?: string) =>
  readCall(
    { headers, method: 'GET', socket: { remoteAddress: peer } } as unknown as IncomingMessage,
    target,
    body,
    trusted,
  );

t.test('the client is the last address that no trusted proxy has', (t) => {
  const rows: readonly (readonly [peer: string, forwarded: string | undefined, client: string])[] = [
    ['203.0.113.1', '198.51.100.1', '203.0.113.1'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['10.0.0.1', '1.1.1.1, 198.51.100.1', '198.51.100.1'],
    ['10.0.0.1', '1.1.1.1,198.51.100.1,10.2.3.4', '198.51.100.1'],
    ['10.0.0.1', '10.2.3.4, 10.5.6.7', '10.2.3.4'],
    ['::ffff:10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['::ffff:203.0.113.1', '198.51.100.1', '::ffff:203.0.113.1'],
    ['fd00::1', '2001:db8::7', '2001:db8::7'],
    ['10.0.0.1', '198.51.100.1, unknown', 'unknown'],
    ['10.0.0.1', '198.51.100.1, 10.0.0.1:443', '10.0.0.1:443'],
    ['', '198.51.100.1', ''],
  ];
  const trusted = trusting('10.0.0.0/8', 'fd00::/8');
  for (const [peer, forwarded, client] of rows) {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
    t.equal(call(headers, peer, trusted).clientIp, client, `${peer} says ${forwarded}`);
  }
  t.end();
});

t.test('a forwarded host is a trusted proxy’s to say; in other spellings nobody’s', (t) => {
  const headers = { host: 'Login.acme.test', 'x-forwarded-host': 'EU.acme.test', x_forwarded_host: 'evil.example' };
  t.equal(call(headers, '10.0.0.1', trusting('10.0.0.0/8')).host, 'eu.acme.test');
  t.equal(call(headers, '203.0.113.1', trusting('10.0.0.0/8')).host, 'login.acme.test');
  t.equal(call({ x_forwarded_host: 'evil.example' }, '10.0.0.1', trusting('10.0.0.0/8')).host, '');
  for (const name of ['__proto__', 'constructor', 'toString']) {
    t.equal(call({}, '10.0.0.1', trusting()).header(name), undefined, name);
  }
  t.end();
});

const reasonFor = (act: () => unknown): Reason | 'accepted' => {
  try {
    act();
    return 'accepted';
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
};

t.test('a request target is a plain path and query, or it is refused', (t) => {
  const rows: readonly (readonly [string, Reason | 'accepted'])[] = [
    ['/callback?a=b', 'accepted'],
    ['/callback?', 'accepted'],
    ['http://evil.example/callback', 'request_malformed'],
    ['//evil.example/callback', 'accepted'],
    ['*', 'request_malformed'],
    ['evil.example:443', 'request_malformed'],
    ['/a b', 'request_malformed'],
    ['/a#b', 'request_malformed'],
    ['/a\\b', 'request_malformed'],
    ['/é', 'request_malformed'],
    ['/a?b#c', 'request_malformed'],
    ['/a?b\tc', 'request_malformed'],
    [`/${'a'.repeat(16_383)}`, 'accepted'],
    [`/${'a'.repeat(16_384)}`, 'request_too_long'],
    ['/a?b=%', 'request_malformed'],
    ['/a?b=1&b=2', 'request_parameter_duplicated'],
  ];
  for (const [target, reason] of rows) {
    t.equal(
      reasonFor(() => call({}, '', trusting(), target)),
      reason,
      target.slice(0, 40),
    );
  }
  const both = call({}, '', trusting(), '/return/us?state=a', 'state=b');
  t.equal(
    reasonFor(() => parameters(both)),
    'request_parameter_duplicated',
  );
  t.same(
    [...parameters(call({}, '', trusting(), '/return/us?state=a', 'c=d'))],
    [
      ['state', 'a'],
      ['c', 'd'],
    ],
  );
  t.end();
});

const sealer = openSealer([Buffer.alloc(32, 7)], randomBytes);
const REFERENCE = 'abcdefghjk';
const login = { reference: REFERENCE, secret: 'c2VjcmV0', startedAt: NOW, portal: support, environment: us };
const pairOf = (line: string): string => line.split(';', 1)[0] ?? '';
const loginPair = pairOf(setLoginCookie(login, 600));
const visit = { portal: support, environment: us, at: NOW, appUrl: 'https://us.acme.test/' };
const visitPair = pairOf(setVisitCookie(visit, sealer));

/** Cookie headers of an attacker, with our own cookies spliced in whole or in part. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '; ',
        ';',
        ' ',
        '=',
        ',',
        '"',
        '\t',
        '__Host-wayhome-login.',
        '__Host-wayhome-visit.support.',
        'x=1',
      ),
      fc.constantFrom(loginPair, visitPair, `${loginPair}.x`, visitPair.slice(0, -3), `x=1 ${loginPair}`),
      fc.string({ unit: 'binary', maxLength: 12 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

t.test('whatever the Cookie header, reading it never throws and finds only what stands there as a cookie', (t) => {
  fc.assert(
    fc.property(hostile, (header) => {
      // RFC 6265 §4.2.1: pairs, with a semicolon and a space between them.
      const pairs = header.split(/; ?/);
      const name = `__Host-wayhome-login.${REFERENCE}=`;
      const standing = pairs.find((pair) => pair.startsWith(name))?.slice(name.length);
      const visits = readVisits(header, support, sealer);
      return (
        readLogin(header, REFERENCE)?.secret === standing?.split('.')[0] &&
        visits.length > 0 === pairs.includes(visitPair) &&
        visits.every((one) => one.environment === us && one.appUrl === visit.appUrl) &&
        readLogins(header).logins.every(({ at }) => Number.isSafeInteger(at)) &&
        clearVisitCookies(header, support).every((line) => /^__Host-wayhome-visit\.support\.[^;]*=; /.test(line))
      );
    }),
    { numRuns: 20_000 },
  );
  t.end();
});

t.test('a cookie of ours is read wherever it stands, and nothing that only looks like it', (t) => {
  for (const header of [loginPair, `x=1; ${loginPair}`, `x=1;${loginPair}; y=2`, `a; ${loginPair}`]) {
    t.equal(readLogin(header, REFERENCE)?.secret, 'c2VjcmV0', header.slice(0, 20));
  }
  for (const header of [
    `x=1 ${loginPair}`,
    `x${loginPair}`,
    `x=${loginPair}`,
    `x=1,${loginPair}`,
    `x="1 ${loginPair}"`,
  ]) {
    t.equal(readLogin(header, REFERENCE)?.secret, undefined, header.slice(0, 20));
  }
  t.end();
});

t.test('a visit opens under its own name only: not for another portal, another environment or another key', (t) => {
  const value = visitPair.slice(visitPair.indexOf('='));
  t.match(readVisits(visitPair, support, sealer), [visit]);
  t.same(readVisits(`__Host-wayhome-visit.support.eu${value}`, support, sealer), []);
  t.same(readVisits(`__Host-wayhome-visit.other.us${value}`, 'other' as PortalName, sealer), []);
  t.same(readVisits(visitPair, support, openSealer([Buffer.alloc(32, 8)], randomBytes)), []);
  t.end();
});

t.test('a browser holds a bounded number of logins and visits', (t) => {
  const many = Array.from({ length: 9 }, (_, index) =>
    pairOf(setLoginCookie({ ...login, reference: `abcdefghj${index}`, startedAt: NOW + index }, 600)),
  ).join('; ');
  const { logins, clear } = readLogins(many);
  t.equal(logins.length, 9);
  t.equal(clear.length, 4, 'one more will be set, so five stay');
  t.match(clear[0], 'abcdefghj3=;');
  const visited = (amount: number) =>
    Array.from({ length: amount }, (_, index) => {
      const environment = `e${index}` as EnvironmentName;
      return pairOf(setVisitCookie({ ...visit, environment, at: NOW + index }, sealer));
    }).join('; ');
  t.same(clearOldVisits(visited(7), support, us, sealer), [], 'there is room for one more');
  const cleared = clearOldVisits(visited(10), support, us, sealer).map((line) => line.split('=', 1)[0]);
  t.same(
    cleared.sort(),
    ['e0', 'e1', 'e2'].map((name) => `__Host-wayhome-visit.support.${name}`),
    'the oldest go',
  );
  t.end();
});

t.test('a rate limit lets a burst through, then one an interval, for each client', (t) => {
  const limit = openRateLimit(2, 3);
  const at = 1_000_000;
  t.same(
    [0, 0, 0, 0].map(() => limit.take('a', at)),
    [0, 0, 0, 1],
  );
  t.equal(limit.take('b', at), 0, 'somebody else');
  t.equal(limit.take('a', at + 499), 1);
  t.equal(limit.take('a', at + 500), 0);
  t.equal(limit.take('a', at + 500), 1);
  t.same(
    [0, 0, 0, 0].map(() => limit.take('a', at + 60_000)),
    [0, 0, 0, 1],
    'rested',
  );
  const slow = openRateLimit(1 / 60, 1);
  t.equal(slow.take('a', at), 0);
  t.equal(slow.take('a', at), 60, 'seconds to wait');
  t.equal(slow.take('a', at + 59_001), 1);
  t.end();
});

t.test('an IPv6 client is its /64, an IPv4-mapped one its address', (t) => {
  const at = 1_000_000;
  const same: readonly (readonly [string, string, boolean])[] = [
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['2001:db8::1', '2001:db8:0:0:1::', true],
    ['::1', '::2', true],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.2', false],
    ['10.0.0.1', '10.0.0.2', false],
    ['unknown', 'other', false],
  ];
  for (const [one, other, isSame] of same) {
    const limit = openRateLimit(1, 1);
    limit.take(one, at);
    t.equal(limit.take(other, at) > 0, isSame, `${one} and ${other}`);
  }
  t.end();
});

t.test('a flood of clients is bounded and does not forget one that is held back', (t) => {
  const limit = openRateLimit(1 / 60, 1);
  const at = 1_000_000;
  limit.take('held', at);
  for (let client = 0; client < 99_999; client++) limit.take(`c${client}`, at);
  t.ok(limit.take('held', at) > 0);
  t.end();
});
