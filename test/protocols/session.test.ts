import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { Assertion } from '../../src/core/environment.ts';
import type { EnvironmentName } from '../../src/core/names.ts';
import { type Reason, Refusal } from '../../src/core/reason.ts';
import { browserOf } from '../../src/http/cookies.ts';
import { type OutboundOptions, openOutbound } from '../../src/outbound/client.ts';
import type { Begun, Delegate } from '../../src/protocols/delegate.ts';
import { openSession } from '../../src/protocols/session/session.ts';
import type { SessionSettings } from '../../src/protocols/session/settings.ts';
import { NOW, reasonOf } from '../keys/tokens.ts';
import { serve, serveBytes } from '../outbound/servers.ts';

const STATE = 'c2VhbGVk.c3RhdGU';
const SETTINGS: SessionSettings = {
  environment: 'us' as EnvironmentName,
  sessionUrl: 'http://127.0.0.1:1/session',
  loginUrl: 'https://us.acme.com/login',
  returnParam: 'return_to',
  publicOrigin: 'https://login.acme.com',
  cookies: ['sid'],
  claims: new Map(),
};
const DEPARTED = `https://us.acme.com/login?return_to=https%3A%2F%2Flogin.acme.com%2Freturn%2Fus%3Fstate%3D${STATE}`;

const begin = (cookies: string, more: { loginHint?: string } = {}) => ({
  nonce: 'q83vEjRWeJCrze8SNFZ4kA',
  state: () => STATE,
  shortState: () => STATE,
  portalReturn: () => undefined,
  browser: browserOf(cookies),
  ...more,
});
const carried = (cookies: string) => ({ nonce: 'q83vEjRWeJCrze8SNFZ4kA', browser: browserOf(cookies) });
const NOTHING = new Map<string, string>();

function open(t: Test, settings: Partial<SessionSettings> = {}, options: OutboundOptions = {}): Delegate {
  const outbound = openOutbound(options);
  t.teardown(() => outbound.close());
  return openSession({ ...SETTINGS, ...settings }, outbound.callerFor('us', { allowPrivate: true }));
}

const claimsOf = (begun: Begun) => ('claims' in begun ? { ...begun.claims } : begun);

/** A session app, and all that it was asked. */
async function openApp(t: Test, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: IncomingMessage['headers'][] = [];
  const { url } = await serve(t, (request, response) => {
    asked.push(request.headers);
    answer(request, response);
  });
  return { sessionUrl: `${url}session`, asked };
}

/** Everybody whose `sid` begins so is signed in under that name; everybody else is nobody. */
const people = (request: IncomingMessage, response: ServerResponse): void => {
  const name = /(?:^|; )sid=(ada|grace|person-\d+)/.exec(request.headers.cookie ?? '')?.[1];
  if (name === undefined) response.writeHead(401).end();
  else response.end(JSON.stringify({ email: `${name}@acme.com`, name }));
};

const answering =
  (status: number, body: string | Buffer = '', headers: Record<string, string> = {}) =>
  (_: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(status, headers).end(body);
  };

t.test('who is signed in already is asserted at once, without a detour', async (t) => {
  const { sessionUrl } = await openApp(t, people);
  const delegate = open(t, { sessionUrl });
  const never = () => t.fail('no state is sealed for a login that does not leave');
  const begun = await delegate.begin({ ...begin('sid=ada'), state: never as never, shortState: never as never }, NOW);
  t.match(begun, { environment: 'us', acceptableUntil: NOW });
  t.same(claimsOf(begun), { email: 'ada@acme.com', name: 'ada' });
  t.notOk('replayKey' in begun, 'nothing came through the browser that could be replayed');
  const completed = await delegate.complete(NOTHING, carried('sid=ada'), NOW);
  t.same(claimsOf(completed), { email: 'ada@acme.com', name: 'ada' }, 'and so is who signed in meanwhile');
});

t.test('who is not departs to the login page, with the way back and perhaps the email', async (t) => {
  const { sessionUrl, asked } = await openApp(t, people);
  const delegate = open(t, { sessionUrl });
  t.same(await delegate.begin(begin(''), NOW), { url: DEPARTED }, 'no cookie');
  t.same(await delegate.begin(begin('other=1; SID=ada; xsid=ada'), NOW), { url: DEPARTED }, 'other cookies');
  t.equal(asked.length, 0, 'where there is no cookie, nobody is asked');
  t.same(await delegate.begin(begin('sid=stale'), NOW), { url: DEPARTED }, 'a session that is over');
  t.equal(asked.length, 1);
  const hinted = await delegate.begin(begin('', { loginHint: 'a+b&c=d@us.acme.com' }), NOW);
  t.same(hinted, { url: `${DEPARTED}&login_hint=a%2Bb%26c%3Dd%40us.acme.com` });
  const urls: [loginUrl: string, returnParam: string, begins: string][] = [
    ['https://us.acme.com/login?tenant=1', 'return_to', 'https://us.acme.com/login?tenant=1&return_to=https%3A'],
    ['https://us.acme.com/login?', 'next', 'https://us.acme.com/login?next=https%3A'],
    ['https://us.acme.com/login?a=b&', 'go[to]', 'https://us.acme.com/login?a=b&go%5Bto%5D=https%3A'],
  ];
  for (const [loginUrl, returnParam, begins] of urls) {
    const { url } = (await open(t, { loginUrl, returnParam }).begin(begin(''), NOW)) as { url: string };
    t.ok(url.startsWith(begins), loginUrl);
    t.equal(new URL(url).searchParams.get(returnParam), `https://login.acme.com/return/us?state=${STATE}`);
  }
  t.throws(() => open(t, { loginUrl: 'https://us.acme.com/#/login' }), /fragment/);
});

