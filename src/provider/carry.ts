/**
 * One request through the library, which is an HTTP application of its own. It sees a request that we made: our host,
 * the cookies that are for it under its own names, a form that was read before. What it answers is taken from it before
 * anything reaches a socket.
 */
import { type IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type Library from 'oidc-provider';
import type { errors, KoaContextWithOIDC } from 'oidc-provider';
import type { Form } from './provider.ts';
import type { Requests, UnderWay } from './under-way.ts';

export type Call = {
  readonly method: string;
  readonly path: string;
  readonly params: ReadonlyMap<string, string>;
  /** In its own names. */
  readonly cookies: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The browser's cookies, for what is asked back. */
  readonly browser: string;
  /** Of this browser; those that go on are in there afterwards. */
  readonly requests?: Requests;
};

export type Answered = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Its `Set-Cookie` lines. */
  readonly cookies: readonly string[];
  readonly body: string;
  readonly heard: Heard;
};

/** What the library said aside while it answered. */
export type Heard = {
  readonly browser: string;
  /** Nobody can be told but the one who asks. */
  shown?: Error;
  /** The relying party is told. */
  told?: errors.OIDCProviderError;
  /** A bug, or a no of ours. */
  broken?: Error;
  /** An answer that the browser has to post. */
  form?: Form;
  /** The authorization succeeded. */
  authorized?: KoaContextWithOIDC;
  clientId?: string;
};

export type Carrier = {
  carry(call: Call): Promise<Answered>;
  heardBy(ctx: KoaContextWithOIDC): Heard;
};

export function openCarrier(library: Library, publicOrigin: string, underWay: UnderWay): Carrier {
  const heard = new WeakMap<object, Heard>();
  const heardBy = (ctx: KoaContextWithOIDC): Heard => heard.get(ctx.req) ?? { browser: '' };
  const { host, protocol } = new URL(publicOrigin);
  const callback = library.callback();
  listen(library, heardBy);

  return {
    heardBy,
    async carry({ method, path, params, cookies, headers, browser, requests = new Map() }) {
      const text = new URLSearchParams([...params]).toString();
      const form = method === 'POST' ? Buffer.from(text) : undefined;
      const cookie = Object.entries(cookies).map((pair) => pair.join('='));
      const request = Object.assign(Readable.from(form ? [form] : []), {
        method,
        url: form || text === '' ? path : `${path}?${text}`,
        httpVersion: '1.1',
        headers: {
          ...Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)),
          host,
          ...(cookie.length > 0 && { cookie: cookie.join('; ') }),
          ...(form && {
            'content-type': 'application/x-www-form-urlencoded',
            'content-length': String(form.length),
          }),
        },
        socket: { encrypted: protocol === 'https:' },
      }) as unknown as IncomingMessage;
      const said: Heard = { browser };
      heard.set(request, said);

      const response = new ServerResponse(request);
      let body = '';
      response.end = ((chunk?: unknown) => {
        if (typeof chunk === 'string' || Buffer.isBuffer(chunk)) body = chunk.toString();
        return response;
      }) as ServerResponse['end'];
      await underWay.during(requests, () => callback(request, response));
      const { 'set-cookie': set = [], ...rest } = response.getHeaders();
      return {
        status: response.statusCode,
        headers: Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)])),
        cookies: [set].flat().map(String),
        body,
        heard: said,
      };
    },
  };
}

function listen(library: Library, heardBy: Carrier['heardBy']): void {
  const named = (ctx: KoaContextWithOIDC) => {
    const clientId = ctx.oidc.client?.clientId;
    if (clientId !== undefined) heardBy(ctx).clientId = clientId;
  };
  const refused = (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError) => {
    heardBy(ctx).told = error;
    named(ctx);
  };
  library.on('authorization.success', (ctx, response = {}) => {
    const said = heardBy(ctx);
    said.authorized = ctx;
    named(ctx);
    postInstead(ctx, said, response);
  });
  library.on('authorization.error', (ctx, error) => {
    const said = heardBy(ctx);
    said.told = error;
    named(ctx);
    const { error: code, error_description } = error;
    postInstead(ctx, said, { error: code, error_description, state: ctx.oidc.params?.state, iss: library.issuer });
  });
  library.on('grant.error', refused);
  library.on('userinfo.error', refused);
  library.on('grant.success', named);
  library.on('server_error', (ctx, error) => {
    heardBy(ctx).broken = error;
  });
}

/** Form Post Response Mode 1.0; the library's own page for it is not shown. */
function postInstead(ctx: KoaContextWithOIDC, said: Heard, response: Readonly<Record<string, unknown>>): void {
  const { params } = ctx.oidc;
  if (params?.response_mode !== 'form_post' || typeof params.redirect_uri !== 'string') return;
  const fields = Object.entries(response).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  said.form = { action: params.redirect_uri, fields: Object.fromEntries(fields) };
}
