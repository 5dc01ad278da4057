import { request as httpRequest } from 'node:http';

/** One answer, its body read. */
export type Seen = {
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** `Location`, or ''. */
  readonly location: string;
  /** The reference that a refusal page shows, or ''. */
  readonly reference: string;
};

export type Send = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>> | string;
  /** Sends no cookies, as a cross-site form does with SameSite=Lax ones; `none` sends no cookie at all. */
  readonly cookies?: 'all' | 'cross_site_post' | 'none';
};

/** One request and what came of it, as the search for leaks needs them. */
export type Exchange = { readonly url: string; readonly send: Send; readonly seen: Seen };

type Cookie = { value: string; sameSite: string; attributes: string };

/** A browser of one person: it keeps the router's cookies and follows nothing by itself. */
export class Browser {
  readonly jar = new Map<string, Cookie>();
  readonly #origin: string;
  readonly #local: () => string;
  readonly #heard: (exchange: Exchange) => void;

  /** `origin` is how the router calls itself, `local` where it listens; `heard` is told of every answer. */
  constructor(origin: string, local: () => string, heard: (exchange: Exchange) => void = () => {}) {
    this.#origin = origin;
    this.#local = local;
    this.#heard = heard;
  }

  /** Another browser with the same cookies: a restored session; with `local`, one that reaches another process. */
  copy(local: () => string = this.#local): Browser {
    const other = new Browser(this.#origin, local, this.#heard);
    for (const [name, cookie] of this.jar) other.jar.set(name, { ...cookie });
    return other;
  }

  get(url: string, send: Send = {}): Promise<Seen> {
    return this.send(url, send);
  }

  post(url: string, form: Send['form'], send: Send = {}): Promise<Seen> {
    return this.send(url, { ...send, method: 'POST', form: form ?? '' });
  }

  async send(url: string, send: Send): Promise<Seen> {
    const { method = 'GET', headers = {}, form, cookies = 'all' } = send;
    const target = url.startsWith(this.#origin) ? url.slice(this.#origin.length) || '/' : url;
    if (!target.startsWith('/')) throw new Error(`not an address of the router: ${url.slice(0, 80)}`);
    const body =
      form === undefined ? undefined : typeof form === 'string' ? form : new URLSearchParams(form).toString();
    const cookie = [...this.jar]
      .filter(([, { sameSite }]) => cookies === 'all' || (cookies === 'cross_site_post' && sameSite === 'None'))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ');
    const local = new URL(this.#local());
    const seen = await new Promise<Seen>((resolve, reject) => {
      const request = httpRequest(
        {
          // A connection each: one that is kept may end just as it is used again.
          agent: false,
          host: local.hostname,
          port: local.port,
          path: target,
          method,
          headers: {
            host: new URL(this.#origin).host,
            ...(cookie && { cookie }),
            ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
            ...headers,
          },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('error', reject);
          response.on('end', () => {
            for (const line of response.headers['set-cookie'] ?? []) this.#keep(line);
            resolve({
              url,
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: text,
              location: response.headers.location ?? '',
              reference: /<code>([^<]+)<\/code>/.exec(text)?.[1] ?? '',
            });
          });
        },
      );
      request.on('error', reject);
      request.end(body);
    });
    this.#heard({ url, send, seen });
    return seen;
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(/; ?/);
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals);
    const rest = attributes.join('; ');
    if (
      name.startsWith('__Host-') &&
      (!/\bSecure\b/.test(rest) || !/Path=\/(;|$)/.test(rest) || /Domain=/i.test(rest))
    ) {
      throw new Error(`a browser would refuse ${line.slice(0, 60)}`);
    }
    if (/Max-Age=0\b/.test(rest)) this.jar.delete(name);
    else
      this.jar.set(name, {
        value: pair.slice(equals + 1),
        sameSite: /SameSite=(\w+)/.exec(rest)?.[1] ?? 'Lax',
        attributes: rest,
      });
  }
}
