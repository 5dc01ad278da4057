import { createSecureContext } from 'node:tls';
import type { Client, Dispatcher } from 'undici';
import { IDLE_MS } from './connections.ts';
import { guardConnector, type Lookup } from './connector.ts';
import type { Trust } from './outbound.ts';
import type { ProxyFor } from './proxy-variables.ts';
import { MAX_BODY } from './read-body.ts';

export type DialOptions = { readonly lookup: Lookup; readonly timeoutMs: number; readonly proxyFor: ProxyFor };

/** Bytes of all headers of an answer. */
const MAX_HEADERS = 16 * 1024;

/**
 * How one caller connects: origin → a dispatcher that holds one connection at most, directly or by way of a
 * proxy's CONNECT (RFC 9110 §9.3.6). The authorities and the certificate of `trust` concern the environment alone;
 * an https proxy proves itself to the system's authorities and sees no certificate of ours. Loads undici.
 */
export async function openDial(trust: Trust, options: DialOptions): Promise<(origin: string) => Dispatcher> {
  const { buildConnector, Client, ProxyAgent } = await import('undici');
  const { lookup, timeoutMs, proxyFor } = options;
  const secureContext = createSecureContext({
    ...(trust.ca !== undefined && { ca: trust.ca }),
    ...(trust.clientCertificate && {
      cert: trust.clientCertificate.certificate,
      key: trust.clientCertificate.privateKey,
    }),
  });
  const tls = { secureContext, timeout: timeoutMs, allowH2: false };
  const connect = guardConnector(buildConnector, tls, { allowPrivate: trust.allowPrivate, lookup });
  const limits = {
    pipelining: 1,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
    maxHeaderSize: MAX_HEADERS,
    maxResponseSize: MAX_BODY,
  } satisfies Client.Options;

  return (origin) => {
    const proxy = proxyFor(new URL(origin));
    if (!proxy) return new Client(origin, { ...limits, connect });
    return new ProxyAgent({
      ...limits,
      uri: proxy.url,
      ...(proxy.authorization !== undefined && { token: proxy.authorization }),
      connections: 1,
      requestTls: tls,
      proxyTls: { timeout: timeoutMs, allowH2: false },
      // Nobody hears a proxy that leaves CONNECT unanswered; undici would wait for five minutes.
      clientFactory: (url, how) => new Client(url, { ...how, headersTimeout: timeoutMs, maxHeaderSize: MAX_HEADERS }),
    });
  };
}
