import type { EnvironmentName } from '../../core/names.ts';
import type { ClaimSources } from '../claim-sources.ts';

/** What routes.yaml says about an environment that shares a session cookie with the router, checked. */
export type SessionEntry = {
  /** Tells who is signed in: 200 with claims as JSON, or 401. */
  readonly sessionUrl: string;
  /** The environment's login page. */
  readonly loginUrl: string;
  /** The parameter in which the login page is told where to go next. */
  readonly returnParam: string;
  /** The cookies that are passed on; no other is. At least one. */
  readonly cookies: readonly string[];
  /** Claims that stand elsewhere than under their own name. */
  readonly claims: ClaimSources;
};

export type SessionSettings = SessionEntry & {
  readonly environment: EnvironmentName;
  /** Origin of `public_url`, without a trailing slash. */
  readonly publicOrigin: string;
};
