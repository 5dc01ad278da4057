import type { EnvironmentName } from './names.ts';
import type { Instant } from './time.ts';
import type { Visit } from './visit.ts';

/** Everything that discovery may look at. All of it comes from outside, so none of it is authority. */
export type Facts = {
  /** Parameters of the Remote Login URL as it was called. */
  readonly query: Lookup;
  /** Parameters of the portal's return address (`redirect_uri`). */
  readonly returnQuery: Lookup;
  /** Request headers, by lower-case name. */
  readonly header: Lookup;
  readonly host: string;
  readonly clientIp: string;
  /** This browser's visits to this portal. */
  readonly visits: readonly Visit[];
  /** Logins to this portal that left from this browser and have not come back. */
  readonly unfinished: readonly Unfinished[];
  /** The environment that the person picked on our page. */
  readonly choice?: string;
  /** The email that the person typed on our page just now. */
  readonly typedEmail?: string;
  /** The email that they typed earlier in this attempt; an environment that they pick may prefill it. */
  readonly knownEmail?: string;
  /** Environments that could not sign this person in a moment ago: no automatic step leads there again. */
  readonly tried?: readonly EnvironmentName[];
  /** The page that the person asked for ("choose another"): automatic steps are passed over. */
  readonly ask?: 'email' | 'picker';
};

export type Lookup = (name: string) => string | undefined;

export type Unfinished = { readonly environment: EnvironmentName; readonly at: Instant };
