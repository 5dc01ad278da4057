import { type Reason, Refusal } from '../core/reason.ts';
import {
  type Caller,
  type OutboundAnswer,
  OutboundError,
  type OutboundErrorKind,
  type OutboundRequest,
} from '../outbound/outbound.ts';

const REASON_OF: Readonly<Record<OutboundErrorKind, Reason>> = {
  timeout: 'environment_timeout',
  scheme: 'environment_unavailable',
  address_refused: 'environment_unavailable',
  tls: 'environment_unavailable',
  busy: 'environment_unavailable',
  broken: 'environment_unavailable',
  network: 'environment_unavailable',
  too_large: 'environment_error',
  redirect: 'environment_error',
  encoding: 'environment_error',
};

/**
 * One call to an environment, whose failure is a refusal: it could not be reached, or answered what nobody can read.
 * `redirected`: what to tell the operator of an environment that answered with a redirect.
 */
export async function callEnvironment(
  caller: Caller,
  request: OutboundRequest,
  redirected?: string,
): Promise<OutboundAnswer> {
  try {
    return await caller.call(request);
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    const detail = error.kind === 'redirect' ? (redirected ?? error.message) : error.message;
    throw new Refusal(REASON_OF[error.kind], detail);
  }
}

/** A status that is not the one of success → a refusal that says whose fault it is. */
export const statusRefusal = (what: string, status: number): Refusal =>
  new Refusal(status === 429 || status > 500 ? 'environment_unavailable' : 'environment_error', `${what} ${status}`);