t.test('only the named cookies travel, as they came', async (t) => {
  const { sessionUrl, asked } = await openApp(t, people);
  const rows: [names: string[], sent: string, travels: string | undefined][] = [
    [['sid'], 'sid=ada', 'sid=ada'],
    [['sid'], '__Host-wayhome-login.0123456789=secret; sid=ada; __Host-wayhome-visit.support.us=v', 'sid=ada'],
    [['__Host-wayhome-login.0123456789'], '__Host-wayhome-login.0123456789=secret', undefined],
    [['__host-WAYHOME-visit.support.us'], '__host-WAYHOME-visit.support.us=v', undefined],
    [['a', 'b'], 'other=1; b=2; a=1; sid=x', 'a=1; b=2'],
    [['sid'], 'sid=path; x=y; sid=root', 'sid=path; sid=root'],
    [['sid'], 'sid="quo ted, %3B=="', 'sid="quo ted, %3B=="'],
    [['sid'], 'sid=', 'sid='],
    [['sid'], 'sid=\u00e9', 'sid=\u00e9'],
    [['sid'], 'sid=a\r\nx-admin: 1', undefined],
    [['sid'], 'sid=a\u0000b', undefined],
    [['sid'], 'sid=a\u007fb; sid=fine', 'sid=fine'],
    [['sid'], 'sid=\u{1f600}', undefined],
  ];
  for (const [cookies, sent, travels] of rows) {
    const before = asked.length;
    await delegateOf(cookies).begin(begin(sent), NOW);
    t.same(
      asked.slice(before).map(({ cookie }) => cookie),
      travels === undefined ? [] : [travels],
      JSON.stringify(sent),
    );
  }
  t.ok(asked.every(({ accept, authorization }) => accept === 'application/json' && authorization === undefined));

  // A browser as another surface might hand it over: its values were never split at `;`.
  const whole = { cookies: () => ['ada; admin=1', 'ada'] };
  await delegateOf(['sid']).begin({ ...begin(''), browser: whole }, NOW);
  t.equal(asked.at(-1)?.cookie, 'sid=ada');

  function delegateOf(cookies: string[]): Delegate {
    return open(t, { sessionUrl, cookies });
  }
});

t.test('a thousand interleaved logins of two browsers and many more: each gets its own person', async (t) => {
  let waiting: (() => void)[] = [];
  const release = () => {
    const ready = waiting.reverse();
    waiting = [];
    for (const answer of ready) answer();
  };
  const { sessionUrl, asked } = await openApp(t, (request, response) => {
    // Answered in the opposite order, some at a time.
    waiting.push(() => people(request, response));
    if (waiting.length >= 8) release();
    else setImmediate(release);
  });
  const delegate = open(t, { sessionUrl }, { waiting: 2_000 });
  const logins = Array.from({ length: 1_000 }, async (_, index) => {
    const name = index % 3 === 0 ? 'ada' : index % 3 === 1 ? 'grace' : `person-${index}`;
    const cookies = `sid=${name}`;
    const begun =
      index % 2 === 0
        ? await delegate.begin(begin(cookies), NOW)
        : await delegate.complete(NOTHING, carried(cookies), NOW);
    return (begun as Assertion).claims.email === `${name}@acme.com`;
  });
  t.same(new Set(await Promise.all(logins)), new Set([true]));
  t.equal(asked.length, 1_000, 'each asked for itself');
});

t.test('nothing is remembered: the next question is a new one', async (t) => {
  let signedIn = true;
  const { sessionUrl } = await openApp(t, (request, response) => {
    if (signedIn) people(request, response);
    else response.writeHead(401).end();
  });
  const delegate = open(t, { sessionUrl });
  t.ok('claims' in (await delegate.begin(begin('sid=ada'), NOW)));
  signedIn = false;
  t.same(await delegate.begin(begin('sid=ada'), NOW), { url: DEPARTED });
  t.equal(await reasonOf(() => delegate.complete(NOTHING, carried('sid=ada'), NOW)), 'login_required');
});

