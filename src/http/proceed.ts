/**
 * Carries a decision out. Every way into a login (the portal's request, a link in an app, an answer on one of
 * our pages, an environment's answer) ends in this one switch.
 */
import { createHash } from 'node:crypto';
import { type Decision, decide, type Question } from '../core/decide.ts';
import type { Trail } from '../core/discovery.ts';
import { type Assertion, LONGEST_SESSION } from '../core/environment.ts';
import type { PortalRequest } from '../core/portal.ts';
import { Refusal } from '../core/reason.ts';
import { CLOCK_SKEW, type Instant } from '../core/time.ts';
import { sessionNames } from '../core/visit.ts';
import type { Departure } from '../protocols/delegate.ts';
import type { SingleUse } from '../store/store.ts';
import { type Answer, page, redirect } from './answer.ts';
import { ask } from './ask.ts';
import { browserOf, clearOldVisits, readLogins, setLoginCookie, setVisitCookie } from './cookies.ts';
import { prepareHome } from './home.ts';
import { attemptOf } from './login-url.ts';
import { handBackPage } from './pages/hand-back.ts';
import { frameFor } from './pages/layout.ts';
import { claimRecorded, planRecording } from './record-visit.ts';
import { makeReference, sealLogin, wireState } from './state.ts';
import { keepFacts, type Turn } from './turn.ts';

/** What came with an environment's answer. */
export type Came = {
  /** What makes the answer single use; claimed before a portal token leaves. */
  readonly keys: readonly SingleUse[];
  /** The login that it ends; absent where a token came to /enter without one. */
  readonly login?: { readonly trail: Trail };
};

export async function proceed(turn: Turn, question: Question, came: Came = { keys: [] }): Promise<Answer> {
  const decision = decide(turn.live.routes, question, turn.now);
  // Who searches the list has not decided anything yet.
  if (question.about === 'start' && decision.do !== 'hand_back' && !turn.call.query.has('find'))
    turn.live.record?.(question.request.portal, question.facts, decision, turn.now);
  switch (decision.do) {
    case 'depart':
      return depart(turn, question, decision);
    case 'ask':
      return ask(turn, decision);
    case 'hand_back':
      return handBack(turn, question, decision, came);
    case 'refuse':
      turn.trace.trail = decision.trail;
      throw new Refusal(decision.reason, decision.detail);
  }
}

/**
 * Off to the environment, with the login in a sealed state and the state's secret in a cookie; or on at once, where
 * the environment can say without a detour who this is.
 */
async function depart(turn: Turn, question: Question, decision: Decision & { do: 'depart' }): Promise<Answer> {
  const { surface, live, call, now, trace } = turn;
  const { environment, trail } = decision;
  const { request } = question;
  const facts = question.about === 'start' ? question.facts : {};
  const { tried, email } = attemptOf(facts);
  const loginHint = decision.loginHint ?? email;
  const delegate = live.delegates.get(environment.name);
  if (!delegate) throw new Refusal('environment_disabled', environment.name);
  const login = {
    reference: makeReference(surface.random),
    secret: surface.random(16).toString('base64url'),
    startedAt: now,
    portal: request.portal,
    environment: environment.name,
  };
  const nonce = surface.random(16).toString('base64url');
  const until = now + live.loginLifetime;
  const carried = { request, nonce, startedAt: now, until, trail, tried, ...(email !== undefined && { email }) };
  const seal = (carry?: string) =>
    sealLogin(surface.sealer, carry === undefined ? carried : { ...carried, carry }, login);
  let sealed: string | undefined;

  // Should the environment fail right here, the next one is offered as it is after a return.
  trace.reference = login.reference;
  trace.environment = environment.name;
  trace.trail = trail;
  if (question.about === 'start') keepFacts(trace, () => ({ ...question.facts, tried: [...tried, environment.name] }));
  const begun = await delegate.begin(
    {
      state: (carry) => wireState(login.reference, seal(carry)),
      shortState: (carry) => {
        sealed = seal(carry);
        return login.reference;
      },
      nonce,
      browser: browserOf(call.cookies),
      portalReturn: () => live.portals.get(request.portal)?.open.returnUrl(request),
      ...(loginHint !== undefined && { loginHint }),
    },
    now,
  );
  if ('claims' in begun) {
    const keys = singleUse(begun, { ...login, until });
    return proceed(turn, { about: 'assertion', request, assertion: begun }, { keys, login: { trail } });
  }
  const cookies = [
    setLoginCookie(sealed === undefined ? login : { ...login, sealed }, live.loginLifetime),
    ...readLogins(call.cookies).clear,
  ];
  return carryOut(turn, begun, environment.title, cookies);
}

