/**
 * A stand-in for HelpCenter.io: a private help center that sends everybody to its Login URL with `subdomain` and `key`,
 * takes a token at `/sso/jwt?jwt=…` whose `jti` is that key, and has a widget for other people's pages.
 */
import { freshTo, type HelpCenterClaims, type HelpCenterSettings, judgeAtHelpCenter } from './help-center-token.ts';
import { widgetRoutes } from './help-center-widget.ts';
import { type Html, html } from './html.ts';
import { type Look, page } from './layout.ts';
import { type Call, openServer, type Party, type Reply, type RouteTable, redirect, sameOrigin } from './server.ts';
import { Memory, Sessions } from './sessions.ts';

export type HelpCenterOptions = {
  readonly port: number;
  readonly subdomain: string;
  readonly loginUrl: string;
  readonly logoutUrl: string;
  /** Read for every token, as its owner may change them at any time. */
  readonly settings: () => HelpCenterSettings;
  /** Whole seconds since 1970. */
  readonly now: () => number;
};

/** `events`: its Settings → Logs, `sso.redirect_flow.rejected jwt_expired` and the like, oldest first. */
export type HelpCenter = Party & { readonly events: readonly string[] };

const LOOK: Look = { party: 'Acme help center', role: 'stand-in for HelpCenter.io', accent: '#8a2d4f' };

/** Lines of the log that are shown. */
const SHOWN = 20;

export async function openHelpCenter(options: HelpCenterOptions): Promise<HelpCenter> {
  const { port, subdomain, loginUrl, logoutUrl, settings, now } = options;
  const sessions = new Sessions<HelpCenterClaims>('demo_help');
  /** The key of a login that is under way → the page that the person wanted. */
  const keys = new Memory<string>();
  /** The `jti` of a token → the widget that showed it first. */
  const owners = new Map<string, string>();
  const events: string[] = [];

  function logIn(to: string): Reply {
    const login = new URL(loginUrl);
    login.searchParams.set('subdomain', subdomain);
    login.searchParams.set('key', keys.keep(to));
    // No Referrer-Policy of our own: the router may learn which app a link to this address stood in.
    return { status: 302, headers: { location: login.href } };
  }

  async function receive({ url }: Call): Promise<Reply> {
    let wanted = '/';
    const isFresh = (jti: string): boolean => {
      const kept = keys.take(jti);
      wanted = kept ?? wanted;
      return kept !== undefined;
    };
    const verdict = await judgeAtHelpCenter(url.searchParams.get('jwt') ?? '', settings(), isFresh, now());
    events.push(`sso.redirect_flow.${verdict.accepted ? 'accepted' : `rejected ${verdict.reason}`}`);
    return verdict.accepted ? redirect(wanted, sessions.begin(verdict.claims)) : rejected(verdict.reason);
  }

  const widget = widgetRoutes(async (token, id) => {
    const verdict = await judgeAtHelpCenter(token, settings(), freshTo(id, owners), now());
    events.push(`widget_jwt.${verdict.accepted ? 'accepted' : `rejected ${verdict.reason}`}`);
    return verdict;
  });

  /** Nothing of a private help center is for people whom it does not know. */
  const privately =
    (path: string, show: (person: HelpCenterClaims) => Reply) =>
    (call: Call): Reply => {
      const person = sessions.of(call);
      return person ? show(person) : logIn(path);
    };

  const routes: RouteTable = {
    'GET /': privately('/', home),
    'GET /content/invoices': privately('/content/invoices', article),
    'GET /sso/jwt': receive,
    'POST /sign-out': (call) =>
      sameOrigin(call) ? redirect(logoutUrl, sessions.end(call)) : { status: 400, body: 'This form is not ours.\n' },
    'GET /logs': () => logs(events),
    ...widget,
  };
  return { ...(await openServer(port, routes)), events };
}

const home = (person: HelpCenterClaims): Reply =>
  page(
    LOOK,
    'What are you looking for?',
    html`<ul><li><a href="/content/invoices">Where your invoices are</a></li></ul>${whoAmI(person)}`,
  );

const article = (person: HelpCenterClaims): Reply =>
  page(LOOK, 'Where your invoices are', html`<p>Settings, then “Billing”: all of them, as PDF.</p>${whoAmI(person)}`);

const whoAmI = (person: HelpCenterClaims): Html => html`<h2>Signed in as ${person.email}</h2>
<p>The token said, and the help center checked:</p>
<table>
${Object.entries(person).map(([name, value]) => html`<tr><th scope="row">${name}</th><td><code>${String(value)}</code></td></tr>`)}
</table>
<form method="post" action="/sign-out"><button>Sign out</button></form>`;

function rejected(reason: string): Reply {
  const body = html`<p class="note">Reason: <strong>${reason}</strong></p>
<p>Nobody was signed in. What HelpCenter.io logs about it stands in <a href="/logs">Settings → Logs</a>.</p>
<p><a href="/">Help center</a></p>`;
  return page(LOOK, 'This login was rejected', body, { status: 401 });
}

const logs = (events: readonly string[]): Reply =>
  page(
    LOOK,
    'Settings → Logs',
    html`<ol>${events.slice(-SHOWN).map((event) => html`<li><code>${event}</code></li>`)}</ol>`,
  );