t.test('who comes back without a session is refused, and so is an error', async (t) => {
  const { sessionUrl } = await openApp(t, people);
  const delegate = open(t, { sessionUrl });
  const rows: [cookies: string, answer: [string, string][], reason: Reason | 'accepted'][] = [
    ['', [], 'login_required'],
    ['sid=stale', [], 'login_required'],
    ['sid=stale', [['email', 'ada@acme.com']], 'login_required'],
    ['sid=ada', [['error', 'access_denied']], 'access_denied'],
    ['sid=ada', [['error', 'unknown_user']], 'unknown_user'],
    ['sid=ada', [['error', 'nonsense']], 'environment_error'],
    ['sid=ada', [['error', '']], 'accepted'],
  ];
  for (const [cookies, answer, reason] of rows) {
    const completed = () => delegate.complete(new Map(answer), carried(cookies), NOW);
    t.equal(await reasonOf(completed), reason, `${cookies} ${answer}`);
  }
});

t.test('an answer that is not 200 with one plain object, or 401, is a refusal', async (t) => {
  const many = (count: number) => JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [i, i])));
  const rows: [what: string, answer: ReturnType<typeof answering>, reason: Reason | 'accepted', detail?: RegExp][] = [
    ['64 claims', answering(200, many(64)), 'accepted'],
    ['65 claims', answering(200, many(65)), 'environment_error', /64 claims/],
    ['another charset', answering(200, '{"a":1}', { 'content-type': 'text/plain; charset=latin1' }), 'accepted'],
    ['compressed', answering(200, gzipSync('{"a":1}'), { 'content-encoding': 'gzip' }), 'accepted'],
    ['nothing', answering(200), 'environment_error', /not JSON/],
    ['an empty object', answering(200, '{}'), 'environment_error', /401/],
    ['a page', answering(200, '<!doctype html><title>Sign in</title>'), 'environment_error', /not JSON/],
    ['null', answering(200, 'null'), 'environment_error', /not a JSON object/],
    ['a list', answering(200, '[{"email":"ada@acme.com"}]'), 'environment_error', /not a JSON object/],
    ['text', answering(200, '"ada@acme.com"'), 'environment_error', /not a JSON object/],
    ['a name twice', answering(200, '{"email":"a@acme.com","email":"b@acme.com"}'), 'environment_error', /twice/],
    ['a number too large', answering(200, '{"a":1e999}'), 'environment_error', /overflowing/],
    ['a lone surrogate', answering(200, '{"a":"\\ud800"}'), 'environment_error', /surrogate/],
    ['bytes that are no UTF-8', answering(200, Buffer.from('{"a":"\xff"}', 'latin1')), 'environment_error', /UTF-8/],
    ['17 levels', answering(200, `{"a":${'['.repeat(17)}${']'.repeat(17)}}`), 'environment_error', /too deeply/],
    ['two objects', answering(200, '{"a":1}{"a":2}'), 'environment_error', /not JSON/],
    ['half an object', answering(200, '{"a":'), 'environment_error', /not JSON/],
    ['201', answering(201, '{"a":1}'), 'environment_error', /answered 201/],
    ['204', answering(204), 'environment_error', /answered 204/],
    ['400', answering(400), 'environment_error', /answered 400/],
    ['403, which is not 401', answering(403), 'environment_error', /answered 403/],
    ['404', answering(404), 'environment_error', /answered 404/],
    ['429', answering(429), 'environment_unavailable', /answered 429/],
    ['500', answering(500, '{"email":"ada@acme.com"}'), 'environment_error', /answered 500/],
    ['503', answering(503), 'environment_unavailable', /answered 503/],
    [
      '302 to a login page',
      answering(302, '', { location: '/login' }),
      'environment_error',
      /redirect.*has to answer 401/,
    ],
    ['304', answering(304), 'environment_error', /redirect/],
    ['300 kB', answering(200, JSON.stringify({ a: 'x'.repeat(300_000) })), 'environment_error', /too_large/],
    [
      '300 kB in 300 bytes',
      answering(200, gzipSync(JSON.stringify({ a: 'x'.repeat(300_000) })), { 'content-encoding': 'gzip' }),
      'environment_error',
      /too_large/,
    ],
    ['broken gzip', answering(200, 'x'.repeat(50), { 'content-encoding': 'gzip' }), 'environment_error', /encoding/],
    ['no answer in time', () => {}, 'environment_timeout', /timeout/],
    [
      'half an answer in time',
      (_, response) => void response.writeHead(200).write('{"a":'),
      'environment_timeout',
      /timeout/,
    ],
    ['a hangup', (request) => void request.socket.destroy(), 'environment_unavailable', /network/],
  ];
  for (const [what, answer, reason, detail] of rows) {
    const { sessionUrl } = await openApp(t, answer);
    const delegate = open(t, { sessionUrl }, { timeoutMs: 250 });
    const ways: Record<string, () => unknown> = {
      'at the start': () => delegate.begin(begin('sid=ada'), NOW),
      'at the return': () => delegate.complete(NOTHING, carried('sid=ada'), NOW),
    };
    for (const [when, act] of Object.entries(ways)) {
      const refusal = await refusalOf(act);
      t.equal(refusal?.reason ?? 'accepted', reason, `${what} ${when}`);
      if (detail) t.match(refusal?.detail, detail, `${what} ${when}: what to mend`);
      t.notMatch(refusal?.detail, /ada|sid=/, 'nothing about the person');
    }
  }
  const { url } = await serveBytes(t, (socket) => socket.end('HTTP/1.1 099 Odd\r\ntrailer: x\r\n\r\n'));
  t.match(await refusalOf(() => open(t, { sessionUrl: url }).begin(begin('sid=ada'), NOW)), {
    reason: /^environment_/,
  });
  const refused = openOutbound();
  t.teardown(() => refused.close());
  const publicOnly = openSession(
    { ...SETTINGS, sessionUrl: 'https://10.0.0.1/session' },
    refused.callerFor('us', { allowPrivate: false }),
  );
  t.match(await refusalOf(() => publicOnly.begin(begin('sid=ada'), NOW)), {
    reason: 'environment_unavailable',
    detail: /address_refused/,
  });
});

