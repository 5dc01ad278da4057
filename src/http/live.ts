/**
 * What the surface works with. `Live` is everything that came out of one routes file, opened; it is replaced as
 * a whole when the routes are read again, and a request keeps the one it began with. `Surface` is what stays.
 */
import type { BlockList } from 'node:net';
import type { Audit } from '../core/audit.ts';
import type { Facts } from '../core/facts.ts';
import type { EnvironmentName, PortalName } from '../core/names.ts';
import type { RoutingDecision } from '../core/record.ts';
import type { Routes } from '../core/routes.ts';
import type { Clock, Instant } from '../core/time.ts';
import type { Sealer, Signer } from '../keys/keys.ts';
import type { Outbox } from '../logout/outbox.ts';
import type { Receiver } from '../logout/receiver.ts';
import type { RecordedVisits } from '../logout/recorded-visits.ts';
import type { OpenPortal } from '../portals/portal.ts';
import type { Delegate } from '../protocols/delegate.ts';
import type { Provider } from '../provider/provider.ts';
import type { Store } from '../store/store.ts';
import type { Address } from './addresses.ts';
import type { Directory } from './directory.ts';
import type { ExchangeIndex } from './exchange-index.ts';
import type { Look } from './pages/look.ts';
import type { LiveProxy } from './proxied.ts';
import type { RateLimit } from './rate-limit.ts';

export type Live = {
  readonly routes: Routes;
  /** Origin of `public_url`, without a trailing slash. */
  readonly publicOrigin: string;
  readonly portals: ReadonlyMap<PortalName, LivePortal>;
  readonly delegates: ReadonlyMap<EnvironmentName, Delegate>;
  /** Environments whose pages are reached through the router, by their host. */
  readonly proxied: ReadonlyMap<string, LiveProxy>;
  /** Exact paths of portals and metadata. */
  readonly addresses: ReadonlyMap<string, Address>;
  readonly logout: { readonly then: 'app' | 'portal' | 'page'; readonly fanOut: 'origin' | 'visited' | 'all' };
  /** Seconds from a login's start to the last moment of its return. */
  readonly loginLifetime: number;
  /** CSP `form-action` of a form that may end at any environment. */
  readonly formAction: string;
  /** What a traded token is found by. */
  readonly exchange: ExchangeIndex;
  /** What the picker lists and searches by. */
  readonly directory: Directory;
  readonly look: Look;
  /** Present where some portal is a relying party. */
  readonly provider?: Provider;
  /** Absent where nobody is trusted. */
  readonly trustedProxies?: BlockList;
  readonly rateLimit?: RateLimit;
  /** Keeps a routing decision, where the operator asked for it. Returns at once and never throws. */
  readonly record?: (portal: PortalName, facts: Facts, decision: RoutingDecision, now: Instant) => void;
  readonly metadata: string;
  /** Who is told behind the person's back that a visit ended, by the lane of its notices: an environment's is its name. */
  readonly receivers: ReadonlyMap<string, Receiver>;
  /** Environments that may end visits themselves, and how. */
  readonly senders: ReadonlyMap<EnvironmentName, 'back_channel' | 'single_logout'>;
  /** The key set that is published now. */
  readonly jwks: () => string | Promise<string>;
};

export type LivePortal = {
  readonly open: OpenPortal;
  readonly signer: Signer;
  /** Seconds that a portal token is good for. */
  readonly tokenLifetime: number;
  readonly loginPath: string;
  readonly homeUrl?: string;
  /** Answers the metadata on the login path to `Accept: application/json` without a request (opt-in). */
  readonly metadataAtLoginPath: boolean;
  /** Its logins end at the provider, not with a portal token. */
  readonly relyingParty?: true;
};

export type Surface = {
  /** The routes in force. */
  readonly live: () => Live;
  readonly sealer: Sealer;
  readonly store: Store;
  readonly clock: Clock;
  /** Unpredictable bytes. */
  readonly random: (bytes: number) => Buffer;
  readonly audit: Audit;
  readonly outbox: Outbox;
  readonly recorded: RecordedVisits;
};
