/** Whole seconds since 1970-01-01T00:00:00Z: the NumericDate of RFC 7519 §2 without its fractions. */
export type Instant = number;

/** How far clocks may differ, both ways, wherever a time from outside is judged. Seconds. */
export const CLOCK_SKEW = 60;

/** Hands out the present; tests hand in their own. */
export type Clock = () => Instant;

export const systemClock: Clock = () => Math.floor(Date.now() / 1000);

const SECONDS_PER = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

export const DURATION_PATTERN = /^([1-9][0-9]{0,6})(s|m|h|d)$/;

/** `60s`, `10m`, `12h`, `30d` → seconds; `undefined` for anything else (there is no bare number and no zero). */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = DURATION_PATTERN.exec(text) ?? [];
  return amount && unit ? Number(amount) * SECONDS_PER[unit as keyof typeof SECONDS_PER] : undefined;
}

export const INSTANT_PATTERN =
  /^([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9]))?$/;

/**
 * A date, which begins at 00:00Z, or a date-time with its zone (RFC 3339 §5.6, without fractions; seconds may be left
 * out) → its instant; `undefined` for anything else, the 30th of February too.
 */
export function parseInstant(text: string): Instant | undefined {
  const [, year, month, day] = INSTANT_PATTERN.exec(text) ?? [];
  if (new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() !== Number(day)) return undefined;
  return Date.parse(text) / 1000;
}
