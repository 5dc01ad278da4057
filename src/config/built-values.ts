import { type Instant, parseDuration, parseInstant } from '../core/time.ts';

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
export function secretAt(secrets: ReadonlyMap<string, Buffer>, path: string): Buffer {
  const secret = secrets.get(path);
  if (!secret) throw new Error(`the secret of ${path} was checked and is gone`);
  return secret;
}
