import { pickable } from '../core/discovery.ts';
import type { LogoutRun } from '../logout/plan.ts';
import { type Answer, page, redirect } from './answer.ts';
import { MOST_WITHOUT_SEARCH } from './directory.ts';
import { recordRun } from './logout-audit.ts';
import { frameFor } from './pages/layout.ts';
import { signedOutPage } from './pages/signed-out.ts';
import type { Turn } from './turn.ts';

/** How long the pages of relying parties may take. Seconds. */
const FRAMES_SECONDS = 2;

/** The end of a sign-out: the right app, the portal, or a page that says so. */
export function signedOut(turn: Turn, run: LogoutRun, cookies: readonly string[]): Answer {
  const { live, call } = turn;
  recordRun(turn, run, 'logout.completed', run.origin ? 'visit_ended' : 'no_visit', run.origin?.environment);
  const { frames = [], then } = run;
  if (then !== undefined && frames.length === 0) return redirect(call.method, then, cookies);

  const portal = live.routes.portals.get(run.portal);
  const shown = page(
    200,
    signedOutPage(frameFor(live, call.header('accept-language')), {
      portal: portal?.title ?? run.portal,
      knew: run.origin !== undefined,
      apps: appsAfter(turn, run),
      frames,
    }),
    cookies,
  );
  if (then === undefined) return shown;
  // The frames have this long; whoever wants to go on at once has the link.
  return { ...shown, headers: { ...shown.headers, refresh: `${FRAMES_SECONDS}; url=${then}` } };
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
