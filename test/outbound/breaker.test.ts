import t from 'tap';
import { admit, type Breaker, type CallEnd, CLOSED, describePause, settle } from '../../src/outbound/breaker.ts';
import { OutboundError } from '../../src/outbound/outbound.ts';
import { kindOf, open, tally } from './attempts.ts';
import { serve, serveBytes } from './servers.ts';

/** Steps in time: `+` ms go by, a call ends in some way, or a call is turned away. */
type Step = readonly ['+', number] | readonly [CallEnd] | readonly ['turned away'];
const failures = (count: number): Step[] => Array.from({ length: count }, () => ['failed']);

const STORIES: readonly (readonly [story: string, steps: readonly Step[], ends: Breaker['is']])[] = [
  ['four failures are not enough', failures(4), 'closed'],
  ['five in a row open it', [...failures(5), ['turned away']], 'open'],
  ['an answer between them starts the count again', [...failures(4), ['answered'], ...failures(4)], 'closed'],
  ['a call that never left does not', [...failures(4), ['unknown'], ['failed'], ['turned away']], 'open'],
  ['it stays open for 5 s', [...failures(5), ['+', 4_999], ['turned away']], 'open'],
  ['then a call may try, and an answer closes it', [...failures(5), ['+', 5_000], ['answered']], 'closed'],
  [
    'after which five failures are needed again',
    [...failures(5), ['+', 5_000], ['answered'], ...failures(4)],
    'closed',
  ],
  ['a failed try doubles the pause', [...failures(5), ['+', 5_000], ['failed'], ['+', 9_999], ['turned away']], 'open'],
  [
    'twice',
    [...failures(5), ['+', 5_000], ['failed'], ['+', 10_000], ['failed'], ['+', 19_999], ['turned away']],
    'open',
  ],
  [
    'a try that never left may be made again at once',
    [...failures(5), ['+', 5_000], ['unknown'], ['answered']],
    'closed',
  ],
  [
    'the pause is never more than a minute',
    [
      ...failures(5),
      ...Array.from({ length: 9 }, (): Step[] => [['+', 60_000], ['failed']]).flat(),
      ['+', 60_000],
      ['answered'],
    ],
    'closed',
  ],
  [
    'and never less once it was reached',
    [
      ...failures(5),
      ...Array.from({ length: 9 }, (): Step[] => [['+', 60_000], ['failed']]).flat(),
      ['+', 59_999],
      ['turned away'],
    ],
    'open',
  ],
];

t.test('the breaker opens, pauses and closes by its rules', async (t) => {
  for (const [story, steps, ends] of STORIES) {
    let breaker: Breaker = CLOSED;
    let now = 1_000;
    for (const [what, ms] of steps) {
      if (what === '+') {
        now += ms ?? 0;
        continue;
      }
      const { breaker: after, pass } = admit(breaker, now);
      t.equal(pass === undefined, what === 'turned away', story);
      breaker = pass && what !== 'turned away' ? settle(after, pass, what, now) : after;
    }
    t.equal(breaker.is, ends, story);
  }
});

t.test('one call tries alone, and calls from before say nothing about it', async (t) => {
  let breaker: Breaker = { is: 'open', until: 5_000, pauseMs: 5_000 };
  t.match(describePause(breaker, 1_500), /due in 4 s$/);
  const trial = admit(breaker, 5_000);
  t.equal(trial.pass, 'trial');
  breaker = trial.breaker;
  t.match(describePause(breaker, 5_000), /one call is trying/);
  t.equal(admit(breaker, 99_000).pass, undefined, 'however long it takes');
  for (const end of ['answered', 'failed', 'unknown'] as const) {
    t.equal(settle(breaker, 'ordinary', end, 5_001), breaker, `while it is being tried: ${end}`);
    const open: Breaker = { is: 'open', until: 9_000, pauseMs: 5_000 };
    t.equal(settle(open, 'ordinary', end, 5_001), open, `while it is open: ${end}`);
  }
});

