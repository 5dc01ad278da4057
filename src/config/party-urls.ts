import type { Path } from './problem.ts';
import type { PortalDraft } from './schema.ts';
import type { Asked } from './url-fault.ts';

/** A URL of a portal's `oidc`, where it stands in there, and what is asked of it. */
export type PartyUrl = { readonly at: Path; readonly url: string; readonly asked: Asked; readonly called: boolean };

/** What the router adds to these addresses (RFC 6749 §4.1.2, RFC 9207 §2, RP-Initiated Logout 1.0 §3, Front-Channel §2). */
const ANSWER: Asked = { reserved: ['code', 'state', 'iss', 'error', 'error_description'] };
const SIGNED_OUT: Asked = { reserved: ['state'] };
const FRAME: Asked = { reserved: ['iss', 'sid'] };

/** Every URL that a relying party names; `called`: by the router, the others are pages that browsers go to. */
export function partyUrls(oidc: PortalDraft['oidc']): PartyUrl[] {
  const urls: PartyUrl[] = [];
  const add = (at: Path, url: string | undefined, asked: Asked, called = false) => {
    if (url !== undefined) urls.push({ at, url, asked, called });
  };
  for (const [index, url] of (oidc?.redirect_uris ?? []).entries()) add(['redirect_uris', index], url, ANSWER);
  for (const [index, url] of (oidc?.post_logout_redirect_uris ?? []).entries())
    add(['post_logout_redirect_uris', index], url, SIGNED_OUT);
  add(['frontchannel_logout_uri'], oidc?.frontchannel_logout_uri, FRAME);
  add(['backchannel_logout_uri'], oidc?.backchannel_logout_uri, {}, true);
  return urls;
}
