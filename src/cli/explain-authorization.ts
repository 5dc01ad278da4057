import type { CheckedRelyingParty, CheckedRoutes } from '../config/checked.ts';
import { Refusal } from '../core/reason.ts';
import type { Call } from '../http/call.ts';
import type { OpenPortal } from '../portals/portal.ts';
import { ENDPOINTS } from '../provider/addresses.ts';
import { openPartyPortal } from '../provider/party-portal.ts';

/**
 * An authorization request as the login that it leads to, of somebody without a session: the hints are its own. Whether
 * the relying party may ask for the rest of it is not judged. Throws `Refusal`.
 */
export function readAuthorization({ relyingParties }: CheckedRoutes, call: Call): { open: OpenPortal; call: Call } {
  const clientId = call.query.get('client_id');
  const party = [...relyingParties.values()].find((one) => one.party.clientId === clientId);
  if (!party) throw new Refusal('client_refused_here', 'unknown client');
  const picks = call.query.get('prompt')?.split(' ').includes('select_account');
  const query = picks ? new Map([...call.query, ['ask', 'picker']]) : call.query;
  return { open: openParty(party), call: { ...call, query } };
}

/** A relying party with what `explain` asks of a portal. */
export const openParty = ({ portal }: CheckedRelyingParty): OpenPortal => openPartyPortal(portal, [], []);

/** Where its logins begin; `search`: what else the request says, with its question mark. */
export const authorizationTarget = ({ party }: CheckedRelyingParty, search: string): string =>
  `${ENDPOINTS.authorization}?${new URLSearchParams({ client_id: party.clientId })}${search.replace('?', '&')}`;
