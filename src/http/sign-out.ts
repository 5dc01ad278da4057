import type { PortalName } from '../core/names.ts';
import { Refusal } from '../core/reason.ts';
import { type LogoutRun, planLogout } from '../logout/plan.ts';
import type { Answer } from './answer.ts';
import { clearVisitCookies, readVisits } from './cookies.ts';
import { endParties } from './end-parties.ts';
import { endRecords } from './end-recorded.ts';
import { recordRun } from './logout-audit.ts';
import { follow } from './logout-legs.ts';
import { tellBehind } from './logout-notices.ts';
import { makeReference } from './state.ts';
import type { Turn } from './turn.ts';

/** The Remote Logout URL: ends all of this browser's visits to the portal. No parameter of it is believed. */
export const signOut = (turn: Turn, name: PortalName): Promise<Answer> => endVisits(turn, name, [name]);

/**
 * Ends this browser's visits to the portals of `ends`, and goes on with the environments that they came through and the
 * relying parties that these signed in. The sign-out is that of the portal `name`, and ends at `next` where that is given.
 */
export async function endVisits(
  turn: Turn,
  name: PortalName,
  ends: readonly PortalName[],
  next?: string,
): Promise<Answer> {
  const { surface, live, call, now, trace } = turn;
  const portal = live.routes.portals.get(name);
  if (!portal) throw new Refusal('portal_unknown', name);
  trace.portal = name;
  trace.reference = makeReference(surface.random);
  const homeUrl = live.portals.get(name)?.homeUrl;
  const visits = ends.flatMap((ended) => readVisits(call.cookies, ended, surface.sealer));
  const planned = planLogout(
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
  const left = new Set(planned.legs.map(({ environment }) => environment));
  // The person leaves it, even where it has no way to be told.
  if (planned.origin) left.add(planned.origin.environment);
  const parties = await endParties(
    turn,
    ({ portal: party, environment }) => ends.includes(party) || left.has(environment),
  );
  const run: LogoutRun = {
    ...planned,
    // biome-ignore lint/suspicious/noThenProperty: a run is never awaited
    ...(next !== undefined && { then: next }),
    ...(parties.frames.length > 0 && { frames: parties.frames }),
  };
  endRecords(turn, visits);
  recordRun(turn, run, 'logout.started', run.origin ? 'visit_ended' : 'no_visit', run.origin?.environment);
  const sessions = new Map(visits.map(({ environment, session }) => [environment, session]));
  const cookies = [...ends.flatMap((ended) => clearVisitCookies(call.cookies, ended)), ...parties.cookies];
  return follow(turn, await tellBehind(turn, run, visits, parties.sessions), cookies, sessions);
}
