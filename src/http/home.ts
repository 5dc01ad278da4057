import type { Identity } from '../core/environment.ts';
import type { PortalRequest } from '../core/portal.ts';
import type { Departure } from '../protocols/delegate.ts';
import { mint } from './mint.ts';
import type { Turn } from './turn.ts';

/**
 * The way back to a portal: a portal token, or for a relying party the rest of its authorization request. Whatever can
 * refuse the person does so here and throws `Refusal`; nothing has left before the way is gone.
 */
export async function prepareHome(
  turn: Turn,
  request: PortalRequest,
  identity: Identity,
): Promise<() => Departure | Promise<Departure>> {
  const { provider, portals } = turn.live;
  if (provider && portals.get(request.portal)?.relyingParty) {
    const { finish } = await provider.prepare(request, identity);
    return async () => ({ url: await finish() });
  }
  const { to, token } = await mint(turn, request, identity);
  const delivery = to.open.deliver(request, token);
  return () => (delivery.mode === 'redirect' ? { url: delivery.url } : delivery);
}