t.test(
  'once the breaker is open, nobody waits for a server that is gone, and one call asks whether it is back',
  async (t) => {
    let now = 0;
    let held: (() => void)[] | undefined = [];
    const server = await serve(t, (request, response) => {
      if (!held) return response.end('{}');
      held.push(() => request.socket.destroy());
      // All places are taken; from now on every call fails as it arrives.
      if (held.length >= 16) for (const fail of held) fail();
      return response;
    });
    const outbound = open(t, { timeoutMs: 60_000, waiting: 2_000, now: () => now });
    const us = outbound.callerFor('us', { allowPrivate: true });
    const call = () => us.call({ url: server.url });

    const start = performance.now();
    const { network = 0, broken = 0 } = await tally(Array.from({ length: 2_000 }, call));
    t.equal(network + broken, 2_000);
    t.ok(network >= 16 && network <= 20, `${network} were tried`);
    t.ok(performance.now() - start < 30_000, 'none of them waited for its time to run out');

    const tried = server.connections();
    const refusal = await call().catch((error: unknown) => error);
    t.ok(refusal instanceof OutboundError && refusal.kind === 'broken');
    t.match((refusal as Error).message, /^broken: us: .* due in 5 s$/);
    t.equal(server.connections(), tried, 'and none was connected for it');

    now += 5_000;
    t.same(await tally(Array.from({ length: 100 }, call)), { network: 1, broken: 99 }, 'one call tries');
    now += 9_999;
    t.equal(await kindOf(call()), 'broken', 'the pause has doubled');
    now += 1;
    held = undefined;
    t.same(await tally(Array.from({ length: 100 }, call)), { answered: 1, broken: 99 });
    t.same(await tally(Array.from({ length: 100 }, call)), { answered: 100 }, 'it is closed again');
  },
);

t.test('a hung server costs the time of one call, however many ask, and other environments nothing', async (t) => {
  const hung = await serveBytes(t, () => {});
  const well = await serve(t, (_, response) => response.end('{}'));
  const outbound = open(t, { timeoutMs: 1_000 });
  const us = outbound.callerFor('us', { allowPrivate: true });
  const eu = outbound.callerFor('eu', { allowPrivate: true });
  await eu.call({ url: well.url });
  const start = performance.now();
  const hanging = tally(Array.from({ length: 2_000 }, () => us.call({ url: hung.url })));
  t.same(await tally(Array.from({ length: 100 }, () => eu.call({ url: well.url }))), { answered: 100 });
  const { busy, timeout = 0, broken = 0 } = await hanging;
  const ms = performance.now() - start;
  t.equal(busy, 2_000 - 16 - 128, 'turned away at once');
  t.equal(timeout + broken, 16 + 128);
  t.ok(timeout >= 5, `${timeout} ran out of time`);
  t.ok(ms < 1_900, `${Math.round(ms)} ms: nobody had to wait twice`);
  t.ok(hung.connections() <= 16 + 5, `${hung.connections()} connections`);
  t.equal(await kindOf(us.call({ url: hung.url })), 'broken');
});

t.test('what opens the breaker is no answer; an answer that is not accepted does not', async (t) => {
  const answers: readonly (readonly [status: number, headers: Record<string, string>, body: string])[] = [
    [500, {}, ''],
    [502, {}, ''],
    [503, { 'retry-after': '9' }, ''],
    [504, {}, ''],
    [302, { location: '/' }, ''],
    [200, { 'content-encoding': 'br' }, '{}'],
    [200, {}, 'x'.repeat(300_000)],
  ];
  for (const [status, headers, body] of answers) {
    const { url } = await serve(t, (_, response) => response.writeHead(status, headers).end(body));
    const us = open(t).callerFor('us', { allowPrivate: true });
    for (let call = 0; call < 6; call++) await kindOf(us.call({ url }));
    t.not(await kindOf(us.call({ url })), 'broken', `${status} ${JSON.stringify(headers)}`);
  }
  const us = open(t).callerFor('us', { allowPrivate: false });
  for (let call = 0; call < 6; call++) await kindOf(us.call({ url: 'https://10.0.0.1/' }));
  t.equal(await kindOf(us.call({ url: 'https://10.0.0.1/' })), 'address_refused', 'nobody was asked');
});

t.test('a call that ran out of time because it waited is no sign of a server that is down', async (t) => {
  let answers = false;
  const { url } = await serve(t, (_, response) => {
    if (answers) response.end('{}');
  });
  const us = open(t, { timeoutMs: 200, atOnce: 4 }).callerFor('us', { allowPrivate: true });
  t.same(await tally(Array.from({ length: 20 }, () => us.call({ url }))), { timeout: 20 });
  answers = true;
  t.equal(await kindOf(us.call({ url })), 'answered');
});
