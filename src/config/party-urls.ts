import type { Path } from './problem.ts';
import type { PortalDraft } from './schema.ts';

/** A URL of a portal's `oidc`, and where it stands in there. */
export type PartyUrl = { readonly at: Path; readonly url: string; readonly called: boolean };

/** Every URL that a relying party names; `called`: by the router, the others are pages that browsers go to. */
export function partyUrls(oidc: PortalDraft['oidc']): PartyUrl[] {
  const urls: PartyUrl[] = [];
  const add = (at: Path, url: string | undefined, called = false) => {
    if (url !== undefined) urls.push({ at, url, called });
  };
  for (const [index, url] of (oidc?.redirect_uris ?? []).entries()) add(['redirect_uris', index], url);
  for (const [index, url] of (oidc?.post_logout_redirect_uris ?? []).entries())
    add(['post_logout_redirect_uris', index], url);
  add(['frontchannel_logout_uri'], oidc?.frontchannel_logout_uri);
  add(['backchannel_logout_uri'], oidc?.backchannel_logout_uri, true);
  return urls;
}
