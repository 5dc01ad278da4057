/*
 * How long a key is published before and after it signs. Seconds. Whoever verifies keeps our keys for as long as we say,
 * and clocks differ; what keeps them longer has to be told `--at` a later time.
 */
import { CLOCK_SKEW } from '../core/time.ts';

/** `Cache-Control: max-age` of the metadata and the key set. */
export const METADATA_MAX_AGE = 300;

/** A router looks at the plan again when it looked at it that long ago, before it signs or publishes anything. */
export const NOTICED_WITHIN = 5;

/** From the staging of a key until every verifier knows it: not before then does it sign. */
export const LEAD = METADATA_MAX_AGE + NOTICED_WITHIN + CLOCK_SKEW;

/** From the moment at which another key signs until nobody needs the old one: its last token is over, on every clock. */
export const overlapAfter = (tokenLifetime: number): number => tokenLifetime + LEAD;
