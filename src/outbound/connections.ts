import type { Dispatcher } from 'undici';

/** A dispatcher that holds one connection at most, lent to one call. It ends with `keep` or `end`. */
export type Connection = {
  readonly dispatcher: Dispatcher;
  /** Whether an earlier call went over it: its server may be closing it at this very moment. */
  readonly usedBefore: boolean;
  /** For the next call; only after an answer that was read to its end. */
  keep(): void;
  end(): void;
};

export type Connections = {
  /** `fresh`: one that no call has used. */
  take(origin: string, fresh: boolean): Connection;
  /** Ends what is idle, and keeps nothing from now on. */
  close(): void;
  /** Ends everything, calls under way included. */
  end(): Promise<void>;
};

/** Milliseconds that a connection waits for its next call: less than the 5 s after which Node's servers hang up. */
export const IDLE_MS = 4_000;

/** Connections that wait at the most; a POST never takes one, so that they would pile up. */
const MAX_IDLE = 16;

type Idle = { readonly origin: string; readonly dispatcher: Dispatcher; readonly timer: NodeJS.Timeout };

/**
 * The connections of one caller. A second call of the same login, and the next login, save the two round trips of
 * connecting (measured on loopback: 1.3 ms of CPU without, 0.1 ms with). An address is judged when it is dialled;
 * one connection leads to the same peer for as long as it lasts.
 */
export function openConnections(dial: (origin: string) => Dispatcher): Connections {
  const all = new Set<Dispatcher>();
  /** The latest last. */
  let idle: readonly Idle[] = [];
  let keeps = true;

  async function endOf(dispatcher: Dispatcher): Promise<void> {
    all.delete(dispatcher);
    await dispatcher.destroy();
  }

  function takeIdle(entry: Idle | undefined): Dispatcher | undefined {
    if (!entry) return undefined;
    clearTimeout(entry.timer);
    idle = idle.filter((other) => other !== entry);
    return entry.dispatcher;
  }

  function endIdle(entry: Idle | undefined): void {
    const dispatcher = takeIdle(entry);
    if (dispatcher) void endOf(dispatcher);
  }

  function keep(origin: string, dispatcher: Dispatcher): void {
    const entry = { origin, dispatcher, timer: setTimeout(() => endIdle(entry), IDLE_MS).unref() };
    idle = [...idle, entry];
    if (!keeps) endIdle(entry);
    else if (idle.length > MAX_IDLE) endIdle(idle[0]);
  }

  function close(): void {
    keeps = false;
    for (const entry of idle) endIdle(entry);
  }

  return {
    take(origin, fresh) {
      const known = fresh ? undefined : takeIdle(idle.findLast((entry) => entry.origin === origin));
      const dispatcher = known ?? dial(origin);
      all.add(dispatcher);
      return {
        dispatcher,
        usedBefore: known !== undefined,
        keep: () => keep(origin, dispatcher),
        end: () => void endOf(dispatcher),
      };
    },
    close,
    async end() {
      close();
      await Promise.all([...all].map(endOf));
    },
  };
}
