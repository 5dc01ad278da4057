/**
 * How a portal token comes about, whichever door it leaves by: first `mint`, since what cannot be made must use nothing
 * up; then `claim`; only then may the token leave.
 */
import type { Identity } from '../core/environment.ts';
import type { PortalRequest } from '../core/portal.ts';
import { Refusal } from '../core/reason.ts';
import { makeUuid } from '../keys/random.ts';
import type { SingleUse } from '../store/store.ts';
import type { LivePortal } from './live.ts';
import type { Turn } from './turn.ts';

/** Signs for the portal of the request. Throws `Refusal` where its preset asks for more than the identity has. */
export async function mint(
  { surface, live, now }: Turn,
  request: PortalRequest,
  identity: Identity,
  how: 'login' | 'traded' = 'login',
): Promise<{ readonly to: LivePortal; readonly token: string }> {
  const to = live.portals.get(request.portal);
  if (!to) throw new Refusal('portal_unknown', request.portal);
  const minted = { now, id: makeUuid(surface.random) };
  const make = how === 'traded' ? (to.open.makeTradedClaims ?? to.open.makeClaims) : to.open.makeClaims;
  const claims = make(identity, request, minted);
  return { to, token: await to.signer.sign(claims) };
}

/** Exactly once, for all time: refused when any of the keys was claimed before, or when nobody can tell. */
export async function claim({ surface, now }: Turn, keys: readonly SingleUse[]): Promise<void> {
  const claimed = await surface.store.claim(keys, now).catch((error: unknown) => {
    throw new Refusal('store_unavailable', error instanceof Error ? error.message : undefined);
  });
  if (claimed !== 'first')
    throw new Refusal(/^(?:login|request):/.test(claimed.replayed) ? 'login_already_used' : 'jwt_replayed');
}
