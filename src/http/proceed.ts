/**
 * Carries a decision out. Every way into a login (the portal's request, a link in an app, an answer on one of
 * our pages, an environment's answer) ends in this one switch.
 */
import { type Decision, decide, type Question } from '../core/decide.ts';
import type { Trail } from '../core/discovery.ts';
import { Refusal } from '../core/reason.ts';
import { makeUuid } from '../keys/random.ts';
import type { SingleUse } from '../store/store.ts';
import { type Answer, page, redirect } from './answer.ts';
import { ask } from './ask.ts';
import { clearOldVisits, type LoginCookie, readLogins, setLoginCookie, setVisitCookie } from './cookies.ts';
import { attemptOf } from './login-url.ts';
import { handBackPage } from './pages/hand-back.ts';
import { frameFor } from './pages/layout.ts';
import { makeReference, sealState } from './state.ts';
import type { Turn } from './turn.ts';

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

/** Off to the environment, with the login in a sealed state and the state's secret in a cookie. */
function depart({ surface, live, call, now }: Turn, question: Question, decision: Decision & { do: 'depart' }): Answer {
  const { environment, trail } = decision;
  const { request } = question;
  const { tried, email } = attemptOf(question.about === 'start' ? question.facts : {});
  const loginHint = decision.loginHint ?? email;
  const delegate = live.delegates.get(environment.name);
  if (!delegate) throw new Refusal('environment_disabled', environment.name);
  const login: LoginCookie = {
    reference: makeReference(surface.random),
    secret: surface.random(16).toString('base64url'),
    startedAt: now,
    portal: request.portal,
    environment: environment.name,
  };
  const nonce = surface.random(16).toString('base64url');
  const until = now + live.loginLifetime;
  const carried = { request, nonce, startedAt: now, until, trail, tried, ...(email !== undefined && { email }) };
  const state = sealState(surface.sealer, carried, login);
  const { url } = delegate.begin({ state, nonce, ...(loginHint !== undefined && { loginHint }) });
  return redirect(call.method, url, [setLoginCookie(login, live.loginLifetime), ...readLogins(call.cookies).clear]);
}

/** Home. Whatever can still refuse the person does so first; the token leaves only once single use is claimed. */
async function handBack(
  turn: Turn,
  { request }: Question,
  { environment, identity, portal }: Decision & { do: 'hand_back' },
  { keys, login }: Came,
): Promise<Answer> {
  const { surface, live, call, now, trace } = turn;
  const to = live.portals.get(portal.name);
  if (!to) throw new Refusal('portal_unknown', portal.name);
  const claims = to.open.makeClaims(identity, request, { now, id: makeUuid(surface.random) });
  const delivery = to.open.deliver(request, await to.signer.sign(claims));
  await claim(turn, keys);

  const { name, appUrl, frontLogout } = environment;
  const visit = { portal: portal.name, environment: name, at: now, appUrl, ...(frontLogout && { frontLogout }) };
  // The login's cookie stays until it expires: coming back with it again is told apart from another browser.
  const cookies = [
    setVisitCookie(visit, surface.sealer),
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
  return delivery.mode === 'redirect'
    ? redirect(call.method, delivery.url, cookies)
    : page(
        200,
        handBackPage(frameFor(live, call.header('accept-language')), {
          portal: portal.title,
          action: delivery.action,
          fields: delivery.fields,
        }),
        cookies,
      );
}

/** Exactly once, for all time: refused when any of the keys was claimed before, or when nobody can tell. */
async function claim({ surface, now }: Turn, keys: readonly SingleUse[]): Promise<void> {
  const claimed = await surface.store.claim(keys, now).catch((error: unknown) => {
    throw new Refusal('store_unavailable', error instanceof Error ? error.message : undefined);
  });
  if (claimed !== 'first')
    throw new Refusal(claimed.replayed.startsWith('login:') ? 'login_already_used' : 'jwt_replayed');
}
