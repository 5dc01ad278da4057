import { decodeJwt } from 'jose';
import type { AdapterPayload, InteractionResults } from 'oidc-provider';
import type { Identity } from '../core/environment.ts';
import type { PortalName } from '../core/names.ts';
import type { PortalRequest } from '../core/portal.ts';
import { ANSWER, ENDPOINTS, INTERACTION } from './addresses.ts';
import { readAsked } from './cookies.ts';
import type { Opened } from './opened.ts';

/** What the answer to an authorization request is bound to. */
const bound = (uid: string): string[] => ['answer', uid];

/** Whether this browser has an authorization request under way that is of this very portal: what one lets in, another may not. */
export function began({ sealer, partyOf }: Opened, { portal, params }: PortalRequest, browser: string): boolean {
  const request = readAsked(browser, params[INTERACTION] ?? '', sealer);
  return request !== undefined && partyOf(String(request.params?.client_id))?.portal === portal;
}

/**
 * Hands a login back to the authorization request that it was for; see `Provider.prepare`. The browser may have come here
 * by a form of another site, without its cookies; so the answer travels on in the address, under seal.
 */
export async function prepare(
  { settings, hooks, sealer, people }: Opened,
  { portal, params }: PortalRequest,
  identity: Identity,
): Promise<{ finish(): Promise<string> }> {
  const uid = params[INTERACTION] ?? '';
  const { subject, keep } = people.prepare(identity);
  return {
    async finish() {
      await keep();
      const answer = sealer.seal(bound(uid), JSON.stringify([portal, subject]), hooks.now());
      return `${settings.publicOrigin}${ENDPOINTS.authorization}/${uid}?${new URLSearchParams({ [ANSWER]: answer })}`;
    },
  };
}

/** What the library is to make of an answer; `undefined` where it is none to this request. */
export function resultOf(
  { sealer, partyOf }: Opened,
  uid: string,
  { params = {} }: AdapterPayload,
  answer: string,
): InteractionResults | undefined {
  const text = sealer.open(bound(uid), answer);
  if (text === undefined) return undefined;
  const [portal, subject] = JSON.parse(text) as [PortalName, string];
  if (partyOf(String(params.client_id))?.portal !== portal) return undefined;
  const { id_token_hint: hint } = params;
  // OIDC Core §3.1.2.1 (id_token_hint). The library has verified it; it would go on asking for ever.
  if (typeof hint === 'string' && decodeJwt(hint).sub !== subject)
    return { error: 'login_required', error_description: 'somebody else signed in' };
  return { login: { accountId: subject, remember: true }, consent: {}, select_account: {} };
}
