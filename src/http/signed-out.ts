import { pickable } from '../core/discovery.ts';
import type { LogoutRun } from '../logout/plan.ts';
import type { Departure } from '../protocols/delegate.ts';
import { type Answer, page, redirect } from './answer.ts';
import { MOST_WITHOUT_SEARCH } from './directory.ts';
import { recordRun } from './logout-audit.ts';
import { FRAMES_SECONDS } from './pages/frames.ts';
import { handBackPage } from './pages/hand-back.ts';
import { frameFor } from './pages/layout.ts';
import { signedOutPage } from './pages/signed-out.ts';
import { carryOut } from './proceed.ts';
import { hasProgress, isUnsettled, type Known, progress, progressAddress, titleOf } from './progress.ts';
import type { Turn } from './turn.ts';

/** The end of a sign-out: the right app, the portal, or a page that says so. */
export function signedOut(turn: Turn, run: LogoutRun, cookies: readonly string[], known: Known): Answer {
  const { live, call } = turn;
  recordRun(turn, run, 'logout.completed', run.origin ? 'visit_ended' : 'no_visit', run.origin?.environment);
  const { frames = [], untold = [], then } = run;
  if (isUnsettled(run, known)) return redirect(call.method, progressAddress(turn, run), cookies);
  if (then === undefined && hasProgress(run, known)) return progress(turn, run, known, cookies);
  // Who may still be signed in somewhere has to read it before they go on.
  const goesOn = then !== undefined && untold.length === 0;
  if (goesOn && frames.length === 0) return redirect(call.method, then, cookies);

  const portal = live.routes.portals.get(run.portal);
  const shown = page(
    200,
    signedOutPage(frameFor(live, call.header('accept-language')), {
      portal: portal?.title ?? run.portal,
      knew: run.origin !== undefined,
      untold: untold.map((lane) => titleOf(live, lane)),
      apps: appsAfter(turn, run),
      frames,
    }),
    cookies,
  );
  return goesOn ? goingOn(shown, then) : shown;
}

/** Back to the environment that ended its session itself, after the pages of relying parties. `place`: its title. */
export function replyTo(
  turn: Turn,
  reply: Departure,
  place: string,
  frames: readonly string[],
  cookies: readonly string[],
): Answer {
  if (frames.length === 0) return carryOut(turn, reply, place, cookies, true);
  const frame = frameFor(turn.live, turn.call.header('accept-language'));
  if (!('url' in reply)) return page(200, handBackPage(frame, { place, signsOut: true, frames, ...reply }), cookies);
  const apps = [{ title: place, url: reply.url }];
  return goingOn(page(200, signedOutPage(frame, { portal: place, knew: true, apps, frames }), cookies), reply.url);
}

/** The frames have this long; whoever wants to go on at once has the link. */
const goingOn = (shown: Answer, url: string): Answer => ({
  ...shown,
  headers: { ...shown.headers, refresh: `${FRAMES_SECONDS}; url=${url}` },
});

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
