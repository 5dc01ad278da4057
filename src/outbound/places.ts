/** A few calls at once, some more that wait for a place, first come first served. */
export type Places = {
  /**
   * Resolves, once there is a place, with what gives it back (to be called once). Rejects with the signal's reason
   * when that fires first, and with `full()` at once when too many wait already.
   */
  take(signal: AbortSignal): Promise<() => void>;
  /** Rejects everybody who waits. */
  turnAway(reason: () => Error): void;
};

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
      for (const { refuse } of [...waiting]) refuse(reason());
    },
  };
}
