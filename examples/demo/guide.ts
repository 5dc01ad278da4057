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
  readonly us: string;
  readonly eu: string;
  readonly globex: string;
  readonly wonka: string;
  readonly account: string;
  readonly soylent: string;
};

const LOOK: Look = { party: 'Wayhome demo', role: 'what to click', accent: '#3d4752' };

export function openGuide(options: GuideOptions): Promise<Party> {
  const guide = page(
    LOOK,
    'One login address, six places to come from',
    html`${parties(options)}${steps(options)}${kinds(options)}${behind(options)}`,
  );
  return openServer(options.port, { 'GET /': () => guide });
}

const parties = ({ router, portal, us, eu, globex, wonka, account, soylent }: GuideOptions): Html => html`
<p>The support portal can be told one login address only. Acme’s customers sign in at many places. The router stands
between: it finds out which place a person belongs to, lets that place sign them in, and vouches for them to the portal.</p>
<table>
<tr><th scope="row">Router</th><td>the real thing: Wayhome, serving the top-level <code>routes.yaml</code><br>${router}</td></tr>
${party('Portal', portal, 'a stand-in for Pylon; knows nothing but the router')}
${party('United States', us, 'a stand-in for a region of your application')}
${party('Europe', eu, 'another region')}
${party('Globex', globex, 'a stand-in for a customer’s own installation')}
${party('Wonka', wonka, 'a customer’s OpenID provider: a real one (oidc-provider), with made-up people')}
${party('Acme account', account, 'a stand-in for your own app below the router’s domain')}
${party('Soylent', `${soylent}/app`, 'a stand-in for an installation that is reached through the router only')}
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

const kinds = ({ portal, account, soylent }: GuideOptions): Html => html`
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
</ul>
<p class="soft">Safari does not know <code>soylent.localhost</code>; Chrome, Edge and Firefox do. SAML is not part of this demo:
it would need an identity provider that is more than a stand-in. <code>examples/saml</code> has what to set for four of them.</p>`;

const behind = ({ router, admin }: GuideOptions): Html => html`
<h2>Behind the scenes</h2>
<ul>
<li><a href="${router}/.well-known/openid-configuration">Metadata</a> and <a href="${router}/oidc/jwks">public keys</a>; there
are none while the portal shares a secret with the router</li>
<li><a href="${admin}/healthz">Health</a>, on a listener of its own</li>
<li>The terminal shows one line for every outcome, with its reason and its reference</li>
</ul>
<p class="soft">The router is on <code>localhost</code> and most of the others on <code>127.0.0.1</code>, since cookies do not
tell ports apart: to the browser they are different sites, as they are in real life. Acme account is on
<code>localhost</code>, because sharing a site with the router is its whole point.</p>`;
