/** Where people sign in: one party for each environment of the routes. */
import { appServicesRoutes } from './app-services.ts';
import { appWidgetRoutes } from './app-widget.ts';
import { type EnvironmentOptions, openEnvironment } from './environment.ts';
import type { AppLinks } from './environment-pages.ts';
import { openIdentityProvider } from './identity-provider.ts';
import type { Look } from './layout.ts';
import { EU_PEOPLE, GLOBEX_PEOPLE, US_PEOPLE } from './people.ts';
import { openPylonInstallation } from './pylon-installation.ts';
import { openPylonsyncInstallation } from './pylonsync-installation.ts';
import { ORG_SLUG, type Setting } from './setting.ts';
import { openSharedSession } from './shared-session.ts';

export type EnvironmentName = 'us' | 'eu' | 'globex' | 'wonka' | 'account' | 'soylent' | 'initrode';

const US_LOOK: Look = { party: 'Acme United States', role: 'stand-in for your application', accent: '#1f5a96' };

/** Resolves to their origins. */
export async function openEnvironments(setting: Setting): Promise<Readonly<Record<EnvironmentName, string>>> {
  const { ports, router, portal, helpCenter, downstream, secrets, now, opened } = setting;
  const callback = `${portal}/callback/jwt?orgSlug=${ORG_SLUG}`;
  const linksOf = (name: EnvironmentName): AppLinks => {
    const entry = `${router}/enter/${name}/support`;
    const article = `${entry}?redirect_uri=${encodeURIComponent(`${callback}&to=/articles/refunds`)}`;
    return { helpCenter: entry, article, portalLogin: `${portal}/login` };
  };
  const openRegion = (
    name: 'us' | 'eu' | 'globex',
    own: Pick<EnvironmentOptions, 'look' | 'people' | 'secret' | 'pages'>,
    more: AppLinks['more'] = [],
  ) => opened(openEnvironment({ ...own, name, port: ports[name], router, links: { ...linksOf(name), more }, now }));

  const us = await openRegion(
    'us',
    {
      look: US_LOOK,
      people: US_PEOPLE,
      secret: secrets.US_HANDOFF_SECRET,
      pages: (own) => ({
        ...appWidgetRoutes(own, { look: US_LOOK, router, helpCenter, portal: 'help' }),
        ...appServicesRoutes(own, { look: US_LOOK, router, downstream }),
      }),
    },
    [
      { href: `${helpCenter}/`, text: 'The other help center', about: 'the one of HelpCenter.io' },
      { href: '/widget', text: 'Help right here', about: 'its widget, as documented' },
      { href: '/widget-by-page', text: 'Help right here, by this page', about: 'the page asks the router itself' },
      { href: '/services', text: 'Services behind this app', about: 'what they hear from the router' },
    ],
  );
  const eu = await openRegion('eu', {
    look: { party: 'Acme Europe', role: 'stand-in for your application', accent: '#1c6b4a' },
    people: EU_PEOPLE,
    secret: secrets.EU_HANDOFF_SECRET,
  });
  const globex = await openRegion('globex', {
    look: { party: 'Globex', role: 'stand-in for a customer’s own installation', accent: '#8a4413' },
    people: GLOBEX_PEOPLE,
  });
  const wonka = await opened(
    openIdentityProvider({
      port: ports.wonka,
      clientId: 'wayhome',
      clientSecret: secrets.WONKA_CLIENT_SECRET,
      redirectUri: `${router}/return/wonka`,
      postLogoutRedirectUri: `${router}/return/wonka/logout`,
      links: linksOf('wonka'),
    }),
  );
  const account = await opened(
    openSharedSession({ port: ports.account, name: 'account', router, links: linksOf('account') }),
  );
  const soylent = await opened(
    openPylonInstallation({
      port: ports.soylent,
      origin: `http://soylent.localhost:${ports.router}`,
      router,
      portal,
      callback,
      secret: secrets.SOYLENT_SECRET,
      now,
    }),
  );
  const initrode = await opened(
    openPylonsyncInstallation({
      port: ports.initrode,
      name: 'initrode',
      router,
      links: linksOf('initrode'),
      now,
    }),
  );
  return {
    us: us.origin,
    eu: eu.origin,
    globex: globex.origin,
    wonka: wonka.origin,
    account: account.origin,
    soylent: soylent.origin,
    initrode: initrode.origin,
  };
}
