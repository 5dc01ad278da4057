/** A few calls at once, some more that wait for a place, first come first served. */
export type Places = {
  /**
   * Resolves, once there is a place, with what gives it back (to be called once). Rejects with the signal's reason
   * when that fires first, and with `full()` at once when too many wait already.
   */
  take(signal: AbortSignal): Promise<() => void>;
  /**
   * Rejects everybody who waits: none of them gets a place any more. A few in each turn of the event loop, since what
   * their callers do then, all at once, would hold up everybody else.
   */
  turnAway(reason: () => Error): void;
};

/** Who are rejected in one turn of the event loop. */
const TURNED_AWAY_AT_ONCE = 4;

type Waiting = { readonly admit: () => void; readonly refuse: (reason: unknown) => void };

export function openPlaces(atOnce: number, waitingAtMost: number, full: () => Error): Places {
  let taken = 0;
  const waiting = new Set<Waiting>();

  function giveBack(): void {
    const [next] = waiting;
    if (next) next.admit();
    else taken--;
  }

  const wait = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting.delete(entry);
        signal.removeEventListener('abort', giveUp);
      };
      const giveUp = (): void => entry.refuse(signal.reason);
      const entry: Waiting = {
        admit: () => {
          leave();
          resolve();
        },
        refuse: (reason) => {
          leave();
          reject(reason);
        },
      };
      waiting.add(entry);
      signal.addEventListener('abort', giveUp);
    });

  return {
    async take(signal) {
      signal.throwIfAborted();
      if (taken < atOnce) taken++;
      else if (waiting.size < waitingAtMost) await wait(signal);
      else throw full();
      return giveBack;
    },
    turnAway(reason) {
      const refused = [...waiting];
      waiting.clear();
      const next = () => {
        for (const { refuse } of refused.splice(0, TURNED_AWAY_AT_ONCE)) refuse(reason());
        if (refused.length > 0) setImmediate(next);
      };
      next();
    },
  };
}