t.test('a session whose exp has passed is over', async (t) => {
  const rows: [exp: unknown, reason: Reason | 'accepted'][] = [
    [NOW + 1, 'accepted'],
    [NOW - 59, 'accepted'],
    [NOW - 60, 'login_required'],
    [0, 'login_required'],
    [NOW * 1_000, 'accepted'],
    ['2030-01-01T00:00:00Z', 'environment_error'],
    [null, 'environment_error'],
  ];
  for (const [exp, reason] of rows) {
    const { sessionUrl } = await openApp(t, answering(200, JSON.stringify({ email: 'ada@acme.com', exp })));
    const delegate = open(t, { sessionUrl });
    const completed = () => delegate.complete(NOTHING, carried('sid=ada'), NOW);
    t.equal(await reasonOf(completed), reason, `${exp}`);
    if (reason === 'accepted') t.same(claimsOf(await completed()), { email: 'ada@acme.com' }, 'exp is no claim');
    if (reason === 'login_required') t.same(await delegate.begin(begin('sid=ada'), NOW), { url: DEPARTED });
  }
});

t.test('claims are found where the operator says they stand', async (t) => {
  const said = { user: { mail: 'ada@acme.com', id: 7 }, email: 'shadow@acme.com', name: 'Ada', org: { id: 'acme' } };
  const { sessionUrl } = await openApp(t, answering(200, JSON.stringify(said)));
  const claims = new Map([
    ['email', ['user.mail']],
    ['account_id', ['missing', 'org.id']],
    ['name', ['user.title']],
  ]);
  const begun = await open(t, { sessionUrl, claims }).begin(begin('sid=ada'), NOW);
  t.match(claimsOf(begun), { email: 'ada@acme.com', account_id: 'acme', name: undefined });
  const hostile = await openApp(t, answering(200, '{"__proto__":{"email":"ada@acme.com"},"name":"Eve"}'));
  const assertion = (await open(t, hostile).begin(begin('sid=ada'), NOW)) as Assertion;
  t.equal(assertion.claims.email, undefined, 'a claim named __proto__ changes nothing');
});

t.test('whatever the endpoint says, the end is a departure, an assertion or a refusal', async (t) => {
  let next: { status: number; body: string } = { status: 200, body: '' };
  const { sessionUrl } = await openApp(t, (_, response) => void response.writeHead(next.status).end(next.body));
  const statuses = fc.oneof(fc.constantFrom(200, 200, 200, 401), fc.integer({ min: 200, max: 599 }));
  const bodies = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.json().map((json) => `{"email":${json}}`),
  );
  // A clock that leaps forward: the breaker is always due for another try.
  let elapsed = 0;
  const now = () => {
    elapsed += 3_600_000;
    return elapsed;
  };
  const delegate = open(t, { sessionUrl }, { now });
  await fc.assert(
    fc.asyncProperty(statuses, bodies, async (status, body) => {
      next = { status, body };
      try {
        const begun = await delegate.begin(begin('sid=ada'), NOW);
        return 'claims' in begun ? status === 200 : 'url' in begun && begun.url === DEPARTED;
      } catch (error) {
        return error instanceof Refusal && error.reason.startsWith('environment_');
      }
    }),
    { numRuns: 300 },
  );
});

async function refusalOf(act: () => unknown): Promise<Refusal | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}
