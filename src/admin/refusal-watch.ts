import type { Outcome } from '../core/audit.ts';
import type { PortalName } from '../core/names.ts';
import type { Clock, Instant } from '../core/time.ts';

/** Outcomes are weighed over this time. Seconds. */
const WINDOW = 300;

/** So many people have to come back at once, and at least this share of those who were let in. */
const FEWEST = 5;
const SHARE = 0.25;

type Window = { readonly since: Instant; completed: number; returned: number; raised: boolean };

/**
 * Listens to outcomes and raises `portal.refusals_suspected` when a portal sends many people back right after they got
 * a token for it: most likely it refuses our tokens, because secret, issuer or clock are no longer the same on both
 * sides. Once in five minutes for each portal; one process counts for itself.
 */
export function openRefusalWatch(clock: Clock, raise: (outcome: Outcome) => void): (outcome: Outcome) => void {
  const windows = new Map<PortalName, Window>();
  const windowOf = (portal: PortalName): Window => {
    const now = clock();
    const known = windows.get(portal);
    if (known && now >= known.since && now - known.since < WINDOW) return known;
    const window = { since: now, completed: 0, returned: 0, raised: false };
    windows.set(portal, window);
    return window;
  };
  return ({ event, portal }) => {
    if (portal === undefined) return;
    if (event === 'login.completed') windowOf(portal).completed++;
    if (event !== 'login.came_back') return;
    const window = windowOf(portal);
    window.returned++;
    const { returned, completed, raised } = window;
    if (raised || returned < FEWEST || returned < completed * SHARE) return;
    window.raised = true;
    const detail = `${returned} came back within seconds, of ${completed} logins`;
    raise({ event: 'portal.refusals_suspected', reason: 'came_back_at_once', portal, detail });
  };
}
