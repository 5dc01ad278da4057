/**
 * When a party that was not reached is told again, and when that is given up. Pure: time and randomness are handed in.
 */
import type { Instant } from '../core/time.ts';
import type { Notice, Outcome } from '../store/notices.ts';

/** Seconds for which delivery is tried: three days, a weekend and the Monday after it. */
export const GIVE_UP_AFTER = 72 * 3_600;

/** Seconds: the longest first pause, and the longest of all, a party's own Retry-After included. Pauses double. */
const FIRST_PAUSE = 6;
const LONGEST_PAUSE = 3_600;

/** What one attempt came to: an answer, or why there was none. */
export type Attempt =
  | { readonly status: number; readonly retryAfter?: string | undefined }
  /** In words for operators; without anything personal. */
  | { readonly fault: string };

/** Statuses below 500 that say "not now": RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4. */
const LATER: readonly number[] = [408, 425, 429];

/** Characters of a receipt. */
const LONGEST_RECEIPT = 200;

/**
 * 2xx is a yes (Back-Channel Logout 1.0 §2.8 has 200, and allows 204). Another 4xx than those of `LATER` is a no that
 * will not change by itself: a dead letter, for an operator to read and resend. Everything else is tried again: 5xx, a
 * redirect (never followed), a certificate, no answer. `random`: from 0 to below 1.
 */
export function judge(
  attempt: Attempt,
  { attempts, giveUpAt }: Pick<Notice, 'attempts' | 'giveUpAt'>,
  now: Instant,
  random: number,
): Outcome {
  const receipt = receiptOf(attempt);
  if ('status' in attempt) {
    const { status } = attempt;
    if (status >= 200 && status < 300) return { to: 'delivered', receipt };
    if (status >= 400 && status < 500 && !LATER.includes(status)) return { to: 'dead', receipt };
  }
  if (now >= giveUpAt) return { to: 'dead', receipt: `given up; at last ${receipt}`.slice(0, LONGEST_RECEIPT) };
  const asked = 'status' in attempt ? parseRetryAfter(attempt.retryAfter, now) : 0;
  const pause = Math.min(Math.max(pauseAfter(attempts, random), asked), LONGEST_PAUSE);
  return { to: 'waiting', due: Math.min(now + pause, giveUpAt), receipt };
}

/**
 * Seconds after the attempt that followed `attempts` others: at the most 6, 12, 24 … 3600, and a third of that less by
 * chance, so that what failed together does not come back together.
 */
export function pauseAfter(attempts: number, random: number): number {
  const longest = Math.min(FIRST_PAUSE * 2 ** Math.min(attempts, 30), LONGEST_PAUSE);
  return Math.ceil(longest * (1 - random / 3));
}

/** Retry-After (RFC 9110 §10.2.3), seconds or a date → seconds from now; 0 for what is neither. */
function parseRetryAfter(text: string | undefined, now: Instant): number {
  if (text === undefined) return 0;
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  const at = /^[A-Z][a-z]{2}, .* GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? 0 : Math.max(0, Math.ceil(at / 1000) - now);
}

function receiptOf(attempt: Attempt): string {
  if ('fault' in attempt) return attempt.fault.slice(0, LONGEST_RECEIPT);
  const { status, retryAfter } = attempt;
  const asked = retryAfter !== undefined && /^[\w ,:-]{1,40}$/.test(retryAfter) ? `, Retry-After: ${retryAfter}` : '';
  return `answered ${status}${asked}`;
}
