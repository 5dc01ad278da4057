/**
 * Somebody's installation that signs people in with oidc-provider, and whose operators let a sign-out elsewhere end its
 * sessions. The library has no address for that; beside it there are
 *
 *   POST /backchannel-logout            logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.5)
 *   GET  /sign-out?return_to=…          its own sign-out through the browser, which asks nobody
 *
 * and its own application, a client of the same provider.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createRemoteJWKSet, customFetch, type FetchImplementation, type JWTVerifyGetKey } from 'jose';
import type Provider from 'oidc-provider';
import { readLogoutToken } from './logout-token.ts';
import { type Account, openProvider, type Person, type TestProvider } from './oidc-provider.ts';
import { watchSessions } from './provider-sessions.ts';

export type InstallationOptions = {
  /** Of the environment, and of the audience of its logout tokens. */
  readonly name: string;
  /** The router's origin; `reached` is where it really listens. */
  readonly router: string;
  readonly reached: () => string;
  readonly accounts: Readonly<Record<string, Account>>;
  /** Whole seconds. */
  readonly clock: () => number;
  /** Whether its tokens name the session (`sid`), besides the person. It does, unless it says otherwise. */
  readonly namesSessions?: boolean;
  /** What logout tokens are verified with; the router's published keys unless set. */
  readonly keys?: JWTVerifyGetKey;
};

/** What became of a logout token: the sessions that it ended, or why it was not believed. */
type Judged = { readonly status: number; readonly ended?: number; readonly why?: string };

export type Installation = TestProvider & {
  /** What came to the address for logout tokens, in its order. */
  readonly told: ({ readonly token: string } & Judged)[];
  /** Resolves once there are so many. */
  arrived(count: number): Promise<void>;
  /** Logout tokens that the provider sent to the router, with its answers. */
  readonly said: { readonly token: string; readonly status: number }[];
  /** Access tokens that it issued to anybody. */
  readonly issued: readonly string[];
  /** What its address for logout tokens answers without looking, until it is taken away. */
  outOfOrder?: number;
  /** `login` of the environment, `back` and `front` of its `logout`, and what they take from the surroundings. */
  readonly login: Record<string, unknown>;
  readonly variables: Readonly<Record<string, string>>;
  readonly back: { readonly url: string };
  readonly front: { readonly url: string; readonly return_param: string };
};

const APP = 'https://app.installation.test/callback';

export async function openInstallation(options: InstallationOptions): Promise<Installation> {
  const { name, router, reached, accounts, clock, namesSessions = true } = options;
  const secret = `canary-client-secret-of-${name}-${randomBytes(32).toString('base64url')}`;
  const variable = `${name.toUpperCase()}_CLIENT_SECRET`;
  const told: Installation['told'] = [];
  const said: Installation['said'] = [];
  const issued: string[] = [];
  let changed = () => {};

  /** `fetch`, for which the router's name leads to where it listens. */
  const call: typeof fetch = async (input, init) => {
    const url = String(input);
    if (!url.startsWith(`${router}/`)) return fetch(input, init);
    const response = await fetch(`${reached()}${url.slice(router.length)}`, init);
    const token = init?.body instanceof URLSearchParams ? init.body.get('logout_token') : null;
    if (token) said.push({ token, status: response.status });
    return response;
  };
  const {
    keys = createRemoteJWKSet(new URL(`${router}/.well-known/jwks.json`), {
      [customFetch]: call as FetchImplementation,
    }),
  } = options;
  const sender = { issuer: `${router}/`, audience: name, keys };

  const pages = (provider: Provider): Record<string, RequestListener> => {
    const sessions = watchSessions(provider, 'wayhome');
    const spent = new Set<string>();
    provider.on('access_token.saved', ({ jti }) => issued.push(jti));

    async function judge(text: string): Promise<Judged> {
      if (installation.outOfOrder !== undefined) return { status: installation.outOfOrder };
      try {
        const { jti, toe, ...meant } = await readLogoutToken(text, sender, clock());
        if (spent.has(jti)) throw new Error('used before');
        spent.add(jti);
        return { status: 200, ended: await sessions.endMeant({ ...meant, until: toe }) };
      } catch (error) {
        return { status: 400, why: error instanceof Error ? error.message : 'unknown' };
      }
    }

    return {
      async '/backchannel-logout'(request, response) {
        const token = (await readForm(request)).get('logout_token') ?? '';
        const outcome = request.method === 'POST' ? await judge(token) : { status: 405 };
        told.push({ token, ...outcome });
        // §2.8
        response.writeHead(outcome.status, { 'cache-control': 'no-store' }).end();
        changed();
      },
      async '/sign-out'(request, response) {
        const session = await provider.Session.get(provider.createContext(request, response));
        if (session.accountId !== undefined) await sessions.end(session);
        goBack(request, response, router);
      },
    };
  };

  const provider = await openProvider({
    clients: [
      {
        client_id: 'wayhome',
        client_secret: secret,
        redirect_uris: [`${router}/return/${name}`],
        post_logout_redirect_uris: [`${router}/return/${name}/logout`],
        ...(namesSessions && {
          backchannel_logout_uri: `${router}/backchannel-logout/${name}`,
          backchannel_logout_session_required: true,
        }),
      },
      { client_id: 'app', redirect_uris: [APP], token_endpoint_auth_method: 'none' },
    ],
    accounts,
    clock,
    fetch: call,
    pages,
  });
  const installation: Installation = {
    ...provider,
    told,
    said,
    issued,
    async arrived(count) {
      while (told.length < count) await new Promise<void>((resolve) => (changed = resolve));
    },
    login: {
      protocol: 'oidc',
      issuer: provider.issuer,
      client_id: 'wayhome',
      client_secret: { env: variable },
      allow_private: true,
    },
    variables: { [variable]: secret },
    back: { url: `${provider.issuer}/backchannel-logout` },
    front: { url: `${provider.issuer}/sign-out`, return_param: 'return_to' },
  };
  return installation;
}

/** The installation's own application: signs the person in with the session that is there, or not at all. */
export async function openApp({ issuer }: Pick<Installation, 'issuer'>, person: Person): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const request = new URLSearchParams({
    client_id: 'app',
    redirect_uri: APP,
    response_type: 'code',
    scope: 'openid email',
    prompt: 'none',
    state: randomUUID(),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const { params } = await person.go(`${issuer}/auth?${request}`);
  const code = params.get('code');
  if (code === undefined) return String(params.get('error'));
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: 'app',
      redirect_uri: APP,
      code,
      code_verifier: verifier,
    }),
  });
  return answer.ok ? 'signed_in' : `${answer.status}: ${await answer.text()}`;
}

/** Whether the provider still takes each of these access tokens. */
export const statusesOf = ({ issuer }: Pick<Installation, 'issuer'>, tokens: readonly string[]): Promise<number[]> =>
  Promise.all(
    tokens.map(async (token) => {
      const response = await fetch(`${issuer}/me`, { headers: { authorization: `Bearer ${token}` } });
      await response.body?.cancel();
      return response.status;
    }),
  );

/** To the router and nowhere else. */
function goBack(request: IncomingMessage, response: ServerResponse, router: string): void {
  const to = new URL(request.url ?? '/', router).searchParams.get('return_to') ?? '';
  if (to.startsWith(`${router}/`)) response.writeHead(303, { location: to, 'cache-control': 'no-store' }).end();
  else response.writeHead(400).end();
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return new URLSearchParams(body);
}
