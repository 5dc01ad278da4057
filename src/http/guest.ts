import type { PortalRequest } from '../core/portal.ts';
import { makeUuid } from '../keys/random.ts';
import { type Answer, appendParam } from './answer.ts';
import type { LivePortal } from './live.ts';
import { askedAgain } from './login-url.ts';
import { carryOut } from './proceed.ts';
import { makeReference } from './state.ts';
import type { Turn } from './turn.ts';

/** Where a person goes on without signing in; absent where the portal takes nobody without a name. */
export const guestUrl = ({ open, loginPath }: LivePortal, request: PortalRequest): string | undefined =>
  open.makeGuestClaims && appendParam(askedAgain(loginPath, request), 'guest', '1');

/** Back to the portal with its word for a visitor whom nobody signed in. `undefined` where nobody asked for that. */
export async function goAsGuest(turn: Turn, to: LivePortal, request: PortalRequest): Promise<Answer | undefined> {
  const { surface, call, now, trace } = turn;
  if (!to.open.makeGuestClaims || !call.query.has('guest')) return undefined;
  const claims = to.open.makeGuestClaims(request, { now, id: makeUuid(surface.random) });
  const delivery = to.open.deliver(request, await to.signer.sign(claims));
  trace.reference = makeReference(surface.random);
  surface.audit.record({
    event: 'token.minted',
    reason: 'guest',
    reference: trace.reference,
    portal: request.portal,
    initiated: request.initiated,
  });
  return carryOut(turn, delivery.mode === 'redirect' ? { url: delivery.url } : delivery, to.open.portal.title);
}
