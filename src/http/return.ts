import { admit } from '../core/decide.ts';
import type { Facts } from '../core/facts.ts';
import type { EnvironmentName } from '../core/names.ts';
import { Refusal } from '../core/reason.ts';
import type { Answer } from './answer.ts';
import { parameters } from './call.ts';
import { browserOf } from './cookies.ts';
import { proceed, singleUse } from './proceed.ts';
import { readCircumstances } from './start.ts';
import { isOver, type OpenedState, openState } from './state.ts';
import { keepFacts, type Turn } from './turn.ts';

/** `/return/<environment>`: an environment sent the browser back. Nothing is used up unless all of it is right. */
export async function finishLogin(turn: Turn, name: EnvironmentName): Promise<Answer> {
  const { surface, live, call, now, trace } = turn;
  if (!live.routes.environments.has(name)) throw new Refusal('address_unknown', `environment ${name}`);
  trace.environment = name;
  const delegate = live.delegates.get(name);
  const params = parameters(call);
  const state = openState(surface.sealer, params.get(delegate?.stateParam ?? 'state'), name, call.cookies);
  const { reference, request, nonce, startedAt, until, trail, carry } = state;
  trace.reference = reference;
  trace.portal = request.portal;
  trace.request = request;
  trace.trail = trail;
  keepFacts(trace, () => factsAfter(turn, state, name));
  if (isOver(state, now)) throw new Refusal('login_expired');

  // The routes may have changed since the login left; an environment that may not come in is not listened to.
  const portal = live.routes.portals.get(request.portal);
  if (!portal) throw new Refusal('portal_unknown', request.portal);
  const admitted = admit(live.routes, portal, name, now);
  if ('reason' in admitted) throw new Refusal(admitted.reason, name);
  if (!delegate) throw new Refusal('environment_disabled', name);

  const carried = { nonce, browser: browserOf(call.cookies), ...(carry !== undefined && { carry }) };
  const assertion = await delegate.complete(params, carried, now);
  const keys = singleUse(assertion, { reference, startedAt, until });
  return proceed(turn, { about: 'assertion', request, assertion }, { keys, login: { trail } });
}

/** What discovery has to go by should this environment fail: it was tried, and so were those before it. */
function factsAfter({ surface, live, call }: Turn, state: OpenedState, name: EnvironmentName): Facts | undefined {
  const { request, tried, email } = state;
  const portal = live.portals.get(request.portal);
  return (
    portal && {
      ...readCircumstances(surface, call, portal, request),
      tried: [...tried, name],
      ...(email !== undefined && { knownEmail: email }),
    }
  );
}
