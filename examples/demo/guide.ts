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
};

const LOOK: Look = { party: 'Wayhome demo', role: 'what to click', accent: '#3d4752' };

export function openGuide(options: GuideOptions): Promise<Party> {
  const guide = page(
    LOOK,
    'One login address, three places to come from',
    html`${parties(options)}${steps(options)}${behind(options)}`,
  );
  return openServer(options.port, { 'GET /': () => guide });
}

const parties = ({ router, portal, us, eu, globex }: GuideOptions): Html => html`
<p>The support portal can be told one login address only. Acme’s customers sign in at three places. The router stands
between: it finds out which place a person belongs to, lets that place sign them in, and vouches for them to the portal.</p>
<table>
<tr><th scope="row">Portal</th><td><a href="${portal}/">${portal}</a></td><td>knows nothing but the router</td></tr>
<tr><th scope="row">Router</th><td>${router}</td><td>runs the top-level <code>routes.yaml</code></td></tr>
<tr><th scope="row">United States</th><td><a href="${us}/">${us}</a></td><td>a region of Acme’s application</td></tr>
<tr><th scope="row">Europe</th><td><a href="${eu}/">${eu}</a></td><td>another region</td></tr>
<tr><th scope="row">Globex</th><td><a href="${globex}/">${globex}</a></td><td>a customer’s own installation</td></tr>
</table>`;

const steps = ({ portal, eu, globex }: GuideOptions): Html => html`
<h2>Try this, in this order</h2>
<ol class="steps">
<li>Open <a href="${portal}/">the portal</a> and choose “Log in”. The router does not know you, so it asks. Take
<strong>United States</strong>, and sign in there as <strong>Ada Fields</strong>. The portal shows what it was told about
her.</li>
<li>“Sign out” there. The portal forgets you, the router takes you through the United States’ own logout, and you end at
that app: the right one.</li>
<li>“Log in” again, and this time let the router find the place by an email address: <strong>hank@globex.example</strong>.
Globex is not on the list, but its email domain leads there. Sign in as <strong>Hank Scorpio</strong>. Whatever Globex calls his account, the portal hears <code>globex</code>: the routes say so.</li>
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

const behind = ({ router, admin }: GuideOptions): Html => html`
<h2>Behind the scenes</h2>
<ul>
<li><a href="${router}/.well-known/openid-configuration">Metadata</a> and <a href="${router}/oidc/jwks">public keys</a>; there
are none while the portal shares a secret with the router</li>
<li><a href="${admin}/healthz">Health</a>, on a listener of its own</li>
<li>The terminal shows one line for every outcome, with its reason and its reference</li>
</ul>
<p class="soft">The router is on <code>localhost</code> and everybody else on <code>127.0.0.1</code>, since cookies do not tell
ports apart: to the browser they are different sites, as they are in real life.</p>`;
