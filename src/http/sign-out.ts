import type { LogoutReason } from '../core/audit.ts';
import { pickable } from '../core/discovery.ts';
import type { EnvironmentName, PortalName } from '../core/names.ts';
import { Refusal } from '../core/reason.ts';
import { type LogoutRun, planLogout, RUN_LIFETIME } from '../logout/plan.ts';
import { type Answer, appendParam, page, redirect } from './answer.ts';
import { clearVisitCookies, readVisits } from './cookies.ts';
import { MOST_WITHOUT_SEARCH } from './directory.ts';
import { frameFor } from './pages/layout.ts';
import { signedOutPage } from './pages/signed-out.ts';
import { makeReference } from './state.ts';
import type { Turn } from './turn.ts';

const RUN = ['logout-run'];

/** The Remote Logout URL: ends all of this browser's visits to the portal. No parameter of it is believed. */
export function signOut(turn: Turn, name: PortalName): Answer {
  const { surface, live, call, now, trace } = turn;
  const portal = live.routes.portals.get(name);
  if (!portal) throw new Refusal('portal_unknown', name);
  trace.portal = name;
  trace.reference = makeReference(surface.random);
  const homeUrl = live.portals.get(name)?.homeUrl;
  const visits = readVisits(call.cookies, name, surface.sealer);
  const run = planLogout(
    { ...live.logout, ...(homeUrl !== undefined && { homeUrl }) },
    portal,
    live.routes.environments,
    visits,
    {
      reference: trace.reference,
      now,
    },
  );
  record(turn, run, 'logout.started', run.origin ? 'visit_ended' : 'no_visit', run.origin?.environment);
  return follow(turn, run, clearVisitCookies(call.cookies, name));
}

/** `/logout/<run>`: an environment that was told sent the browser back; on to the next one, or to the end. */
export function continueSignOut(turn: Turn, sealed: string): Answer {
  const { surface, now, trace } = turn;
  const text = surface.sealer.open(RUN, sealed);
  if (text === undefined) throw new Refusal('address_unknown', 'not a logout run of this router');
  const run = JSON.parse(text) as LogoutRun;
  trace.portal = run.portal;
  trace.reference = run.reference;
  const [told, ...legs] = run.legs;
  if (told) record(turn, run, 'logout.leg', 'leg_returned', told.environment);
  // A late come-back still ends at the right app; it only tells nobody else.
  return follow(turn, { ...run, legs: now - run.startedAt > RUN_LIFETIME ? [] : legs });
}

function follow(turn: Turn, run: LogoutRun, cookies?: readonly string[]): Answer {
  const { surface, live, call, now } = turn;
  const [next] = run.legs;
  if (next) {
    record(turn, run, 'logout.leg', 'leg_departed', next.environment);
    const back = `${live.publicOrigin}/logout/${surface.sealer.seal(RUN, JSON.stringify(run), now)}`;
    return redirect(call.method, appendParam(next.front.url, next.front.returnParam, back), cookies);
  }
  record(turn, run, 'logout.completed', run.origin ? 'visit_ended' : 'no_visit', run.origin?.environment);
  if (run.then !== undefined) return redirect(call.method, run.then, cookies);

  const portal = live.routes.portals.get(run.portal);
  return page(
    200,
    signedOutPage(frameFor(live, call.header('accept-language')), {
      portal: portal?.title ?? run.portal,
      knew: run.origin !== undefined,
      apps: appsAfter(turn, run),
    }),
    cookies,
  );
}

/** The app that the person came from, or, where nobody knows, those that anybody may see, unless they are a crowd. */
function appsAfter(
  { live: { routes }, now }: Turn,
  { origin, portal: name }: LogoutRun,
): { title: string; url: string }[] {
  if (origin) {
    const title = routes.environments.get(origin.environment)?.title ?? new URL(origin.appUrl).host;
    return [{ title, url: origin.appUrl }];
  }
  const portal = routes.portals.get(name);
  const listed = portal ? pickable(routes.environments, portal, now) : [];
  return listed.length > MOST_WITHOUT_SEARCH ? [] : listed.map(({ title, appUrl }) => ({ title, url: appUrl }));
}

function record(
  { surface }: Turn,
  run: LogoutRun,
  event: 'logout.started' | 'logout.leg' | 'logout.completed',
  reason: LogoutReason,
  environment: EnvironmentName | undefined,
): void {
  const { reference, portal } = run;
  surface.audit.record({ event, reason, reference, portal, ...(environment && { environment }) });
}
