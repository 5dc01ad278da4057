/** The page that tells what to click, in the order in which it makes sense. */
import { type Html, html } from './html.ts';
import { type Look, page } from './layout.ts';
import { openServer, type Party } from './server.ts';

export type GuideOptions = {
  readonly port: number;
  /** Origins, without a trailing slash. */
  readonly router: string;
  readonly admin: string;
  readonly portal: string;
  readonly helpCenter: string;
  readonly us: string;
  readonly eu: string;
  readonly globex: string;
  readonly wonka: string;
  readonly account: string;
  readonly soylent: string;
  readonly initrode: string;
};

const LOOK: Look = { party: 'Wayhome demo', role: 'what to click', accent: '#3d4752' };

export function openGuide(options: GuideOptions): Promise<Party> {
  const guide = page(
    LOOK,
    'One login address, seven places to come from',
    html`${parties(options)}${steps(options)}${kinds(options)}${secondPortal(options)}${minted(options)}${behind(options)}`,
  );
  return openServer(options.port, { 'GET /': () => guide });
}

const parties = (options: GuideOptions): Html => html`
<p>The support portal can be told one login address only. Acme’s customers sign in at many places. The router stands
between: it finds out which place a person belongs to, lets that place sign them in, and vouches for them to the portal.</p>
<table>
<tr><th scope="row">Router</th><td>the real thing: Wayhome, serving the top-level <code>routes.yaml</code><br>${options.router}</td></tr>
${party('Portal', options.portal, 'a stand-in for Pylon; knows nothing but the router')}
${party('Help center', options.helpCenter, 'a second portal: a stand-in for HelpCenter.io')}
${party('United States', options.us, 'a stand-in for a region of your application')}
${party('Europe', options.eu, 'another region')}
${party('Globex', options.globex, 'a stand-in for a customer’s own installation')}
${party('Wonka', options.wonka, 'a customer’s OpenID provider: a real one (oidc-provider), with made-up people')}
${party('Acme account', options.account, 'a stand-in for your own app below the router’s domain')}
${party('Soylent', `${options.soylent}/app`, 'a stand-in for an installation that is reached through the router only')}
${party('Initrode', options.initrode, 'a stand-in for an app that is built on pylonsync')}
</table>`;

const party = (name: string, url: string, what: string): Html => html`
<tr><th scope="row">${name}</th><td>${what}<br><a href="${url}">${url}</a></td></tr>`;

const steps = ({ portal, eu, globex }: GuideOptions): Html => html`
<h2>Try this, in this order</h2>
<ol class="steps">
<li>Open <a href="${portal}/">the portal</a> and choose “Log in”. The router does not know you, so it asks. Take
<strong>United States</strong>, and sign in there as <strong>Ada Fields</strong>. The portal shows what it was told about
her.</li>
<li>“Sign out” there. The portal forgets you, the router takes you through the United States’ own logout, and you end at
that app: the right one.</li>
<li>“Log in” again, and this time let the router find the place by an email address: <strong>hank@globex.example</strong>.
Globex is not on the list, but its email domain leads there. Sign in as <strong>Hank Scorpio</strong>. Whatever Globex calls
his account, the portal hears <code>globex</code>: the routes say so.</li>
<li>Open the portal’s <a href="${portal}/login">login address</a> once more: nothing is asked, because this browser came
from Globex before.</li>
<li>Go to <a href="${eu}/">the Europe app</a>, sign in as <strong>Léa Moreau</strong>, and choose “Help center”: the app
starts, and nothing is asked at all. “How refunds work” ends at that very article.</li>
<li>A link can name the place: <a href="${portal}/login?env=eu">log in with <code>env=eu</code></a>.</li>
<li>Sign out, log in again, and choose “Cancel” at the application’s login page. The router says what happened, gives a
reference that stands in its log too, and offers a way to start again.</li>
<li>Now cheat: sign out of <a href="${globex}/">Globex</a>, log in at the portal by <strong>hank@globex.example</strong>
again, and be <strong>Mallory</strong>. Globex signs properly that she is <code>ada@initech.example</code>. The router does not
believe Globex about other people’s people, and the portal never hears of it.</li>
</ol>`;

