/** Leaving for an environment that a sign-out tells, so that one that hangs holds up nobody. */
import type { EnvironmentName } from '../core/names.ts';
import type { LogoutRun } from '../logout/plan.ts';
import type { Departure } from '../protocols/delegate.ts';
import { type Answer, page, redirect } from './answer.ts';
import { frameFor } from './pages/layout.ts';
import { leavingPage } from './pages/leaving.ts';
import type { Turn } from './turn.ts';

const GIVEN_UP = 'logout-given-up';

/**
 * Off to the first leg of this run, from a page that goes on without it after a while. A client that does not say that it
 * navigates (Fetch Metadata; every current browser does) is redirected: it could not give up anything.
 */
export function leaveFor(
  { surface, live, call, now }: Turn,
  run: LogoutRun,
  environment: EnvironmentName,
  departure: Departure,
  cookies: readonly string[],
): Answer {
  if ('url' in departure && call.header('sec-fetch-mode') !== 'navigate')
    return redirect(call.method, departure.url, cookies);
  const view = {
    environment: live.routes.environments.get(environment)?.title ?? environment,
    departure,
    // On this host, whatever it was called by: history may be rewritten within one origin only.
    without: `/logout/${surface.sealer.seal([GIVEN_UP], JSON.stringify(run), now)}`,
  };
  return page(200, leavingPage(frameFor(live, call.header('accept-language')), view), cookies);
}

/** The run whose first leg is given up at this address; `undefined` where it is not of this kind. */
export function readGivenUp({ surface }: Turn, sealed: string): LogoutRun | undefined {
  const text = surface.sealer.open([GIVEN_UP], sealed);
  return text === undefined ? undefined : (JSON.parse(text) as LogoutRun);
}
