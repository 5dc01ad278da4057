/** Cases 7 and 24: an environment that answers garbage costs its own people a page, and nobody else anything. */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { leaksOf } from '../support/leaks.ts';
import { inBatches, type Told } from './crowd.ts';
import { KINDS, type Seen } from './garbage-kinds.ts';
import {
  atSession,
  forPage,
  type HostileWorld,
  leave,
  openHostileWorld,
  PROVIDERS,
  refused,
  WIRE,
} from './hostile-world.ts';
import { openNeighbours } from './neighbours.ts';

/** Requests for each kind of garbage on the wire: at a session endpoint, at a token endpoint, and for a page. */
const EACH = { session: 400, token: 300, page: 300 } as const;
/** Logins for each kind of token and of key set. */
const EACH_PROVIDER = 100;
/** Requests under way at once. */
const AT_ONCE = 32;

const MIB = 1024 * 1024;

/** Memory of a process that is resident now (`VmRSS`), or was at the most (`VmHWM`). Bytes. */
function resident({ serving }: HostileWorld, what: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${serving.process.pid}/status`, 'utf8');
  return Number(new RegExp(`^${what}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
}

/** Does all of it, the kinds in turn; what came out differently than it had to, and how often. */
async function attack({ crowd }: HostileWorld): Promise<{ done: number; wrong: [string, number][] }> {
  const wrong = new Map<string, number>();
  const note = (what: string) => wrong.set(what, (wrong.get(what) ?? 0) + 1);

  const login = (what: string, act: () => Promise<Told>) => async () => {
    const told = await act().catch(() => undefined);
    if (!told || !refused(told)) note(`${what}: ${told?.status} ${told?.end}`);
  };
  const page = (kind: string) => async () => {
    const told = await forPage(crowd, kind).catch(() => undefined);
    // A head that was never sent is one that was cut.
    const seen: Seen = !told || told.end === 'cut' ? 'cut' : refused(told) ? 'refused' : 'passed';
    // Once the breaker has opened, everything is refused.
    if (seen !== 'refused' && seen !== KINDS[kind]?.page) note(`page, ${kind}: ${told?.status} ${seen}`);
  };

  const jobs: { times: number; act: () => Promise<void> }[] = [];
  for (const kind of WIRE) {
    const back = await leave(crowd, `token-${kind}`);
    jobs.push({ times: EACH.session, act: login(`session, ${kind}`, () => atSession(crowd, kind)) });
    jobs.push({ times: EACH.token, act: login(`token, ${kind}`, back) });
    jobs.push({ times: EACH.page, act: page(kind) });
  }
  for (const name of PROVIDERS) {
    jobs.push({ times: EACH_PROVIDER, act: login(name, await leave(crowd, name)) });
  }
  const rounds = Array.from({ length: EACH.session }, (_, round) => jobs.filter(({ times }) => round < times));
  const work = rounds.flatMap((round) => round.map(({ act }) => act));
  await inBatches(AT_ONCE, work);
  return { done: work.length, wrong: [...wrong] };
}

/** Every refused login has its line, and none of them is a mistake of ours. */
function checkLog(t: Test, { serving }: HostileWorld): void {
  const events = serving.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  t.same(
    events.filter(({ reason, event }) => reason === 'internal' || event === 'fault'),
    [],
    'nothing unexpected was thrown',
  );
  const references = new Set(events.map(({ reference }) => reference));
  const shown = serving.exchanges.filter(({ seen }) => seen.reference !== '');
  t.ok(shown.every(({ seen }) => references.has(seen.reference)));
}

t.test(
  'twenty kinds of garbage and more, a thousand requests each: others sign in all the while, and the process stays',
  { timeout: 280_000 },
  async (t) => {
    const world = await openHostileWorld(t, '1s');
    const { serving } = world;
    t.ok(WIRE.length >= 20);

    const before = resident(world, 'VmRSS');
    const neighbours = openNeighbours(world);
    const began = performance.now();
    const { done, wrong } = await attack(world);
    const seconds = (performance.now() - began) / 1000;
    const counts = await neighbours.stop();
    const [after, peak] = [resident(world, 'VmRSS'), resident(world, 'VmHWM')];

    const arrived = await world.arrived();
    t.comment(`${done} requests in ${seconds.toFixed(0)} s; resident MiB before, after, peak:`);
    t.comment([before, after, peak].map((bytes) => Math.round(bytes / MIB)).join(', '));
    t.comment(`that reached it (the breaker refused the others): ${JSON.stringify(Object.fromEntries(arrived))}`);
    t.comment(`neighbours: ${JSON.stringify(counts, (key, value) => (key === 'took' ? value.length : value))}`);

    t.same(
      wrong,
      [],
      'each of its people got a page with a reference, or an answer that can be framed in one way only',
    );
    t.same(
      WIRE.filter((kind) => KINDS[kind] && !arrived.get(kind)),
      [],
      'every kind was really answered',
    );
    for (const [way, { took, failed }] of Object.entries(counts)) {
      t.equal(failed, 0, `${way}: not one failure`);
      t.ok(took.length >= 100, `${way}: among ${took.length}`);
    }
    t.equal(serving.process.exitCode ?? serving.process.signalCode, null, 'the same process runs');
    t.equal(world.said(), '', 'and has said nothing on standard error');
    t.ok(peak - before < 300 * MIB, 'memory is bounded');
    checkLog(t, world);
    // Each exchange has secrets of its own, and each is looked for in all of the log.
    t.same(leaksOf({ ...serving, exchanges: serving.exchanges.slice(-40) }), []);
    t.equal(await serving.stop('SIGTERM'), 0, 'it stops when it is asked to');
  },
);
