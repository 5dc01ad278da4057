/** A page of an app that asks the services behind it who somebody is, with tokens that the router minted for them. */
import type { OwnApp } from './environment.ts';
import { html } from './html.ts';
import { type Look, page } from './layout.ts';
import { type RouteTable, redirect } from './server.ts';
import { trade } from './trade.ts';

export type AppServicesOptions = {
  readonly look: Look;
  /** Origins, without a trailing slash. */
  readonly router: string;
  readonly downstream: string;
};

/** Names of portals in routes.yaml, and paths of the services. */
const SERVICES = ['billing', 'metrics'] as const;

export function appServicesRoutes(own: OwnApp, { look, router, downstream }: AppServicesOptions): RouteTable {
  return {
    'GET /services': async (call) => {
      const person = own.signedIn(call);
      if (!person) return redirect('/');
      const rows = await Promise.all(
        SERVICES.map(async (service) => {
          // One token of ours for each: the router takes it once.
          const token = await trade(router, await own.tokenFor(person), service);
          const answer = await fetch(`${downstream}/${service}`, { headers: { authorization: `Bearer ${token}` } });
          return html`<tr><th scope="row">${service}</th><td><code>${answer.status} ${await answer.text()}</code></td></tr>`;
        }),
      );
      const body = html`<p>This app’s backend traded its own token at the router, once for each service. The first shares a
secret with the router, the second reads the router’s published keys.</p>
<table>${rows}</table>
<p><a href="/">Home</a></p>`;
      return page(look, 'What the services behind this app say', body);
    },
  };
}
