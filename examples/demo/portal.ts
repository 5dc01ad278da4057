/**
 * A stand-in for the support portal: it knows one Remote Login URL, one Remote Logout URL and one secret, sends
 * people away to log in, and believes only a token that passes every rule of portal-token.ts.
 */
import { type Html, html } from './html.ts';
import { type Look, page } from './layout.ts';
import { judgeToken, type PortalClaims, type TokenRules } from './portal-token.ts';
import { type Call, openServer, type Party, type Reply, type RouteTable, redirect, sameOrigin } from './server.ts';
import { Memory, Sessions } from './sessions.ts';

export type PortalOptions = {
  readonly port: number;
  readonly orgSlug: string;
  readonly loginUrl: string;
  readonly logoutUrl: string;
  /** The shared secret, for HS256/384/512. Without it the portal reads the router's published keys. */
  readonly secret?: string;
  /** Whole seconds since 1970. */
  readonly now: () => number;
};

/** Pages that only signed-in people may read, by path. */
const ARTICLES: Readonly<Record<string, { readonly title: string; readonly text: string }>> = {
  '/articles/refunds': { title: 'How refunds work', text: 'Ask within 30 days, and the money is back within five.' },
  '/articles/exports': { title: 'Export your data', text: 'Settings, then “Export”. The archive is kept for a week.' },
};

const LOOK: Look = { party: 'Acme support portal', role: 'stand-in for the portal', accent: '#4b3f8f' };

export async function openPortal(options: PortalOptions): Promise<Party> {
  const { orgSlug, secret } = options;
  const rules: TokenRules = { issuer: `${new URL(options.loginUrl).origin}/`, ...(secret !== undefined && { secret }) };
  const sessions = new Sessions<PortalClaims>('demo_portal');
  /** The state of a login → the page that the person wanted. It is no proof of anything: apps start logins too. */
  const wanted = new Memory<string>();

  /** To the Remote Login URL; a hint such as `env=eu` in a link to the portal travels on the return address. */
  function logIn(call: Call, to: string): Reply {
    const callback = new URL('/callback/jwt', call.url.origin);
    callback.searchParams.set('orgSlug', orgSlug);
    callback.searchParams.set('state', wanted.keep(to));
    const hint = call.url.searchParams.get('env');
    if (hint !== null) callback.searchParams.set('env', hint);
    const login = new URL(options.loginUrl);
    login.searchParams.set('redirect_uri', callback.href);
    // No Referrer-Policy of our own: the router may learn which app a link to this address stood in.
    return { status: 302, headers: { location: login.href } };
  }

  async function receive(call: Call): Promise<Reply> {
    const { searchParams } = call.url;
    const tokens = [...searchParams.getAll('access_token'), ...searchParams.getAll('jwt'), ...call.form.getAll('jwt')];
    const [token] = tokens;
    if (token === undefined || tokens.length > 1) return reject('token', `${tokens.length} tokens where one belongs`);
    if (searchParams.getAll('orgSlug').join() !== orgSlug) return reject('orgSlug', 'another workspace, or none');
    const state = searchParams.get('state');
    const remembered = state === null ? undefined : wanted.take(state);
    if (state !== null && remembered === undefined) return reject('state', 'unknown, or used before');
    const verdict = await judgeToken(token, rules, options.now());
    if (!verdict.accepted) return reject(verdict.rule, verdict.detail);
    const target = remembered ?? searchParams.get('to') ?? '/';
    return redirect(Object.hasOwn(ARTICLES, target) ? target : '/', sessions.begin(verdict.claims));
  }

  const routes: RouteTable = {
    'GET /': (call) => home(sessions.of(call)),
    'GET /login': (call) => logIn(call, '/'),
    'GET /callback/jwt': receive,
    'POST /callback/jwt': receive,
    'POST /sign-out': (call) =>
      sameOrigin(call) ? redirect(options.logoutUrl, sessions.end(call)) : reject('origin', 'this form is not ours'),
    ...Object.fromEntries(
      Object.entries(ARTICLES).map(([path, article]) => [
        `GET ${path}`,
        (call: Call): Reply => {
          const person = sessions.of(call);
          return person ? page(LOOK, article.title, html`<p>${article.text}</p>${whoAmI(person)}`) : logIn(call, path);
        },
      ]),
    ),
  };
  return openServer(options.port, routes);
}

function home(person: PortalClaims | undefined): Reply {
  if (person) return page(LOOK, 'Welcome back', html`${articleList()}${whoAmI(person)}`);
  return page(
    LOOK,
    'How can we help?',
    html`<p>This portal has no passwords. It knows one address to send you to, and that address works out the rest.</p>
<p><a class="button" href="/login">Log in</a></p>
${articleList()}
<p class="soft">Articles are for signed-in customers: a link to one asks you to log in first.</p>`,
  );
}

const articleList = (): Html => html`<h2>Articles</h2>
<ul>
${Object.entries(ARTICLES).map(([path, { title }]) => html`<li><a href="${path}">${title}</a></li>`)}
</ul>`;

const whoAmI = (person: PortalClaims): Html => html`<h2>Signed in as ${person.email}</h2>
<p>The portal token said, and the portal checked:</p>
<table>
${Object.entries(person).map(
  ([name, value]) =>
    html`<tr><th scope="row">${name}</th><td><code>${typeof value === 'string' ? value : JSON.stringify(value)}</code></td></tr>`,
)}
</table>
<form method="post" action="/sign-out"><button>Sign out</button></form>
<p><a href="/">Portal home</a></p>`;

function reject(rule: string, detail: string): Reply {
  const body = html`<p class="note">Rule <strong>${rule}</strong>: ${detail}</p>
<p>The portal believes nothing else in this token, and nobody was signed in.</p>
<p><a href="/">Portal home</a></p>`;
  return page(LOOK, 'This login was rejected', body, { status: 401 });
}
