import type { After } from '../../src/system/after.ts';

/** Time in the test's hands: a clock in seconds, and timers that fire when it gets there. */
export type HandedInTime = {
  now: number;
  readonly clock: () => number;
  readonly after: After;
  /** Lets so many seconds pass, timer by timer, and after each waits until `quiet` says that nothing is going on. */
  pass(seconds: number, quiet: () => Promise<void>): Promise<void>;
};

export function handedInTime(now = 1_800_000_000): HandedInTime {
  const timers = new Map<symbol, { readonly at: number; readonly work: () => void }>();
  let millis = now * 1_000;
  const time: HandedInTime = {
    get now() {
      return Math.floor(millis / 1_000);
    },
    set now(seconds) {
      millis = seconds * 1_000;
    },
    clock: () => Math.floor(millis / 1_000),
    after(ms, work) {
      const name = Symbol('timer');
      timers.set(name, { at: millis + ms, work });
      return () => timers.delete(name);
    },
    async pass(seconds, quiet) {
      const until = millis + seconds * 1_000;
      await quiet();
      for (;;) {
        const next = [...timers].filter(([, { at }]) => at <= until).sort(([, a], [, b]) => a.at - b.at)[0];
        if (!next) break;
        const [name, { at, work }] = next;
        timers.delete(name);
        millis = Math.max(millis, at);
        work();
        await quiet();
      }
      millis = until;
    },
  };
  return time;
}
