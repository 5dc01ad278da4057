/** Who sends people to the router, or takes its tokens. */
import { openDownstream } from './downstream.ts';
import { openHelpCenter } from './help-center.ts';
import { openPortal } from './portal.ts';
import { ORG_SLUG, type Setting } from './setting.ts';

export async function openPortals({ ports, router, secrets, now, opened }: Setting): Promise<void> {
  await opened(
    openPortal({
      port: ports.portal,
      orgSlug: ORG_SLUG,
      loginUrl: `${router}/callback`,
      logoutUrl: `${router}/logout`,
      secret: secrets.PYLON_SHARED_SECRET,
      now,
    }),
  );
  await opened(
    openHelpCenter({
      port: ports.helpCenter,
      subdomain: 'acme',
      loginUrl: `${router}/help`,
      logoutUrl: `${router}/help/logout`,
      settings: () => ({
        secret: secrets.HELPCENTER_SHARED_SECRET,
        issuer: `${router}/`,
        suspended: ['jonas@werk.example'],
      }),
      now,
    }),
  );
  await opened(openDownstream({ port: ports.downstream, issuer: `${router}/`, secret: secrets.BILLING_SECRET, now }));
}
