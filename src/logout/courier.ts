/**
 * The courier: notices carried out by a process of its own, so that no login waits for a signature, a commit or a
 * garbage collection that a backlog of sign-outs needs. This is the router's side of it; src/courier.ts is the other.
 * What the two say to each other is here. Nothing depends on the courier's living: what it had taken is due again.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import type { Outcome, Taken } from '../store/notices.ts';
import type { RedisAccess } from '../store/redis-address.ts';
import { leaveCoresToOthers } from '../system/leave-cores.ts';
import type { Delivery, DeliveryParts } from './delivery.ts';
import type { ReceiverSetup } from './receiver.ts';

/** What a courier is told, in this order: how to begin, then the rest as it comes. */
export type Order =
  | { readonly begin: Begin }
  /** Who can be told from now on, by lane. */
  | { readonly lanes: ReadonlyMap<string, ReceiverSetup> }
  | 'poke'
  | 'stop';

export type Begin = {
  readonly store: string;
  readonly redis?: RedisAccess;
  readonly sealKeys: readonly Uint8Array[];
  /** Where the outbound client reads its proxies from. */
  readonly variables: Readonly<Record<string, string | undefined>>;
};

/** What it tells. */
export type News =
  | { readonly settled: Taken; readonly outcome: Outcome }
  | { readonly fault: string }
  /** It has begun. */
  | 'ready'
  /** It hardly comes to run. */
  | 'starved';

export type CourierParts = Pick<DeliveryParts, 'after' | 'settled' | 'fault'> & {
  readonly begin: Begin;
  /** The program that runs as courier. */
  readonly program: URL;
  /** Who can be told by the routes in force. The same object while they are. */
  readonly lanes: () => ReadonlyMap<string, ReceiverSetup>;
};

/** Milliseconds from a courier's death to the next one, doubled each time while none of them settles anything. */
const ANOTHER_AFTER = 1_000;
const ANOTHER_AFTER_AT_MOST = 60_000;

/** Milliseconds for which one that was told to stop is waited for. */
const STOPS_WITHIN = 10_000;

/** Milliseconds for which a courier is treated like everybody else, where one that yields to all others has starved. */
const EQUAL_FOR = 600_000;

/** Little memory for V8's young generation (MiB), no other threads of V8, and one that signs: there is no hurry. */
const FLAGS = ['--max-semi-space-size=8', '--single-threaded', '--disable-warning=ExperimentalWarning'];
const THREADS = { UV_THREADPOOL_SIZE: '1' };

/**
 * The process is started when it is poked first, and again whenever it has died. Once it has begun it runs where nobody
 * else wants to: what it does can wait, and who signs in cannot. Where it then hardly runs at all, another takes over that
 * has its share like everybody else, for a while.
 */
export function openCourier({
  begin,
  program,
  lanes,
  after,
  settled,
  fault,
}: CourierParts): Pick<Delivery, 'poke' | 'stop'> {
  const alive = new Set<ChildProcess>();
  let child: ChildProcess | undefined;
  let known: ReturnType<CourierParts['lanes']> | undefined;
  let deaths = 0;
  let yields = true;
  let stopping = false;
  /** The last one has died, and it is too early for another. */
  let mourning = false;
  let cancel = () => {};
  let cancelReturn = () => {};

  function start(): void {
    const started = fork(program, {
      execArgv: FLAGS,
      env: { ...process.env, NODE_COMPILE_CACHE: getCompileCacheDir(), ...THREADS },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child = started;
    alive.add(started);
    known = undefined;
    started.on('message', (news) => hear(started, news as News));
    started.once('exit', (code, signal) => over(started, new Error(`the courier ended with ${signal ?? code}`)));
    // Of one that could not even be started `exit` does not tell.
    started.on('error', (error) => (started.pid === undefined ? over(started, error) : fault(error)));
    tell(started, { begin });
  }

  function over(ended: ChildProcess, error: Error): void {
    alive.delete(ended);
    if (child !== ended) return;
    child = undefined;
    if (!stopping) mourn(error);
  }

  function mourn(error: unknown): void {
    fault(error);
    mourning = true;
    cancel = after(Math.min(ANOTHER_AFTER * 2 ** deaths++, ANOTHER_AFTER_AT_MOST), () => {
      mourning = false;
      poke();
    });
  }

  function hear(from: ChildProcess, news: News): void {
    if (news === 'ready') {
      if (yields) leaveCoresToOthers(from.pid, 'process');
    } else if (news === 'starved') {
      if (!yields || from !== child || stopping) return;
      replace(false);
      cancelReturn = after(EQUAL_FOR, () => replace(true));
    } else if ('fault' in news) fault(new Error(news.fault));
    else {
      deaths = 0;
      settled(news.settled, news.outcome);
    }
  }

  /** The old one finishes what it has. */
  function replace(yielding: boolean): void {
    yields = yielding;
    if (child) tell(child, 'stop');
    child = undefined;
    poke();
  }

  function poke(): void {
    if (stopping || mourning) return;
    try {
      if (!child) start();
    } catch (error) {
      // Notices are safe in the store: whoever posted them has no part in this.
      mourn(error);
    }
    if (!child) return;
    const now = lanes();
    if (known !== now) tell(child, { lanes: now });
    known = now;
    tell(child, 'poke');
  }

  return {
    poke,
    async stop() {
      stopping = true;
      cancel();
      cancelReturn();
      await Promise.all([...alive].map(end));
    },
  };
}

function tell(child: ChildProcess, order: Order): void {
  // Of a channel that has broken `exit` tells.
  if (child.connected) child.send(order, () => {});
}

async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  tell(child, 'stop');
  const kill = setTimeout(() => child.kill('SIGKILL'), STOPS_WITHIN);
  await ended;
  clearTimeout(kill);
}
