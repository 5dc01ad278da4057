import { admit } from '../core/decide.ts';
import type { EnvironmentName, PortalName } from '../core/names.ts';
import { Refusal } from '../core/reason.ts';
import type { Answer } from './answer.ts';
import { parameters } from './call.ts';
import { proceed } from './proceed.ts';
import type { Turn } from './turn.ts';

/**
 * `/enter/<environment>/<portal>`: a link in an app. Without a token it departs to that environment, which
 * knows the person already; with one it ends here at once, where the operator allows it.
 */
export async function enter(turn: Turn, name: EnvironmentName, portalName: PortalName): Promise<Answer> {
  const { live, call, now, trace } = turn;
  const to = live.portals.get(portalName);
  if (!to || !live.routes.environments.has(name)) throw new Refusal('address_unknown', `${name}/${portalName}`);
  trace.portal = portalName;
  trace.environment = name;
  const params = parameters(call);
  const request = to.open.readEntry(params);
  const token = params.get('access_token');
  if (token === undefined) {
    trace.request = request;
    return proceed(turn, { about: 'entry', request, environment: name });
  }

  const admitted = admit(live.routes, to.open.portal, name, now);
  if ('reason' in admitted) throw new Refusal(admitted.reason, name);
  const complete = live.delegates.get(name)?.completeUnsolicited;
  if (!complete) throw new Refusal('unsolicited_not_allowed', name);
  const assertion = await complete(token, now);
  // Nothing else makes this token single use, so its protocol has to say what does.
  if (assertion.replayKey === undefined) throw new Refusal('jwt_missing_required_claim', 'jti');
  const keys = [{ key: `assertion:${assertion.replayKey}`, until: assertion.acceptableUntil }];
  return proceed(turn, { about: 'assertion', request, assertion }, { keys });
}
