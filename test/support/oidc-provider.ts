/**
 * A real OpenID provider (oidc-provider) on loopback, as an environment, and the person who signs in there.
 *
 *   const provider = await openProvider({ clients, accounts, claimsIn });
 *   provider.issuer                            // http://127.0.0.1:<port>, its issuer
 *   await provider.person().go(url)            // follows its pages as far as they lead away from it
 *   await provider.close()
 *
 * Its login page is a form with the field `login` (an account's id), its sign-out page one with a button named
 * `logout`; consent is given by itself. Both work in a browser, too.
 */
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, {
  type Adapter,
  type AdapterPayload,
  type ClientMetadata,
  type Configuration,
  type JWKS,
} from 'oidc-provider';

/** What the provider says about a person; `sub` is the name of the account. */
export type Account = Readonly<Record<string, unknown>>;

export type ProviderOptions = {
  readonly clients: readonly ClientMetadata[];
  readonly accounts: Readonly<Record<string, Account>>;
  /** Where email and the like stand: oidc-provider puts them into userinfo, most others into the id_token. */
  readonly claimsIn?: 'id_token' | 'userinfo';
  /** Its own signing keys, private; one RSA key (RS256) unless set. */
  readonly jwks?: JWKS;
  /** How it calls others. */
  readonly fetch?: typeof fetch;
  /** When its sessions begin, in whole seconds: now, unless it is handed in. */
  readonly clock?: () => number;
  /** Addresses of its operators beside the library’s, by their paths. */
  readonly pages?: (provider: Provider) => Readonly<Record<string, RequestListener>>;
};

export type TestProvider = {
  readonly issuer: string;
  /** A new person with a browser of their own; the first account unless named. `nobody` is denied access. */
  person(login?: string): Person;
  /** Starts again with another signing key, and with the sessions and tokens that there are. */
  changeKeys(): void;
  close(): Promise<void>;
};

/** Where a journey leads away from the provider. */
export type Arrival = {
  /** Address without its query; with the parameters of the query or of the posted form. */
  readonly address: string;
  readonly method: 'GET' | 'POST';
  readonly params: ReadonlyMap<string, string>;
};

export type Person = {
  /**
   * Follows redirects and fills in forms until an address is not the provider's. Asked whether to sign out, the person
   * does, unless `stays`. Throws where a page leads nowhere.
   */
  go(url: string, answer?: 'signs_out' | 'stays'): Promise<Arrival>;
  /** Pages on which the person had to say who they are. */
  readonly asked: () => number;
  /** Pages on which the person had to say whether to sign out. */
  readonly askedToSignOut: () => number;
};

export async function openProvider(options: ProviderOptions): Promise<TestProvider> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kept = new Map<string, AdapterPayload>();
  const start = (jwks = options.jwks ?? { keys: [madeKey()] }) => {
    const provider = new Provider(issuer, configurationOf(options, jwks, kept, new URL(issuer).port));
    return { provider, answer: provider.callback(), pages: options.pages?.(provider) ?? {} };
  };
  let started = start();
  server.on('request', (request, response) => {
    const { provider, answer, pages } = started;
    const page = pages[request.url?.split('?', 1)[0] ?? ''];
    if (page) page(request, response);
    else if (request.url?.startsWith('/interaction/')) void interact(provider, request, response, options.clock);
    else void answer(request, response);
  });
  return {
    issuer,
    person: (login = Object.keys(options.accounts)[0] ?? '') => openPerson(issuer, login),
    changeKeys() {
      started = start({ keys: [madeKey()] });
    },
    close: () => close(server),
  };
}

const configurationOf = (
  { clients, accounts, claimsIn = 'id_token', fetch = globalThis.fetch }: ProviderOptions,
  jwks: JWKS,
  kept: Map<string, AdapterPayload>,
  port: string,
): Configuration => ({
  clients: [...clients],
  jwks,
  // Its own refuses addresses on loopback.
  fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined } as unknown as RequestInit),
  adapter: adapterOver(kept),
  // Browsers send a host's cookies to all of its ports.
  cookies: { keys: ['a key of a test'], names: { session: `session-${port}` } },
  conformIdTokenClaims: claimsIn === 'userinfo',
  scopes: ['openid', 'email', 'profile'],
  claims: { email: ['email', 'email_verified'], profile: ['name', 'account_id'] },
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
  enabledJWA: { clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
  acrValues: ['mfa'],
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = `<!doctype html><title>Sign out</title>${form}<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`;
      },
    },
  },
  interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
  findAccount: (_ctx, id) => accounts[id] && { accountId: id, claims: () => ({ ...accounts[id], sub: id }) },
  async loadExistingGrant(ctx) {
    const { client, session, params } = ctx.oidc;
    const grant = new ctx.oidc.provider.Grant({ clientId: client?.clientId, accountId: session?.accountId });
    grant.addOIDCScope(String(params?.scope ?? 'openid'));
    await grant.save();
    return grant;
  },
});

