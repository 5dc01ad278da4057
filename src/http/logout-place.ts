/**
 * How far a sign-out has come, kept by the browser once a leg was given up. That leg's way back is still open: somebody may
 * go back, or the environment wake up in another tab. Whoever comes that way comes to where the run is now.
 */
import { type LogoutRun, RUN_LIFETIME } from '../logout/plan.ts';
import { readPlace, setPlaceCookie } from './cookies.ts';
import type { Turn } from './turn.ts';

const PLACE = 'logout-place';

/** The cookie that keeps it, where it is needed. */
export function keepPlace({ surface, now }: Turn, run: LogoutRun): string[] {
  if (!run.gaveUp) return [];
  const { frames: _, ...place } = run;
  const sealed = surface.sealer.seal([PLACE, run.reference], JSON.stringify(place), now);
  return [setPlaceCookie(run.reference, sealed, RUN_LIFETIME)];
}

/** Where the sign-out of this reference is, without the pages that are to be loaded at its end. */
export function placeOf({ surface, call }: Turn, reference: string): LogoutRun | undefined {
  const sealed = readPlace(call.cookies, reference);
  const text = sealed && surface.sealer.open([PLACE, reference], sealed);
  return text ? (JSON.parse(text) as LogoutRun) : undefined;
}

/** This run, as it came back, at the place where it is now. */
export function atItsPlace(turn: Turn, run: LogoutRun): LogoutRun {
  const place = placeOf(turn, run.reference);
  return place ? { ...place, ...(run.frames && { frames: run.frames }) } : run;
}
