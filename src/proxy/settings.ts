import type { EnvironmentName } from '../core/names.ts';

/** What routes.yaml says about an environment whose pages are reached through the router, checked. */
export type ProxySettings = {
  readonly environment: EnvironmentName;
  /** Lower-case host name, without a port: the environment's own, never the router's. */
  readonly host: string;
  /** Origin of the host as browsers see it: `public_url`'s scheme and port, this host. */
  readonly origin: string;
  /** Origin that requests are sent to. */
  readonly upstream: string;
  /** Prefixes that are passed on; one that ends in `/` covers what is below, another one itself alone and what is below it. */
  readonly paths: readonly string[];
  /** Which host name the upstream is told in `Host`. */
  readonly tells: 'host' | 'upstream';
  /** Certificate authorities (PEM) for an https upstream, in place of the system's. */
  readonly ca?: string;
  /** Bytes of a request's body. */
  readonly maxBody: number;
  /** Seconds that the upstream may take until its headers, and between two pieces of its body. */
  readonly timeout: number;
};

export const DEFAULT_PROXY = { tells: 'host', maxBody: 10 * 1024 * 1024, timeout: 10 } as const;
