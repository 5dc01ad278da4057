import type { EnvironmentName } from '../../core/names.ts';

/** What routes.yaml says about an environment that signs people in by handoff, checked. */
export type HandoffSettings = {
  readonly environment: EnvironmentName;
  /** The environment's login page; it may have a query and has no fragment. */
  readonly loginUrl: string;
  /** Origin of `public_url`, without a trailing slash. */
  readonly publicOrigin: string;
  /** The environment's `iss`, compared as text. */
  readonly issuer: string;
  /** Our own issuer: the `aud` that a token has to have, unless `audience` says otherwise. */
  readonly routerIssuer: string;
  /** The `aud` of an integration that was made for something else, or the word for one that sends none. */
  readonly audience: string | 'not_sent' | undefined;
  readonly nonce: 'echoed' | 'not_echoed';
  readonly jti: 'sent' | 'not_sent';
  /** Seconds between `iat` and `exp` at most; see `DEFAULT_MAX_LIFETIME`. */
  readonly maxLifetime: number;
  /** Whether a token that nobody asked for is taken at `/enter`. */
  readonly unsolicited: boolean;
  /**
   * Where it is told to send the browser. `portal`: to the portal's own return address, as before there was a
   * router; the token is then caught on its way (proxy/).
   */
  readonly sendsTo: 'router' | 'portal';
};

/** `max_lifetime` unless set: 5 minutes, in seconds. */
export const DEFAULT_MAX_LIFETIME = 300;
