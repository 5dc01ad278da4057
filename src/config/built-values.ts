import { type Instant, parseDuration, parseInstant } from '../core/time.ts';
import type { ClaimSources } from '../protocols/claim-sources.ts';
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

/** The same as text. */
export const textFor = (reference: object | undefined, secrets: Secrets): string =>
  secretFor(reference, secrets).toString('utf8');

/** Claims and their places as the file writes them: one name, or a list. */
export const claimSourcesOf = (written: Readonly<Record<string, string | readonly string[]>> = {}): ClaimSources =>
  new Map(Object.entries(written).map(([claim, places]) => [claim, typeof places === 'string' ? [places] : places]));
