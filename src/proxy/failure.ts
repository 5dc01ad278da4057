import type { Reason } from '../core/reason.ts';
import type { CallEnd } from '../outbound/breaker.ts';

/** The environment's answer is one that nobody should repeat. The message is for the operator. */
export class UpstreamFault extends Error {
  constructor(detail: string) {
    super(detail);
    this.name = 'UpstreamFault';
  }
}

/** The person's body is longer than `maxBody`. */
export class BodyTooLarge extends Error {}

/** The answer did not begin in time. */
export class LateAnswer extends Error {
  readonly code = 'ANSWER_TIMEOUT';
}

/** Something of ours threw. */
export class Mistake extends Error {}

export type Failure = {
  readonly reason: Reason;
  /** For the operator: no address, no header, no body of anybody's. */
  readonly detail: string;
  /** What the breaker learns. */
  readonly end: CallEnd;
};

/** Why there was no answer, or none to its end. `sent`: whether the request had got onto a connection. */
export function readFailure(error: unknown, sent: boolean): Failure {
  if (error instanceof BodyTooLarge)
    return { reason: 'body_too_large', detail: 'longer than max_body', end: 'unknown' };
  if (error instanceof UpstreamFault) return { reason: 'environment_error', detail: error.message, end: 'answered' };
  if (error instanceof Mistake) return { reason: 'internal', detail: error.message, end: 'unknown' };
  const code = codeOf(error);
  // Requests are checked before they come here.
  if (code === 'UND_ERR_INVALID_ARG') return { reason: 'request_malformed', detail: code, end: 'unknown' };
  if (/TIMEDOUT|_TIMEOUT$/.test(code)) return { reason: 'environment_timeout', detail: code, end: 'failed' };
  return sent
    ? { reason: 'environment_error', detail: code, end: 'answered' }
    : { reason: 'environment_unavailable', detail: code, end: 'failed' };
}

/** A connection that ended where an answer should have begun. */
export const isLostConnection = (error: unknown): boolean =>
  /^(?:UND_ERR_SOCKET|ECONNRESET|EPIPE)$/.test(codeOf(error));

/** What kind of error it is, without its message, which may quote the environment. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
