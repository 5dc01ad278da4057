/**
 * The legs of a sign-out, one after the other: each departs to an environment and comes back to the run, which
 * travels with the browser. No environment can hold up the others or the person, whatever it answers.
 */
import type { EnvironmentName, PortalName } from '../core/names.ts';
import { Refusal } from '../core/reason.ts';
import type { Visit } from '../core/visit.ts';
import { type LegOutcome, type LogoutRun, RUN_LIFETIME } from '../logout/plan.ts';
import type { BeginLogout, LogoutNotice } from '../protocols/delegate.ts';
import type { PartySession } from '../provider/provider.ts';
import { type Answer, appendParam } from './answer.ts';
import { parameters } from './call.ts';
import { clearLeavingCookie, clearVisitCookie, readLeaving, readVisits, setLeavingCookie } from './cookies.ts';
import { endParties } from './end-parties.ts';
import { endRequested } from './end-recorded.ts';
import { leaveFor, readGivenUp } from './leave.ts';
import { detailOf, recordRun } from './logout-audit.ts';
import { waitForTold } from './logout-notices.ts';
import { atItsPlace, keepPlace, placeOf } from './logout-place.ts';
import { showProgress } from './progress.ts';
import { replyTo, signedOut } from './signed-out.ts';
import { makeReference } from './state.ts';
import type { Turn } from './turn.ts';

const RUN = 'logout-run';
const SESSION = 'logout-session';

/** `/logout/<run>`: an environment that was told sent the browser back, or did not; on to the next one, or to the end. */
export function continueSignOut(turn: Turn, sealed: string): Promise<Answer> {
  const text = turn.surface.sealer.open([RUN], sealed);
  if (text !== undefined) return legOver(turn, JSON.parse(text) as LogoutRun, 'leg_returned');
  const givenUp = readGivenUp(turn, sealed);
  return givenUp ? legOver(turn, givenUp, 'leg_given_up') : progressOf(turn, sealed);
}

async function progressOf(turn: Turn, sealed: string): Promise<Answer> {
  const shown = await showProgress(turn, sealed);
  if (!shown) throw new Refusal('address_unknown', 'not a logout run of this router');
  return shown;
}

/** `/return/<environment>/logout`: the same in the words of the environment's protocol; or a request of its own. */
export async function finishLeg(turn: Turn, name: EnvironmentName): Promise<Answer> {
  const { surface, live, call, now, trace } = turn;
  const delegate = live.delegates.get(name);
  if (!delegate?.logout) throw new Refusal('address_unknown', `environment ${name}`);
  trace.environment = name;
  const params = parameters(call);
  const notice = await delegate.logout.receive?.(params, now);
  if (notice) return endByEnvironment(turn, name, notice);

  const state = params.get(delegate.stateParam ?? 'state');
  if (!state) throw new Refusal('state_missing');
  const sealed = readLeaving(call.cookies, state) ?? state;
  const text = surface.sealer.open([RUN, name], sealed);
  if (text === undefined) {
    // A leg that was given up, and whose seal in its cookie has been replaced since.
    const place = placeOf(turn, state);
    if (place) return follow(turn, inTime(turn, place));
    throw new Refusal('state_invalid', 'not a sign-out of this router');
  }
  const [run, carry] = JSON.parse(text) as [LogoutRun, string | null];
  try {
    await delegate.logout.complete(params, carry === null ? {} : { carry }, now);
  } catch (error) {
    // Whatever the environment says, the person is on the way out.
    return legOver(turn, run, 'leg_not_confirmed', detailOf(error));
  }
  return legOver(turn, run, 'leg_returned');
}

const OUTCOMES = { leg_returned: 'told', leg_not_confirmed: 'not_confirmed', leg_given_up: 'no_answer' } as const;

function legOver(turn: Turn, came: LogoutRun, reason: keyof typeof OUTCOMES, detail?: string): Promise<Answer> {
  const { trace } = turn;
  trace.portal = came.portal;
  trace.reference = came.reference;
  const [leg] = came.legs;
  const run = atItsPlace(turn, came);
  const isOpen = run.legs.some(({ environment }) => environment === leg?.environment);
  // Whoever gives up a leg that is over reloads a page, or goes back to it.
  if (!leg || (reason === 'leg_given_up' && !isOpen)) return follow(turn, inTime(turn, run));
  recordRun(turn, run, 'logout.leg', reason, leg.environment, detail);
  const next = withOutcome(run, leg.environment, OUTCOMES[reason]);
  return follow(turn, inTime(turn, reason === 'leg_given_up' ? { ...next, gaveUp: true } : next));
}

/** A late come-back still ends at the right app; it only tells nobody else. */
const inTime = ({ now }: Turn, run: LogoutRun): LogoutRun =>
  now - run.startedAt > RUN_LIFETIME ? { ...run, legs: [] } : run;

