/**
 * A customer's identity provider: a real OpenID provider (oidc-provider) with made-up people and no passwords. It is
 * loaded when it is first asked for anything, so that the demo starts without waiting for it.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Configuration, default as Provider } from 'oidc-provider';
import { type AppLinks, loginPage, refusePage } from './environment-pages.ts';
import { Html, html } from './html.ts';
import { type Look, page } from './layout.ts';
import { memoryAdapter } from './memory-adapter.ts';
import { WONKA_PEOPLE } from './people.ts';
import { openServer, type Party, type Reply, readForm, redirect, send } from './server.ts';

export type IdentityProviderOptions = {
  readonly port: number;
  /** As in environments/wonka.yaml: how the router is registered here. */
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
  readonly postLogoutRedirectUri: string;
  readonly links: AppLinks;
};

const LOOK: Look = { party: 'Wonka', role: 'a customer’s OpenID provider, with made-up people', accent: '#7a1f3d' };

const INTERACTION = '/interaction/';

export function openIdentityProvider(options: IdentityProviderOptions): Promise<Party> {
  const issuer = `http://127.0.0.1:${options.port}`;
  let loading: Promise<Provider> | undefined;

  async function otherwise(request: IncomingMessage, response: ServerResponse): Promise<void> {
    loading ??= loadProvider(issuer, options);
    const provider = await loading;
    if (request.url?.startsWith(INTERACTION))
      send(response, await interact(provider, request, response).catch(explainOver));
    else await provider.callback()(request, response);
  }

  return openServer(options.port, { 'GET /': () => homePage(options.links) }, { otherwise });
}

/** The login page, and what was chosen on it. */
async function interact(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<Reply> {
  if (request.method !== 'POST') {
    const { params } = await provider.interactionDetails(request, response);
    const { login_hint: loginHint } = params;
    const action = request.url ?? '';
    const pending = {
      fields: {},
      cancel: `${action}?cancel`,
      ...(typeof loginHint === 'string' && { loginHint }),
    };
    if (!action.endsWith('?cancel')) return loginPage(LOOK, WONKA_PEOPLE, { pending, action });
    return redirect(await provider.interactionResult(request, response, { error: 'access_denied' }));
  }
  const accountId = (await readForm(request))?.get('person') ?? '';
  if (!WONKA_PEOPLE.some(({ id }) => id === accountId)) return refusePage(LOOK, 'There is no such person here.');
  return redirect(await provider.interactionResult(request, response, { login: { accountId } }));
}

/** The Back button leads to a login page whose login is over. */
function explainOver(error: unknown): Reply {
  if (error instanceof Error && error.name === 'SessionNotFound')
    return refusePage(LOOK, 'This sign-in is over, or began in another browser. Start again at the portal.');
  throw error;
}

async function loadProvider(issuer: string, options: IdentityProviderOptions): Promise<Provider> {
  const { default: Provider } = await import('oidc-provider');
  return new Provider(issuer, configurationOf(options));
}

function configurationOf(options: IdentityProviderOptions): Configuration {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    clients: [
      {
        client_id: options.clientId,
        client_secret: options.clientSecret,
        redirect_uris: [options.redirectUri],
        post_logout_redirect_uris: [options.postLogoutRedirectUri],
      },
    ],
    jwks: { keys: [privateKey.export({ format: 'jwk' }) as { kty: string }] },
    adapter: memoryAdapter(),
    cookies: {
      keys: [randomBytes(32).toString('base64url')],
      names: { session: 'demo_wonka', interaction: 'demo_wonka_interaction', resume: 'demo_wonka_resume' },
    },
    scopes: ['openid', 'email', 'profile'],
    claims: { email: ['email', 'email_verified'], profile: ['name', 'tenant'] },
    // Seconds; each that stands here spares oidc-provider a line on standard output.
    ttl: { AccessToken: 3600, AuthorizationCode: 60, Grant: 3600, IdToken: 3600, Interaction: 3600, Session: 3600 },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => show(ctx, signOutPage(form)),
        postLogoutSuccessSource: (ctx) =>
          show(ctx, page(LOOK, 'You are signed out', html`<p><a href="/">Home</a></p>`)),
      },
    },
    interactions: { url: (_, { uid }) => `${INTERACTION}${uid}` },
    renderError: (ctx, { error, error_description }) =>
      show(ctx, refusePage(LOOK, `${error}: ${error_description ?? ''}`)),
    findAccount: (_, id) => {
      const person = WONKA_PEOPLE.find((each) => each.id === id);
      return person && { accountId: id, claims: () => ({ sub: id, name: person.name, ...person.claims }) };
    },
    // The router is the customer's own choice: nobody is asked for consent.
    async loadExistingGrant({ oidc: { client, session, params, provider } }) {
      const grant = new provider.Grant({ clientId: client?.clientId, accountId: session?.accountId });
      grant.addOIDCScope(String(params?.scope));
      await grant.save();
      return grant;
    },
  };
}

/** Answers out of the middle of oidc-provider. */
function show(ctx: { set(headers: Record<string, string>): void; body: unknown }, { headers, body }: Reply): void {
  ctx.set({ ...headers });
  ctx.body = body;
}

/** `form` is oidc-provider's own; what is missing in it is the button. */
const signOutPage = (form: string): Reply =>
  page(
    LOOK,
    'Sign out of Wonka, too?',
    html`<p>You are leaving the support portal, which asks that your session here end with it.</p>
${new Html(form.replace('</form>', '<button name="logout" value="yes">Yes, sign out</button></form>'))}`,
  );

const homePage = ({ helpCenter, portalLogin }: AppLinks): Reply =>
  page(
    LOOK,
    'Wonka’s identity provider',
    html`<p>Whoever works at Wonka signs in here, wherever they are asked to. Passwords never leave this place.</p>
<h2>Get help from Acme</h2>
<ul>
<li><a href="${helpCenter}">Help center</a>: a link that names Wonka, so nothing is asked but who you are</li>
<li><a href="${portalLogin}">Support portal</a>: the portal starts, and the router sees where you came from</li>
</ul>`,
  );
