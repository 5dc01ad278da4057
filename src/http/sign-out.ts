import type { PortalName } from '../core/names.ts';
import { Refusal } from '../core/reason.ts';
import { planLogout } from '../logout/plan.ts';
import type { Answer } from './answer.ts';
import { clearVisitCookies, readVisits } from './cookies.ts';
import { recordRun } from './logout-audit.ts';
import { follow } from './logout-legs.ts';
import { makeReference } from './state.ts';
import type { Turn } from './turn.ts';

/** The Remote Logout URL: ends all of this browser's visits to the portal. No parameter of it is believed. */
export function signOut(turn: Turn, name: PortalName): Promise<Answer> {
  const { surface, live, call, now, trace } = turn;
  const portal = live.routes.portals.get(name);
  if (!portal) throw new Refusal('portal_unknown', name);
  trace.portal = name;
  trace.reference = makeReference(surface.random);
  const homeUrl = live.portals.get(name)?.homeUrl;
  const visits = readVisits(call.cookies, name, surface.sealer);
  const run = planLogout(
    {
      ...live.logout,
      ...(homeUrl !== undefined && { homeUrl }),
      byProtocol: (environment) => live.delegates.get(environment)?.logout !== undefined,
    },
    portal,
    live.routes.environments,
    visits,
    { reference: trace.reference, now },
  );
  recordRun(turn, run, 'logout.started', run.origin ? 'visit_ended' : 'no_visit', run.origin?.environment);
  const sessions = new Map(visits.map(({ environment, session }) => [environment, session]));
  return follow(turn, run, clearVisitCookies(call.cookies, name), sessions);
}