/** Its leg is over; should it have been over before, what is known now counts. */
const withOutcome = (run: LogoutRun, environment: EnvironmentName, outcome: LegOutcome): LogoutRun => ({
  ...run,
  legs: run.legs.filter((leg) => leg.environment !== environment),
  outcomes: [...(run.outcomes ?? []).filter(([name]) => name !== environment), [environment, outcome]],
});

type Sessions = ReadonlyMap<EnvironmentName, string | undefined>;

/**
 * On to the first leg that can be told. `sessions` stands in the visits at the start, and in cookies of the run later.
 */
export async function follow(turn: Turn, begun: LogoutRun, cookies: readonly string[] = [], sessions?: Sessions) {
  const { surface, live, call, now } = turn;
  const { sealer } = surface;
  const lines = [...cookies];
  let run = begun;
  for (const leg of begun.legs) {
    const { environment, front } = leg;
    const rest = run;
    if (front) {
      recordRun(turn, run, 'logout.leg', 'leg_departed', environment);
      lines.push(...keepSessions(turn, rest, sessions), ...keepPlace(turn, rest));
      const back = `${live.publicOrigin}/logout/${sealer.seal([RUN], JSON.stringify(rest), now)}`;
      return leaveFor(turn, rest, environment, { url: appendParam(front.url, front.returnParam, back) }, lines);
    }
    const session = sessions ? sessions.get(environment) : keptSession(turn, run, environment);
    if (!sessions && session !== undefined) lines.push(clearLeavingCookie(run.reference, environment));
    const seal = (carry?: string) => sealer.seal([RUN, environment], JSON.stringify([rest, carry ?? null]), now);
    const departure = await departLeg(turn, run, environment, {
      ...(session !== undefined && { session }),
      state: seal,
      shortState: (carry) => {
        lines.push(setLeavingCookie(run.reference, undefined, seal(carry), RUN_LIFETIME));
        return run.reference;
      },
    });
    if (departure) {
      lines.push(...keepSessions(turn, rest, sessions), ...keepPlace(turn, rest));
      return leaveFor(turn, rest, environment, departure, lines);
    }
    run = withOutcome(run, environment, 'not_told');
  }
  if (readLeaving(call.cookies, run.reference)) lines.push(clearLeavingCookie(run.reference));
  lines.push(...keepPlace(turn, run));
  return signedOut(turn, run, lines, await waitForTold(turn, run));
}

async function departLeg(turn: Turn, run: LogoutRun, environment: EnvironmentName, logout: BeginLogout) {
  const ends = turn.live.delegates.get(environment)?.logout;
  try {
    const departure = await ends?.begin(logout, turn.now);
    recordRun(turn, run, 'logout.leg', departure ? 'leg_departed' : 'leg_skipped', environment);
    return departure;
  } catch (error) {
    recordRun(turn, run, 'logout.leg', 'leg_failed', environment, detailOf(error));
    return undefined;
  }
}

/** What later legs need travels in cookies of its own: the visits that held it are over. */
function keepSessions({ surface, now }: Turn, { reference, legs }: LogoutRun, sessions?: Sessions): string[] {
  return legs.slice(1).flatMap(({ environment, front }) => {
    const session = front ? undefined : sessions?.get(environment);
    if (session === undefined) return [];
    const sealed = surface.sealer.seal([SESSION, reference, environment], session, now);
    return [setLeavingCookie(reference, environment, sealed, RUN_LIFETIME)];
  });
}

function keptSession({ surface, call }: Turn, { reference }: LogoutRun, name: EnvironmentName): string | undefined {
  const sealed = readLeaving(call.cookies, reference, name);
  return sealed === undefined ? undefined : surface.sealer.open([SESSION, reference, name], sealed);
}

/** An environment ends its own session: this browser's visits of that session, to whichever portal, are over. */
async function endByEnvironment(turn: Turn, name: EnvironmentName, notice: LogoutNotice): Promise<Answer> {
  const { surface, live, call, trace } = turn;
  const lines: string[] = [];
  const ended = new Set<PortalName>();
  const here: Visit[] = [];
  for (const portal of live.routes.portals.keys()) {
    const visit = readVisits(call.cookies, portal, surface.sealer).find(({ environment }) => environment === name);
    if (visit?.session === undefined || !notice.concerns(visit.session)) continue;
    lines.push(clearVisitCookie(portal, name));
    trace.portal = portal;
    ended.add(portal);
    here.push(visit);
  }
  const reference = makeReference(surface.random);
  const concerned = ({ portal, environment }: PartySession) => ended.has(portal) && environment === name;
  const parties = await endParties(turn, concerned);
  const count = await endRequested(turn, reference, name, notice, here, parties.sessions);
  surface.audit.record({
    event: 'logout.completed',
    reason: 'ended_by_environment',
    reference,
    environment: name,
    ...(trace.portal && { portal: trace.portal }),
    ...(count !== undefined && { detail: `visits: ${count}` }),
  });
  const place = live.routes.environments.get(name)?.title ?? name;
  return replyTo(turn, notice.reply(count !== undefined), place, parties.frames, [...lines, ...parties.cookies]);
}
