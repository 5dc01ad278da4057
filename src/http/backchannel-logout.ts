/**
 * `POST /backchannel-logout/<environment>`: an environment says that a person signed out there (OpenID Connect
 * Back-Channel Logout 1.0 §2.5). Without a browser, so no cookie can be cleared: the visit's record ends, and with it
 * what hangs on it.
 */
import type { EnvironmentName } from '../core/names.ts';
import { Refusal } from '../core/reason.ts';
import { readLogoutToken } from '../logout/receive-token.ts';
import type { RecordedVisit, SpentToken } from '../logout/recorded-visits.ts';
import type { Answer } from './answer.ts';
import { guarded, spreadWordOf } from './end-recorded.ts';
import { makeReference } from './state.ts';
import type { Turn } from './turn.ts';

/**
 * 200 where the token was believed, whether or not anybody was signed in (§2.8): who knows no more than the token
 * learns nothing. The token is used up with the visits, last; where the store fails before, its sender may send it
 * again. Throws `Refusal`.
 */
export async function backchannelLogout(turn: Turn, name: EnvironmentName): Promise<Answer> {
  const { surface, live, call, now, trace } = turn;
  const tokens = live.senders.get(name) === 'back_channel' ? live.delegates.get(name)?.logoutTokens : undefined;
  if (!tokens) throw new Refusal('address_unknown', `environment ${name} has no logout.receive: back_channel`);
  trace.environment = name;
  if (call.search !== '') throw new Refusal('request_malformed', 'the token belongs in the body, where no log sees it');
  const text = call.form.get('logout_token');
  if (!text) throw new Refusal('request_parameter_missing', 'logout_token');
  const { gone, endedAt, jti, acceptableUntil } = await readLogoutToken(text, tokens, now);

  const token: SpentToken = { environment: name, jti, acceptableUntil };
  if (await guarded(surface.recorded.isSpent(token, now))) throw new Refusal('jwt_replayed', 'logout token');
  trace.reference = makeReference(surface.random);
  const meant = await guarded(surface.recorded.meantBy(name, gone, endedAt, now));
  const over = await spreadWordOf(turn, trace.reference, meant);
  if ((await guarded(surface.recorded.spendToken(token, over, now))) !== 'first')
    throw new Refusal('jwt_replayed', 'logout token');
  recordEnd(turn, trace.reference, name, meant);
  return { status: 200, headers: {} };
}

/** One line, however many visits ended; their portal where it is one. */
function recordEnd({ surface }: Turn, reference: string, name: EnvironmentName, ended: readonly RecordedVisit[]): void {
  const [portal, ...others] = new Set(ended.map((visit) => visit.portal));
  surface.audit.record({
    event: 'logout.completed',
    reason: ended.length > 0 ? 'ended_by_environment' : 'no_visit',
    reference,
    environment: name,
    ...(portal && others.length === 0 && { portal }),
    detail: `visits: ${ended.length}`,
  });
}
