import { type Reason, Refusal } from '../../core/reason.ts';
import {
  type Caller,
  type OutboundAnswer,
  OutboundError,
  type OutboundErrorKind,
  type OutboundRequest,
} from '../../outbound/outbound.ts';

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

/** One call to a provider, whose failure is a refusal: it could not be reached, or answered what nobody can read. */
export async function callProvider(caller: Caller, request: OutboundRequest): Promise<OutboundAnswer> {
  try {
    return await caller.call(request);
  } catch (error) {
    throw error instanceof OutboundError ? new Refusal(REASON_OF[error.kind], error.message) : error;
  }
}

/** A status that is not the one of success → a refusal that says whose fault it is. */
export const statusRefusal = (what: string, status: number): Refusal =>
  new Refusal(status === 503 || status === 429 ? 'environment_unavailable' : 'environment_error', `${what}: ${status}`);
