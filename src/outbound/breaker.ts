/**
 * The circuit breaker of one environment, as a value. A server that hangs would cost every call its whole time;
 * after a few such calls nobody asks it any more until one try, alone, has shown that it answers again.
 *
 *     closed ──(5 failures in a row)──▶ open ──(pause over, one call)──▶ trying
 *        ▲                               ▲                                │ │
 *        │                               └──(failed: pause × 2)───────────┘ │
 *        └──────────────────────────────────(answered)──────────────────────┘
 *
 * Time is milliseconds of a clock that is never set back.
 */
export type Breaker =
  | { readonly is: 'closed'; readonly failures: number }
  | { readonly is: 'open'; readonly until: number; readonly pauseMs: number }
  | { readonly is: 'trying'; readonly pauseMs: number };

export type Pass = 'ordinary' | 'trial';

/**
 * How a call ended, seen from here. `failed`: no answer in time, no connection, no TLS. `answered`: anything that
 * shows a server at work, of whatever status; a 502, 503 or 504 comes fast, holds no place, and its caller can say
 * more with it than with `broken`. `unknown`: the server was never asked.
 */
export type CallEnd = 'answered' | 'failed' | 'unknown';

export const CLOSED: Breaker = { is: 'closed', failures: 0 };

/** Failures in a row that open it. */
const FAILURES = 5;
/** Milliseconds of the first pause; each failed try doubles it. */
const FIRST_PAUSE = 5_000;
const LONGEST_PAUSE = 60_000;

/** Whether a call may be made now; without a `pass` it may not. Every pass has to be settled, once. */
export function admit(breaker: Breaker, now: number): { readonly breaker: Breaker; readonly pass?: Pass } {
  if (breaker.is === 'closed') return { breaker, pass: 'ordinary' };
  if (breaker.is === 'trying' || now < breaker.until) return { breaker };
  return { breaker: { is: 'trying', pauseMs: breaker.pauseMs }, pass: 'trial' };
}

/** The breaker after a call ended. Calls from before it opened say nothing new once it is open. */
export function settle(breaker: Breaker, pass: Pass, end: CallEnd, now: number): Breaker {
  if (pass === 'trial') return breaker.is === 'trying' ? afterTrial(breaker.pauseMs, end, now) : breaker;
  if (breaker.is !== 'closed' || end === 'unknown') return breaker;
  if (end === 'answered') return CLOSED;
  const failures = breaker.failures + 1;
  return failures < FAILURES
    ? { is: 'closed', failures }
    : { is: 'open', until: now + FIRST_PAUSE, pauseMs: FIRST_PAUSE };
}

/** When the next try is due, in words that follow "not asked now:". */
export function describePause(breaker: Breaker, now: number): string {
  if (breaker.is !== 'open') return 'one call is trying whether it answers again';
  return `its last calls failed, and the next try is due in ${Math.max(1, Math.ceil((breaker.until - now) / 1000))} s`;
}

function afterTrial(pauseMs: number, end: CallEnd, now: number): Breaker {
  if (end === 'answered') return CLOSED;
  if (end === 'unknown') return { is: 'open', until: now, pauseMs };
  const longer = Math.min(pauseMs * 2, LONGEST_PAUSE);
  return { is: 'open', until: now + longer, pauseMs: longer };
}
