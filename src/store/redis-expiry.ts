import type { Instant } from '../core/time.ts';

/** How far the clocks of two routers may be apart without one forgetting what the other still accepts. Seconds. */
const APART = 300;

const LEAST = 1;
const MOST = 400 * 86_400;

/**
 * When Redis may forget what is over after this instant, in milliseconds from now. Told by the difference, so that the
 * clock of Redis plays no part, and clamped to between a second and 400 days (either of them and five minutes more).
 */
export const expiryOf = (until: Instant, now: Instant): number =>
  (Math.min(Math.max(Math.ceil(until - now), LEAST), MOST) + APART) * 1_000;
