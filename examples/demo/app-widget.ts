/**
 * HelpCenter.io's widget on two pages of an app. On the first, the documented snippet as it stands: the app's backend
 * trades its own token for one that the help center takes. On the second, the page itself asks the router, and the
 * backend only signs what it signs anyway.
 */
import type { OwnApp } from './environment.ts';
import { html } from './html.ts';
import { type Look, page } from './layout.ts';
import type { Call, Reply, RouteTable } from './server.ts';
import { trade } from './trade.ts';

export type AppWidgetOptions = {
  readonly look: Look;
  /** Origins, without a trailing slash. */
  readonly router: string;
  readonly helpCenter: string;
  /** The help center's name in routes.yaml. */
  readonly portal: string;
};

/** Step 5 of the article, with its placeholders. */
const snippet = (jwt: string, onAuthExpired: string, helpCenter: string): string => `<script>
    window.hcOptions = {
        app_id: 'acme',
        jwt: '${jwt}',
        onAuthExpired: ${onAuthExpired},
    };
</script>
<script src="${helpCenter}/js/init.js" async></script>`;

/** The article's own words. */
const BY_BACKEND = `async function () {
            const resp = await fetch('/helpcenter-token', { credentials: 'include' });
            const json = await resp.json();
            return json.jwt;
        }`;

const byPage = (router: string, portal: string): string => `async function () {
            const own = await fetch('/own-token', { credentials: 'include' });
            if (!own.ok) throw new Error('Nobody is signed in any more');
            const { token } = await own.json();
            const resp = await fetch('${router}/api/auth/jwt', {
                method: 'POST',
                body: new URLSearchParams({
                    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
                    subject_token: token,
                    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
                    audience: '${portal}',
                }),
            });
            const json = await resp.json();
            return json.jwt;
        }`;

export function appWidgetRoutes({ signedIn, tokenFor }: OwnApp, options: AppWidgetOptions): RouteTable {
  const { look, router, helpCenter, portal } = options;

  const show = (says: string, text: string, outside: readonly string[]): Reply =>
    page(look, 'Help without leaving the app', html`<p>${says}</p>`, { snippet: { text, outside } });

  const anybody = (call: Call, answer: (token: string) => Reply | Promise<Reply>): Promise<Reply> => {
    const person = signedIn(call);
    return person ? tokenFor(person).then(answer) : Promise.resolve(json(401, { error: 'nobody is signed in' }));
  };

  return {
    'GET /widget': (call) =>
      anybody(call, async (token) => {
        const text = snippet(await trade(router, token, portal), BY_BACKEND, helpCenter);
        return show('The documented snippet. Its tokens come from this app’s backend.', text, [helpCenter]);
      }),
    'GET /helpcenter-token': (call) =>
      anybody(call, async (token) => json(200, { jwt: await trade(router, token, portal) })),
    'GET /widget-by-page': (call) =>
      anybody(call, () => {
        const text = snippet('', byPage(router, portal), helpCenter);
        return show('The same, but this page asks the router itself.', text, [helpCenter, router]);
      }),
    'GET /own-token': (call) => anybody(call, (token) => json(200, { token })),
  };
}

const json = (status: number, body: object): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
