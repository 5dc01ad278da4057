import type { CallEnd } from './breaker.ts';
import { OutboundError, type OutboundErrorKind } from './outbound.ts';

/** Codes of OpenSSL and of certificate checks (node:tls, "X509 certificate error codes"). */
const TLS_CODE =
  /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|HOSTNAME_MISMATCH|EPROTO|UND_ERR_PRX_TLS)/;

/** What a failed call has to say. `where` is the host, and the proxy on the way to it; mistakes of ours stay as they are. */
export function explain(error: unknown, where: string, signal: AbortSignal): unknown {
  if (error instanceof OutboundError) return error;
  const code = codeOf(error);
  if (isOurs(code)) return error;
  const because = { cause: error };
  if (signal.aborted || /TIMEDOUT|_TIMEOUT$/.test(code)) return new OutboundError('timeout', where, because);
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return new OutboundError('too_large', where, because);
  }
  if (TLS_CODE.test(code)) return new OutboundError('tls', `${where}: ${code}`, because);
  if (/^Z_/.test(code)) return new OutboundError('encoding', `${where}: ${code}`, because);
  return new OutboundError('network', `${where}: ${refusalOfProxy(error) ?? (code || 'no answer')}`, because);
}

/** A connection that ended where an answer should have begun. */
export const isLostConnection = (error: unknown): boolean =>
  /^(?:UND_ERR_SOCKET|ECONNRESET|EPIPE)$/.test(codeOf(error));

/**
 * What the breaker learns from a failed call. `hadTime`: whether the server had half of the call's time or more. A
 * call that waited longer than that for its place may run out of time at a server that is merely slow.
 */
export function endOf(fault: unknown, hadTime: boolean): CallEnd {
  if (!(fault instanceof OutboundError)) return 'unknown';
  return fault.kind === 'timeout' && !hadTime ? 'unknown' : ENDS[fault.kind];
}

const ENDS: Readonly<Record<OutboundErrorKind, CallEnd>> = {
  timeout: 'failed',
  network: 'failed',
  tls: 'failed',
  too_large: 'answered',
  redirect: 'answered',
  encoding: 'answered',
  scheme: 'unknown',
  address_refused: 'unknown',
  busy: 'unknown',
  broken: 'unknown',
};

/** undici tells what a proxy answered to CONNECT in its message only. */
function refusalOfProxy(error: unknown): string | undefined {
  const status = error instanceof Error && /^Proxy response \((\d{3})\)/.exec(error.message)?.[1];
  return status ? `the proxy answered ${status}` : undefined;
}

/** A request that undici would not send. */
const isOurs = (code: string): boolean => code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED';

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');
