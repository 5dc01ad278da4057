import type { EnvironmentName } from '../core/names.ts';
import type { Instant } from '../core/time.ts';
import { ROUTER_PARAMS } from '../portals/router-params.ts';
import type { LivePortal } from './live.ts';
import type { Turn } from './turn.ts';

/** Seconds after a login that ended well within which the portal does not ask for the same person again by itself. */
const AT_ONCE = 10;

/**
 * Records that the portal asks for somebody who has just been sent to it with a token: it may have refused that. A
 * refusal itself happens at the portal, where nobody of ours sees it. Who signed out has no visit, and is not meant.
 */
export function recordReturn(
  { surface, call, now }: Pick<Turn, 'surface' | 'call' | 'now'>,
  { open: { portal }, relyingParty }: Pick<LivePortal, 'open' | 'relyingParty'>,
  visits: readonly { readonly environment: EnvironmentName; readonly at: Instant }[],
): void {
  if (relyingParty || call.method !== 'GET') return;
  // On the way through our own pages nobody comes from the portal.
  for (const name of call.query.keys()) if (ROUTER_PARAMS.has(name)) return;
  const visit = visits.find(({ at }) => now >= at && now - at <= AT_ONCE);
  if (!visit) return;
  const { environment } = visit;
  surface.audit.record({ event: 'login.came_back', reason: 'came_back_at_once', portal: portal.name, environment });
}