const kinds = ({ portal, account, soylent, initrode }: GuideOptions): Html => html`
<h2>Places that speak something else</h2>
<p>So far every application signed a token for the router. These do not, and the portal cannot tell. Their routes are the
files in <code>examples/demo/environments/</code>.</p>
<ul class="steps">
<li><strong>A customer’s OpenID provider.</strong> <a href="${portal}/login?env=wonka">Log in by Wonka</a>, as
<strong>Charlie Bucket</strong>. Sign out of the portal: Wonka asks whether its session shall end, too, and lets you go to
the right place. As <strong>Veruca Salt</strong> you do not get in: Wonka itself says that her email is not verified.</li>
<li><strong>Your own app, below one domain with the router.</strong> Sign in at <a href="${account}/login">Acme account</a>,
then <a href="${portal}/login?env=account">log in at the portal</a>: no page on the way, since the router asks that app whose
session this is.</li>
<li><strong>An installation behind the router.</strong> <a href="${portal}/login?env=soylent">Log in by Soylent</a>, as
<strong>Robert Thorn</strong>. Its pages come through the router on a host of their own, the WebSocket of its clock, too. Soylent
was integrated with Pylon long ago and sends you straight to the portal; the router catches that, and the portal gets the
router’s token. What is not listed stays inside: <a href="${soylent}/staff-only">/staff-only</a>.</li>
<li><strong>An app that mints JWTs of its own.</strong> <a href="${portal}/login?env=initrode">Log in by Initrode</a>, as
<strong>Peter Gibbons</strong>. Its <a href="${initrode}/.well-known/openid-configuration">discovery document</a> advertises
an authorization endpoint that is not there; the routes say what it really does, and nobody is sent astray.</li>
</ul>
<p class="soft">Safari does not know <code>soylent.localhost</code>; Chrome, Edge and Firefox do. SAML is not part of this demo:
it would need an identity provider that is more than a stand-in. <code>examples/saml</code> has what to set for four of them.</p>`;

const secondPortal = ({ helpCenter, us, eu }: GuideOptions): Html => html`
<h2>A second portal, and its widget</h2>
<p>HelpCenter.io has a login address of its own at the router, and asks in words of its own: a <code>subdomain</code>, and a
<code>key</code> that has to come back in the token. The environments notice nothing.</p>
<ol class="steps">
<li>Open <a href="${helpCenter}/">the help center</a>. It is private, so you are on your way at once: take
<strong>United States</strong>, as <strong>Ada Fields</strong>. Its page shows that <code>jti</code> is the key. “Sign out”
ends at her app.</li>
<li>Sign out of <a href="${eu}/">Europe</a>, open the help center once more, take <strong>Europe</strong>, and be
<strong>Jonas Weber</strong>. The router vouches for him, but the
help center has suspended him: it says <code>user_banned</code>, and so do <a href="${helpCenter}/logs">its logs</a>.</li>
<li>Sign in at <a href="${us}/">the United States</a> as <strong>Ada Fields</strong>, and choose “Help right here”: the widget,
with the snippet as documented. “Find articles”; then “Let the token expire”, and find them again: there is a fresh token,
and no reload. Each is one line in the terminal.</li>
<li>“Help right here, by this page” is the same, but the page asks the router itself. Only pages of that very app can.</li>
</ol>`;

const minted = ({ us, router }: GuideOptions): Html => html`
<h2>Tokens for services behind an app</h2>
<p>As <strong>Ada Fields</strong> in <a href="${us}/">the United States</a>, choose “Services behind this app”: its backend
trades its own token at <code>POST ${router}/api/auth/jwt</code> for one that each service believes. One shares a secret with
the router, the other reads its published keys.</p>`;

const behind = ({ router, admin }: GuideOptions): Html => html`
<h2>Behind the scenes</h2>
<ul>
<li><a href="${router}/.well-known/openid-configuration">Metadata</a> and <a href="${router}/oidc/jwks">public keys</a>: one of them, of the service
that reads them; what the router shares with the others is a secret</li>
<li><a href="${admin}/healthz">Health</a>, on a listener of its own</li>
<li>The terminal shows one line for every outcome, with its reason and its reference</li>
</ul>
<p class="soft">The router is on <code>localhost</code> and most of the others on <code>127.0.0.1</code>, since cookies do not
tell ports apart: to the browser they are different sites, as they are in real life. Acme account is on
<code>localhost</code>, because sharing a site with the router is its whole point.</p>`;
