import type { Agent } from 'undici';
import { classifyAddress } from './addresses.ts';
import { guardConnector, type Lookup, lookupBySystem } from './connector.ts';
import { type Outbound, OutboundError } from './outbound.ts';
import { ACCEPTED_CODINGS, readBody } from './read-body.ts';

export type OutboundOptions = {
  /** Resolves names; the system's resolver unless set. */
  readonly lookup?: Lookup;
  /** Milliseconds for connecting, headers and body together; 5000 unless set. */
  readonly timeoutMs?: number;
  /** Certificate authorities (PEM) in place of the system's. */
  readonly ca?: string;
};

/** Bytes, of the body as sent and again after decompression. */
const MAX_BODY = 256 * 1024;
/** Bytes of all headers. */
const MAX_HEADERS = 16 * 1024;

/**
 * Opens the outbound client. Every call has a connection of its own, so that every call has its address judged,
 * and a slow server delays nobody else. Nothing is loaded and nothing connected before the first call.
 */
export function openOutbound({ lookup = lookupBySystem, timeoutMs = 5000, ca }: OutboundOptions = {}): Outbound {
  const agents = new Map<boolean, Promise<Agent>>();

  async function openAgent(allowPrivate: boolean): Promise<Agent> {
    const { Agent, buildConnector } = await import('undici');
    return new Agent({
      connect: guardConnector(
        buildConnector,
        { timeout: timeoutMs, ...(ca !== undefined && { ca }) },
        { allowPrivate, lookup },
      ),
      pipelining: 0,
      maxHeaderSize: MAX_HEADERS,
      maxResponseSize: MAX_BODY,
    });
  }

  /** One for each answer to `allowPrivate`: what one may reach, the other must not find connected. */
  function agentFor(allowPrivate: boolean): Promise<Agent> {
    const agent = agents.get(allowPrivate) ?? openAgent(allowPrivate);
    agents.set(allowPrivate, agent);
    return agent;
  }

  return {
    async get(url, { allowPrivate, accept }) {
      const target = readUrl(url);
      const dispatcher = await agentFor(allowPrivate);
      const { request } = await import('undici');
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        const asked = request(target, {
          dispatcher,
          signal,
          headers: { accept, 'accept-encoding': ACCEPTED_CODINGS, 'user-agent': 'wayhome' },
        });
        // undici looks at the signal only once it is connected.
        const answer = await Promise.race([asked, rejectionOf(signal)]);
        const { statusCode: status, headers, body } = answer;
        // A body that is thrown away emits an error of its own, which nobody else would hear.
        body.on('error', () => {});
        if (status >= 300 && status < 400) {
          body.destroy();
          throw new OutboundError('redirect', `${target.host} answered ${status}`);
        }
        const bytes = await readBody(body, textOf(headers['content-encoding']), MAX_BODY, signal);
        return { status, contentType: textOf(headers['content-type']), body: bytes };
      } catch (error) {
        throw explain(error, target.host, signal);
      }
    },
    async close() {
      for (const agent of agents.values()) await (await agent).destroy();
      agents.clear();
    },
  };
}

function readUrl(text: string): URL {
  if (!URL.canParse(text)) throw new OutboundError('scheme', 'not an absolute URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '')
    throw new OutboundError('scheme', `${url.host}: user info in the URL`);
  const loopback = url.hostname === 'localhost' || classifyAddress(url.hostname.replace(/^\[|\]$/g, '')) === 'loopback';
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback)) {
    throw new OutboundError('scheme', `${url.host}: only https is spoken, and http on loopback`);
  }
  return url;
}

const rejectionOf = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

const textOf = (header: string | string[] | undefined): string =>
  Array.isArray(header) ? header.join(', ') : (header ?? '');

/** Codes of OpenSSL and of certificate checks (node:tls, "X509 certificate error codes"). */
const TLS_CODE =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|HOSTNAME_MISMATCH|EPROTO)/;

function explain(error: unknown, host: string, signal: AbortSignal): OutboundError {
  if (error instanceof OutboundError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const because = { cause: error };
  if (signal.aborted || /TIMEDOUT|_TIMEOUT$/.test(code)) return new OutboundError('timeout', host, because);
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return new OutboundError('too_large', host, because);
  }
  if (TLS_CODE.test(code)) return new OutboundError('tls', `${host}: ${code}`, because);
  if (/^Z_/.test(code)) return new OutboundError('encoding', `${host}: ${code}`, because);
  return new OutboundError('network', `${host}: ${code || 'no answer'}`, because);
}
