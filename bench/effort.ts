/** How much is measured. */
export type Effort = {
  readonly rounds: number;
  /** Milliseconds. */
  readonly measuredMs: number;
  readonly warmUpMs: number;
  readonly openLogins: number;
  readonly startUps: number;
  /** Rounds of half a minute each with an environment that hangs. */
  readonly hangs: number;
  /** Windows of two seconds with each neighbour. */
  readonly windows: number;
  /** Pairs of windows of five seconds, with and without notices being told. */
  readonly pairs: number;
};

export const FULL: Effort = {
  rounds: 5,
  measuredMs: 2_000,
  warmUpMs: 250,
  openLogins: 50_000,
  startUps: 7,
  hangs: 3,
  windows: 60,
  pairs: 24,
};

/** Its figures tell whether something broke, not what may be quoted. */
export const QUICK: Effort = {
  rounds: 2,
  measuredMs: 700,
  warmUpMs: 150,
  openLogins: 10_000,
  startUps: 3,
  hangs: 1,
  windows: 6,
  pairs: 6,
};

/** Browsers at once. */
export const BROWSERS = 32;
