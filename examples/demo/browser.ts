/**
 * A plain HTTP client that behaves like a browser where this demo could notice: cookies, redirects, the Referer
 * and Origin headers, forms, pages that lead on at once. It runs no script.
 */
import type { LookupFunction } from 'node:net';
import { Agent, request } from 'undici';
import { Jar } from './jar.ts';
import { type Form, type Link, readForms, readLinks, readRefresh, readTitle } from './markup.ts';

export type Page = {
  readonly url: URL;
  readonly status: number;
  readonly body: string;
  readonly referrerPolicy: string;
};

export type Hop = { readonly url: URL; readonly status: number; readonly location?: string };

type Load = { readonly method: string; readonly body?: string; readonly headers?: Readonly<Record<string, string>> };

const MOST_REDIRECTS = 15;

/** Browsers know by themselves where `localhost` and all below it is (RFC 6761 §6.3); most resolvers know the first only. */
const toLoopback: LookupFunction = (_name, { all }, found) => {
  if (all) found(null, [{ address: '127.0.0.1', family: 4 }]);
  else found(null, '127.0.0.1', 4);
};

export class Browser {
  /** The page that is shown. */
  page: Page | undefined;
  /** Every request so far and how it was answered, oldest first. */
  readonly hops: Hop[] = [];
  /** A redirect to such an address is not followed; the page is then the redirect itself. */
  stopAt: (url: URL) => boolean = () => false;
  readonly #jar: Jar;
  readonly #agent = new Agent({
    keepAliveTimeout: 100,
    headersTimeout: 10_000,
    bodyTimeout: 10_000,
    connect: { lookup: toLoopback },
  });

  /** Two browsers with one jar are two tabs. */
  constructor(jar: Jar = new Jar()) {
    this.#jar = jar;
  }

  /** As if the address was typed: nothing tells where the person came from. */
  open(url: string | URL, headers: Readonly<Record<string, string>> = {}): Promise<Page> {
    return this.#load(new URL(url), undefined, { method: 'GET', headers });
  }

  /** Clicks the first link on the page that `wanted` accepts. Throws when there is none. */
  click(wanted: (link: Link) => boolean, what: string): Promise<Page> {
    const from = this.shown();
    const link = readLinks(from.body).find(wanted);
    if (!link) throw new Error(`no link ${what} on “${readTitle(from.body)}” (${from.url.origin}${from.url.pathname})`);
    return this.#load(new URL(link.href, from.url), from, { method: 'GET' });
  }

  /** Sends the first form that `wanted` accepts, with these fields beside the preset ones. Throws when there is none. */
  submit(wanted: (form: Form) => boolean, fields: Readonly<Record<string, string>>, what: string): Promise<Page> {
    const from = this.shown();
    const form = readForms(from.body).find(wanted);
    if (!form) throw new Error(`no form ${what} on “${readTitle(from.body)}” (${from.url.origin}${from.url.pathname})`);
    const body = new URLSearchParams([...form.fields, ...Object.entries(fields)].filter(([name]) => name !== ''));
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    const target = new URL(form.action || from.url, from.url);
    if (form.method === 'POST') return this.#load(target, from, { method: 'POST', body: body.toString() });
    target.search = body.toString();
    return this.#load(target, from, { method: 'GET' });
  }

  shown(): Page {
    if (!this.page) throw new Error('no page is open');
    return this.page;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #load(first: URL, from: Page | undefined, load: Load): Promise<Page> {
    let url = first;
    let { method, body } = load;
    let policy = from?.referrerPolicy ?? '';
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const cross = from !== undefined && from.url.hostname !== url.hostname;
      const cookie = this.#jar.header(url, { method, cross });
      const answer = await request(url, {
        method,
        dispatcher: this.#agent,
        headers: {
          accept: 'text/html,*/*;q=0.8',
          'sec-fetch-mode': 'navigate',
          'sec-fetch-dest': 'document',
          'sec-fetch-site': from
            ? cross
              ? 'cross-site'
              : from.url.origin === url.origin
                ? 'same-origin'
                : 'same-site'
            : 'none',
          ...(cookie && { cookie }),
          ...origins(from, url, method, policy),
          ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
          ...load.headers,
        },
        body: body ?? null,
      });
      const text = await answer.body.text();
      this.#jar.keep(url, [answer.headers['set-cookie'] ?? []].flat());
      const [location] = [answer.headers.location].flat();
      const status = answer.statusCode;
      this.hops.push({ url, status, ...(location !== undefined && { location }) });
      policy = String(answer.headers['referrer-policy'] ?? policy);
      const onward = status >= 300 && status < 400 ? location : readRefresh(text);
      const next = onward === undefined ? undefined : new URL(onward, url);
      if (!next || this.stopAt(next)) {
        this.page = { url, status, body: text, referrerPolicy: String(answer.headers['referrer-policy'] ?? '') };
        return this.page;
      }
      if (status < 307 && method === 'POST') [method, body] = ['GET', undefined];
      url = next;
    }
    throw new Error(`more than ${MOST_REDIRECTS} redirects, the last to ${url.origin}${url.pathname}`);
  }
}

/** Referer and Origin under the policies that matter here; the default is strict-origin-when-cross-origin (Fetch §4.4). */
function origins(from: Page | undefined, to: URL, method: string, policy: string): Record<string, string> {
  if (!from) return {};
  const silent = policy === 'no-referrer' || (policy === 'same-origin' && from.url.origin !== to.origin);
  const headers: Record<string, string> = {};
  if (!silent)
    headers.referer = from.url.origin === to.origin ? from.url.href.replace(/#.*$/, '') : `${from.url.origin}/`;
  if (method === 'POST') headers.origin = silent ? 'null' : from.url.origin;
  return headers;
}
