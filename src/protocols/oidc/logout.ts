import type { Instant } from '../../core/time.ts';
import type { DelegateLogout } from '../delegate.ts';
import { readErrorAnswer } from '../error-answer.ts';
import { withParameters } from './departure.ts';
import { readSession } from './kept-session.ts';
import type { Metadata } from './metadata.ts';
import { type OidcSettings, postLogoutUriOf } from './settings.ts';

/**
 * Ends a provider's session through the browser (OpenID Connect RP-Initiated Logout 1.0 §2). With the id_token as a
 * hint the provider need not ask the person; an expired one serves, too. Without it `logout_hint` names the session or
 * the person: the id_token was too long to be kept, or `knowsIdToken` says that the provider would answer it with an
 * error page of its own, from which the person does not come back.
 */
export const openLogout = (
  settings: OidcSettings,
  metadata: Metadata,
  knowsIdToken: (idToken: string, now: Instant) => Promise<boolean>,
): DelegateLogout => ({
  async begin({ session, state }, now) {
    const { endSession } = await metadata.read(now);
    if (endSession === undefined) return undefined;
    const kept = session === undefined ? undefined : readSession(session);
    const hint = kept?.idToken !== undefined && (await knowsIdToken(kept.idToken, now)) ? kept.idToken : undefined;
    const url = withParameters(endSession, {
      id_token_hint: hint,
      logout_hint: hint === undefined ? (kept?.sid ?? kept?.sub) : undefined,
      client_id: settings.clientId,
      post_logout_redirect_uri: postLogoutUriOf(settings),
      state: state(),
    });
    return { url };
  },

  /** A provider's answer is not signed: a browser that came back with our state was let go by it. */
  complete(answer) {
    const refusal = readErrorAnswer(answer);
    if (refusal) throw refusal;
  },
});
