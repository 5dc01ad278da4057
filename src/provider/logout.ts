import type Library from 'oidc-provider';
import { Refusal } from '../core/reason.ts';
import type { LogoutRequest, PartySession, RelyingParty } from './provider.ts';

/**
 * RP-Initiated Logout 1.0 §2 and §3. What names the relying party has to be true: an id_token of ours that may have
 * expired, or a client id; and the browser goes to one of that party's own addresses, or nowhere that is asked for.
 */
export async function readLogout(
  library: Library,
  parties: readonly RelyingParty[],
  params: ReadonlyMap<string, string>,
): Promise<LogoutRequest> {
  const hint = params.get('id_token_hint') || undefined;
  const named = params.get('client_id') || undefined;
  const clientId = hint === undefined ? named : audienceOf(hint);
  if (named !== undefined && named !== clientId) throw new Refusal('request_parameter_mismatch', 'client_id');
  const party = clientId === undefined ? undefined : parties.find((one) => one.clientId === clientId);
  if (clientId !== undefined && !party) throw new Refusal('client_refused_here', 'unknown client');
  const subject = hint === undefined || !party ? undefined : await subjectOf(library, hint, party);
  const next = nextOf(party, params);
  return {
    ...(party && { portal: party.portal }),
    ...(subject !== undefined && { subject }),
    ...(next !== undefined && { next }),
  };
}

function nextOf(party: RelyingParty | undefined, params: ReadonlyMap<string, string>): string | undefined {
  const uri = params.get('post_logout_redirect_uri') || undefined;
  if (uri === undefined) return undefined;
  // §3: compared as text.
  if (!party?.postLogoutRedirectUris.includes(uri))
    throw new Refusal('redirect_uri_not_listed', 'post_logout_redirect_uri');
  const state = params.get('state');
  if (state === undefined) return uri;
  return `${uri}${uri.includes('?') ? '&' : '?'}${new URLSearchParams({ state })}`;
}

/** For whom a token says that it was made; whether that is true is found out with that client's algorithm. */
function audienceOf(token: string): string | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const audience = (claims as { aud?: unknown } | null)?.aud;
    if (typeof audience === 'string') return audience;
  } catch {
    // Not a token: refused below.
  }
  throw new Refusal('request_malformed', 'id_token_hint');
}

async function subjectOf(library: Library, hint: string, { clientId }: RelyingParty): Promise<string> {
  const client = await library.Client.find(clientId);
  if (!client) throw new Error(`the client ${clientId} is not known to the library`);
  try {
    const { payload } = await library.IdToken.validate(hint, client);
    if (typeof payload.sub === 'string') return payload.sub;
  } catch {
    // Which of its checks failed is nobody's business.
  }
  throw new Refusal('request_malformed', 'id_token_hint');
}

/** Forgets what the library has of a session at one relying party. Every token of it ends, those for offline use, too. */
export async function forgetSession(
  library: Library,
  clientId: string,
  { uid, grant }: Pick<PartySession, 'uid' | 'grant'>,
): Promise<void> {
  await (await library.Grant.find(grant))?.destroy();
  const session = await library.Session.findByUid(uid);
  if (!session?.authorizations) return;
  delete session.authorizations[clientId];
  await (Object.keys(session.authorizations).length === 0 ? session.destroy() : session.persist());
}

/** Front-Channel Logout 1.0 §2: with both parameters, always. */
export function frameOf({ frontchannelLogoutUri: uri }: RelyingParty, issuer: string, sid: string): string | undefined {
  if (uri === undefined) return undefined;
  return `${uri}${uri.includes('?') ? '&' : '?'}${new URLSearchParams({ iss: issuer, sid })}`;
}
