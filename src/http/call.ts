import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import { Refusal } from '../core/reason.ts';
import { addressIn } from '../core/rule.ts';
import type { Query } from '../portals/portal.ts';
import { readForm, readQuery } from '../portals/query.ts';

/** One request to the public listener, as handlers see it. Everything in it comes from outside. */
export type Call = {
  readonly method: string;
  /** The raw path: not decoded, not normalised. */
  readonly path: string;
  /** The raw query, without its question mark. */
  readonly search: string;
  readonly query: Query;
  /** Fields of a posted form; empty without one. */
  readonly form: Query;
  readonly clientIp: string;
  readonly host: string;
  readonly cookies: string;
  header(name: string): string | undefined;
};

/** What is looked at of a request as it arrives. */
export type Received = Pick<IncomingMessage, 'method' | 'headers'> & {
  readonly socket: { readonly remoteAddress?: string | undefined };
};

/** The longest request target that is read. Characters. */
const MAX_TARGET = 16_384;

const NOTHING: Query = new Map();
const PLAIN_TARGET = /^\/[\x21\x24-\x5b\x5d\x5f\x61-\x7a\x7c\x7e]*(?:\?[\x21\x22\x24-\x7e]*)?$/;

export function readCall(request: Received, target: string, body: unknown, trustedProxies?: BlockList): Call {
  if (target.length > MAX_TARGET) throw new Refusal('request_too_long');
  // Absolute-form, authority-form and odd characters: nothing that we serve is addressed so.
  if (!PLAIN_TARGET.test(target)) throw new Refusal('request_malformed', 'request target');
  const mark = target.indexOf('?');
  const search = mark === -1 ? '' : target.slice(mark + 1);
  const { headers } = request;
  const header = (name: string) => readHeader(headers, name);
  const { ip: clientIp, host } = clientOf(request, trustedProxies);
  return {
    method: request.method ?? '',
    path: mark === -1 ? target : target.slice(0, mark),
    search,
    query: search === '' ? NOTHING : readQuery(search),
    form: typeof body === 'string' && body !== '' ? readForm(body) : NOTHING,
    clientIp,
    host,
    cookies: headers.cookie ?? '',
    header,
  };
}

function readHeader(headers: Received['headers'], name: string): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  return Array.isArray(value) ? value.join(', ') : value;
}

/** Who asks, and for which host (in lower case, with its port): as the last trusted proxy says, where one does. */
export function clientOf(
  { headers, socket }: Received,
  trustedProxies?: BlockList,
): { readonly ip: string; readonly host: string } {
  const peer = socket.remoteAddress ?? '';
  const trusted = trustedProxies !== undefined && addressIn(trustedProxies, peer);
  return {
    ip: trusted ? clientBehind(readHeader(headers, 'x-forwarded-for') ?? '', peer, trustedProxies) : peer,
    host: ((trusted && readHeader(headers, 'x-forwarded-host')) || headers.host || '').toLowerCase(),
  };
}

/** The last address of X-Forwarded-For that is not a trusted proxy; what stands before it is hearsay. */
function clientBehind(forwardedFor: string, peer: string, trustedProxies: BlockList): string {
  let client = peer;
  for (const hop of forwardedFor.split(',').reverse()) {
    client = hop.trim() || client;
    if (!addressIn(trustedProxies, client)) break;
  }
  return client;
}

/** Where clients say that nobody has asked for the page yet: the standard's header, and its ancestors. */
const PURPOSES = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'];

/**
 * Whether a request asks for an answer without wanting what the address does: HEAD, prefetch, preview, and
 * loads by a page's own elements and scripts (Fetch Metadata, `Sec-Fetch-Dest`), which no person has followed.
 * `forScripts`: those are whom the address is for.
 */
export function onlyLooks(call: Call, forScripts = false): boolean {
  if (call.method === 'HEAD') return true;
  if (PURPOSES.some((name) => /prefetch|prerender|preview/i.test(call.header(name) ?? ''))) return true;
  const destination = call.header('sec-fetch-dest');
  return !forScripts && destination !== undefined && destination !== 'document' && !searches(call);
}

/** The one script of ours that asks for a page: it searches the list of environments while somebody types. */
const searches = (call: Call): boolean =>
  call.header('sec-fetch-dest') === 'empty' &&
  call.header('sec-fetch-site') === 'same-origin' &&
  call.query.has('find');

/** Query and form as one; a name in both is as wrong as a name that stands twice. */
export function parameters({ query, form }: Call): Query {
  if (form.size === 0) return query;
  if (query.size === 0) return form;
  const all = new Map(query);
  for (const [name, value] of form) {
    if (all.has(name)) throw new Refusal('request_parameter_duplicated', 'a name stands in the query and in the form');
    all.set(name, value);
  }
  return all;
}
