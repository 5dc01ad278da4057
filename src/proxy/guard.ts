import { admit, type Breaker, type CallEnd, CLOSED, describePause, type Pass, settle } from '../outbound/breaker.ts';

/** The breaker of one environment, kept. Every pass has to be settled, once. */
export type Guard = {
  /** `undefined`: the last requests failed, and the next try is not due yet. */
  admit(): Pass | undefined;
  settle(pass: Pass, end: CallEnd): void;
  describe(): string;
};

/** `now`: milliseconds of a clock that is never set back. `onOpen` is called whenever it opens. */
export function openGuard(now: () => number, onOpen: () => void): Guard {
  let breaker: Breaker = CLOSED;
  return {
    admit() {
      if (breaker.is === 'closed') return 'ordinary';
      const admitted = admit(breaker, now());
      breaker = admitted.breaker;
      return admitted.pass;
    },
    settle(pass, end) {
      if (breaker === CLOSED && end !== 'failed') return;
      const before = breaker.is;
      breaker = settle(breaker, pass, end, now());
      if (breaker.is === 'open' && before !== 'open') onOpen();
    },
    describe: () => describePause(breaker, now()),
  };
}
