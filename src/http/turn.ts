import type { Trail } from '../core/discovery.ts';
import type { Facts } from '../core/facts.ts';
import type { EnvironmentName, PortalName } from '../core/names.ts';
import type { PortalRequest } from '../core/portal.ts';
import type { Instant } from '../core/time.ts';
import type { Call } from './call.ts';
import type { Live, Surface } from './live.ts';

/** One request on its way through a handler. */
export type Turn = {
  readonly surface: Surface;
  readonly live: Live;
  readonly call: Call;
  readonly now: Instant;
  /** Filled in as the handler learns it, so that a refusal can say how far the login came. */
  readonly trace: Trace;
};

export type Trace = {
  reference?: string;
  portal?: PortalName;
  environment?: EnvironmentName;
  /** Set once the portal's request is known to be good: there is a way to start again. */
  request?: PortalRequest;
  trail?: Trail;
  /** The origin whose pages may read a refusal, where it is for scripts. */
  allowOrigin?: string | undefined;
  /** What discovery had to go by, for offering the next environment. Set by `keepFacts`. */
  facts?: () => Facts | undefined;
};

/**
 * Sets `trace.facts`, and is more than an assignment: a function that is written straight into one to a property
 * (`trace.facts = () => …`) is made by V8 among the old objects, whatever becomes of it, and the whole request that it
 * sees stays until the next full collection. As an argument it dies young, with its request.
 */
export function keepFacts(trace: Trace, facts: () => Facts | undefined): void {
  trace.facts = facts;
}
