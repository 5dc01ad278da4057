/** `/logout/<run>` once all has been done that can be: how far the sign-out has come, as far as anybody knows. */
import { Refusal } from '../core/reason.ts';
import { type Lane, ownerOf } from '../logout/lane.ts';
import { type LogoutRun, RUN_LIFETIME } from '../logout/plan.ts';
import type { Notice } from '../store/notices.ts';
import { type Answer, page } from './answer.ts';
import { FRAMES_SECONDS } from './pages/frames.ts';
import { frameFor } from './pages/layout.ts';
import { LEG_STATES, type LegState, progressPage } from './pages/progress.ts';
import type { Turn } from './turn.ts';

const PROGRESS = 'logout-progress';

/** Seconds between two looks. */
const LOOK_EVERY = 3;

/**
 * Seconds from the start of a sign-out for which the page looks again by itself: less where it goes on to somewhere.
 */
const LOOKS_FOR = 60;
const LOOKS_ON_THE_WAY = 10;

/** The notices of a run; `undefined` where the store cannot say. */
export type Known = readonly Notice[] | undefined;

/** Whether an environment has not answered the browser, or one that is told behind the person's back may not know yet. */
export const isUnsettled = (run: LogoutRun, known: Known): boolean =>
  [...legsOf(run, known).values()].includes('no_answer') ||
  (run.told ?? []).some((name) => !['told', 'fetched', undefined].includes(noticeState(name, known)));

/** Whether there is anything to say about anybody. */
export const hasProgress = (run: LogoutRun, known: Known): boolean => legsOf(run, known).size > 0;

/** Sealed, so nobody finds one; whoever has it reads titles of environments, and no more. */
export function progressAddress({ surface, live, now }: Turn, { legs: _, ...run }: LogoutRun): string {
  return `${live.publicOrigin}/logout/${surface.sealer.seal([PROGRESS], JSON.stringify(run), now)}`;
}

/** `undefined` where the address is not of this kind. */
export async function showProgress(turn: Turn, sealed: string): Promise<Answer | undefined> {
  const { surface, now, trace } = turn;
  const text = surface.sealer.open([PROGRESS], sealed);
  if (text === undefined) return undefined;
  const run: LogoutRun = { ...(JSON.parse(text) as Omit<LogoutRun, 'legs'>), legs: [] };
  trace.portal = run.portal;
  trace.reference = run.reference;
  if (now - run.startedAt > RUN_LIFETIME) throw new Refusal('address_unknown', 'a sign-out of some time ago');
  const known = run.told ? await surface.outbox.progress(run.reference, 0).catch(() => undefined) : [];
  return progress(turn, run, known);
}

/** The page, and where the browser goes from it by itself: to another look, then to the right app. */
export function progress(turn: Turn, run: LogoutRun, known: Known, cookies?: readonly string[]): Answer {
  const { live, call, now } = turn;
  const { frames = [], then, origin } = run;
  const legs = legsOf(run, known);
  const states = [...legs.values()];
  const open = isUnsettled(run, known) && states.some((state) => ['under_way', 'retried', 'unknown'].includes(state));
  const portal = live.routes.portals.get(run.portal)?.title ?? run.portal;
  const url = then ?? origin?.appUrl;
  const place = origin && url === origin.appUrl ? titleOf(live, origin.environment) : portal;
  const view = {
    portal,
    legs: [...legs].map(([lane, state]) => ({ environment: titleOf(live, lane), state })),
    open,
    ...(url !== undefined && { onward: { place, url } }),
    frames,
  };
  const shown = page(200, progressPage(frameFor(live, call.header('accept-language')), view), cookies);
  // Frames have done their work by the next look.
  const { frames: _, ...rest } = run;
  const lookUntil = run.startedAt + (then === undefined ? LOOKS_FOR : LOOKS_ON_THE_WAY);
  if (open && now < lookUntil) return lookingAgain(shown, LOOK_EVERY, progressAddress(turn, rest));
  // Who may still be signed in somewhere, and nobody will tell it, has to read that before they go on.
  const stays = states.includes('not_told') || states.includes('unknown');
  if (then !== undefined && !stays) return lookingAgain(shown, Math.max(LOOK_EVERY, FRAMES_SECONDS), then);
  return shown;
}

const lookingAgain = (shown: Answer, seconds: number, url: string): Answer => ({
  ...shown,
  headers: { ...shown.headers, refresh: `${seconds}; url=${url}` },
});

/** What a person calls whom a sign-out tells. */
export function titleOf({ routes }: Turn['live'], lane: Lane): string {
  const { environment, portal } = ownerOf(lane);
  if (environment !== undefined) return routes.environments.get(environment)?.title ?? environment;
  return routes.portals.get(portal)?.title ?? portal;
}

/** One line for each environment and relying party: where it is told in two ways, the one that is less sure. */
function legsOf({ outcomes = [], told = [], untold = [] }: LogoutRun, known: Known): Map<Lane, LegState> {
  const legs = new Map<Lane, LegState>();
  const add = (name: Lane, state: LegState | undefined) => {
    if (state === undefined) return;
    const before = legs.get(name);
    if (before === undefined || LEG_STATES.indexOf(state) > LEG_STATES.indexOf(before)) legs.set(name, state);
  };
  for (const [name, outcome] of outcomes) {
    // Of one that did not answer, the word that it gets behind the person's back says more.
    const said = outcome === 'no_answer' && told.includes(name) ? noticeState(name, known) : undefined;
    add(name, said ?? outcome);
  }
  for (const name of told) add(name, noticeState(name, known));
  for (const name of untold) add(name, 'not_told');
  return legs;
}

/** `undefined` where an earlier sign-out told of the same visit: it is that one's to bring it there. */
function noticeState(name: Lane, known: Known): LegState | undefined {
  if (!known) return 'unknown';
  const states = known.filter(({ lane }) => lane === name).map(stateOf);
  return LEG_STATES.findLast((state) => states.includes(state));
}

function stateOf({ state, by, attempts }: Notice): LegState {
  if (state === 'delivered') return 'told';
  if (state === 'dead') return 'not_told';
  if (by === 'pull') return 'fetched';
  return attempts > 0 ? 'retried' : 'under_way';
}
