import { type Instant, parseDuration, parseInstant } from '../core/time.ts';
import type { Secrets } from './secrets.ts';

/** Seconds of a duration that the schema has seen; anything else is a bug and throws `Error`. */
export function seconds(text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined) throw new Error('a duration that was checked cannot be read');
  return duration;
}

/** The instant of a text that the schema has seen; anything else is a bug and throws `Error`. */
export function instantOf(text: string): Instant {
  const instant = parseInstant(text);
  if (instant === undefined) throw new Error('a date that was checked cannot be read');
  return instant;
}

/** A secret that was found when the file was checked; anything else is a bug and throws `Error`. */
export function secretFor(reference: object | undefined, secrets: Secrets): Buffer {
  const secret = reference && secrets.get(reference);
  if (!secret) throw new Error('a secret that was checked is gone');
  return secret;
}