/** Seconds for which a request that a portal takes once is remembered: nobody is at a login page longer. */
const ONCE_FOR = 86_400;

/** A portal that takes one token for each of its requests is sent no second one, whichever login that comes from. */
function onceAtPortal({ live, now }: Turn, request: PortalRequest): SingleUse[] {
  const key = live.portals.get(request.portal)?.open.onceKey?.(request);
  if (key === undefined) return [];
  const digest = createHash('sha256').update(key).digest('base64url');
  return [{ key: `request:${request.portal}:${digest}`, until: now + ONCE_FOR }];
}

/** What makes an answer to this login single use. */
export function singleUse(
  assertion: Assertion,
  login: { readonly reference: string; readonly startedAt: Instant; readonly until: Instant },
): SingleUse[] {
  const keys = [{ key: `login:${login.reference}:${login.startedAt}`, until: login.until + CLOCK_SKEW }];
  const { replayKey, acceptableUntil } = assertion;
  if (replayKey !== undefined) keys.push({ key: `assertion:${replayKey}`, until: acceptableUntil });
  return keys;
}

/** Sends the browser on: by a redirect, or by a form that it posts. `place` is where the person reads that they go. */
export function carryOut(
  { live, call }: Turn,
  departure: Departure,
  place: string,
  cookies?: readonly string[],
  signsOut = false,
): Answer {
  if ('url' in departure) return redirect(call.method, departure.url, cookies);
  const frame = frameFor(live, call.header('accept-language'));
  return page(200, handBackPage(frame, { place, signsOut, ...departure }), cookies);
}

/** Home. Whatever can still refuse the person does so first; the token leaves only once single use is claimed. */
async function handBack(
  turn: Turn,
  question: Question,
  { environment, identity, portal }: Decision & { do: 'hand_back' },
  { keys, login }: Came,
): Promise<Answer> {
  const { surface, call, now, trace } = turn;
  const { request } = question;
  const goHome = await prepareHome(turn, request, identity);
  const { name, appUrl, frontLogout } = environment;
  const said: Partial<Assertion> = question.about === 'assertion' ? question.assertion : {};
  const { session, subject, sid } = said;
  const made = {
    id: surface.random(12).toString('base64url'),
    portal: portal.name,
    environment: name,
    at: now,
    appUrl,
    ...(frontLogout && { frontLogout }),
    ...(session && session.length <= LONGEST_SESSION && { session }),
    ...sessionNames(subject, sid),
  };
  const { visit, ...recording } = planRecording(turn, made, said);
  await claimRecorded(turn, [...keys, ...onceAtPortal(turn, request)], recording);
  const departure = await goHome();

  // The login's cookie stays until it expires: coming back with it again is told apart from another browser.
  const cookies = [
    setVisitCookie(visit, surface.sealer),
    ...recording.cookies,
    ...clearOldVisits(call.cookies, portal.name, name, surface.sealer),
  ];

  trace.reference ??= makeReference(surface.random);
  surface.audit.record({
    event: 'login.completed',
    reason: login?.trail.at(-1)?.reason ?? 'address_names_environment',
    reference: trace.reference,
    portal: portal.name,
    environment: name,
    initiated: request.initiated,
    ...(login && { trail: login.trail }),
  });
  return carryOut(turn, departure, portal.title, cookies);
}