const madeKey = () =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }) as JWKS['keys'][number];

/** Memory of one provider: oidc-provider's own is shared by all of a process, and emptied by each new one. */
const adapterOver =
  (kept: Map<string, AdapterPayload>) =>
  (model: string): Adapter => {
    const find = async (matches: (payload: AdapterPayload) => boolean) =>
      [...kept].find(([key, payload]) => key.startsWith(`${model}:`) && matches(payload))?.[1];
    return {
      async upsert(id, payload) {
        kept.set(`${model}:${id}`, payload);
      },
      find: async (id) => kept.get(`${model}:${id}`),
      findByUid: (uid) => find((payload) => payload.uid === uid),
      findByUserCode: (code) => find((payload) => payload.userCode === code),
      async consume(id) {
        const payload = kept.get(`${model}:${id}`);
        if (payload) payload.consumed = Math.floor(Date.now() / 1000);
      },
      async destroy(id) {
        kept.delete(`${model}:${id}`);
      },
      async revokeByGrantId(grantId) {
        for (const [key, payload] of kept) if (payload.grantId === grantId) kept.delete(key);
      },
    };
  };

/** The provider's own login page: who the person says they are, they are. */
async function interact(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  clock?: () => number,
): Promise<void> {
  if (request.method !== 'POST') {
    const { params } = await provider.interactionDetails(request, response);
    const hint = String(params.login_hint ?? '').replace(/[^\w@.+-]/g, '');
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(
      `<!doctype html><title>Sign in</title><form method="post" action="${request.url}"><input name="login" value="${hint}"><button>Sign in</button></form>`,
    );
    return;
  }
  let body = '';
  for await (const chunk of request) body += chunk;
  const login = new URLSearchParams(body).get('login') ?? '';
  const signedIn = { accountId: login, ...(clock && { ts: clock() }) };
  const result = login === 'nobody' ? { error: 'access_denied' } : { login: signedIn };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

function openPerson(issuer: string, login: string): Person {
  const cookies = new Map<string, string>();
  let asked = 0;
  let askedToSignOut = 0;

  async function send(url: string, form?: URLSearchParams): Promise<Response> {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map((cookie) => cookie.join('=')).join('; '), connection: 'close' },
      ...(form && { method: 'POST', body: form }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  }

  return {
    asked: () => asked,
    askedToSignOut: () => askedToSignOut,
    async go(start, answer = 'signs_out') {
      let response = await send(start);
      for (let step = 0; step < 12; step++) {
        const location = response.headers.get('location');
        if (location) {
          await response.body?.cancel();
          const url = new URL(location, issuer);
          if (url.origin !== issuer)
            return { address: `${url.origin}${url.pathname}`, method: 'GET', params: new Map(url.searchParams) };
          response = await send(url.href);
          continue;
        }
        const page = await response.text();
        const action = attribute(/<form[^>]*>/.exec(page)?.[0] ?? '', 'action');
        if (action === undefined) throw new Error(`the provider answered ${response.status}: ${page.slice(0, 300)}`);
        const fields = [...page.matchAll(/<input[^>]*>/g)].map(
          ([tag]) => [attribute(tag, 'name') ?? '', attribute(tag, 'value') ?? ''] as const,
        );
        const url = new URL(action, issuer);
        if (url.origin !== issuer) return { address: url.href, method: 'POST', params: new Map(fields) };
        const form = new URLSearchParams();
        for (const [name, value] of fields) if (name !== '') form.set(name, value);
        if (form.has('login')) {
          form.set('login', login);
          asked++;
        }
        if (page.includes('<button form="op.logoutForm"')) {
          askedToSignOut++;
          if (answer === 'signs_out') form.set('logout', 'yes');
        }
        response = await send(url.href, form);
      }
      throw new Error('the provider leads in circles');
    },
  };
}

const attribute = (tag: string, name: string): string | undefined =>
  new RegExp(`\\s${name}="([^"]*)"`)
    .exec(tag)?.[1]
    ?.replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  });
