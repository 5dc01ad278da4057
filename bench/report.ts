import type { Contestant } from './contest.ts';
import type { Measured } from './load.ts';
import type { Cores } from './pinning.ts';
import type { ProxyName } from './proxies.ts';
import type { Errand } from './proxy-contest.ts';
import type { Row } from './row.ts';

/** What the bench found, as `--json` prints it. A group that was not asked for is absent. */
export type Report = {
  readonly rows: readonly Row[];
  /** Of logins; medians over the rounds. */
  readonly servers?: Readonly<Record<Contestant, LoginFigures>>;
  /** Of proxied requests and upgraded connections; medians over the rounds. */
  readonly proxies?: Readonly<Partial<Record<ProxyName, ProxyFigures>>>;
  /** Peers that are not there, and how to get them; what is held against them is missing from `rows`. */
  readonly leftOut: readonly string[];
  readonly machine: {
    readonly node: string;
    readonly cpu: string;
    readonly cores: Cores | undefined;
  };
  readonly rounds: number;
  /** With each neighbour. */
  readonly windows: number;
  /** ISO 8601. */
  readonly at: string;
  readonly seconds: number;
};

export type LoginFigures = Omit<Measured, 'walks'> & { readonly peakMib: number };

/** An errand that a proxy was not sent on is absent. */
export type ProxyFigures = Readonly<Partial<Record<Errand, ErrandFigures>>> & { readonly peakMib: number };

export type ErrandFigures = {
  /** For one GET, or for one message there and back. */
  readonly cpuMicros: number;
  /** For 10⁶ bytes of pages, or of messages. */
  readonly cpuMicrosPerMb: number;
  /** Its CPU ÷ that of nginx, and ÷ that of the fastest library proxy that behaves, round by round. */
  readonly times: { readonly nginx?: number; readonly library?: number };
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
};
