/** Numbers from measurements: medians, percentiles, and ratios that were measured side by side. */

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** The value that `share` (0 to 1) of all values do not exceed, nearest rank; NaN without values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** The median over rounds of one figure ÷ another of the same round: what drifts in the machine cancels out. */
export const ratio = (over: readonly number[], under: readonly number[]): number =>
  median(over.map((value, round) => value / (under[round] ?? Number.NaN)));
