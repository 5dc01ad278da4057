/**
 * `POST /api/auth/jwt`: an environment's backend, or a page of its app, trades a token that the environment signed for
 * a portal token (RFC 8693, token exchange). A help center's widget gets its tokens here; no browser is sent anywhere.
 *
 * Who holds the token is who it speaks for, so there is no login to bind it to and no client to authenticate. What
 * makes it safe is what the token is: made for the router alone (`aud`), never part of a login (no `nonce`), short of
 * life, and used up by being traded (`jti`). An environment that says in routes.yaml that it cannot do one of these
 * cannot trade (`exchange_not_allowed`); the others need no word for it, for a token of this kind exists only where the
 * environment makes one on purpose.
 *
 * Browsers: a page may trade only tokens of the environment whose `app_url` is on its own origin, and no other page can
 * read what came of it. What is wrong before it is known whose token it is, pages of every app can read. A request
 * without `Origin` is no browser's: they send it with every POST (Fetch §3.2).
 */
import { admit, decide } from '../core/decide.ts';
import { type EnvironmentName, parsePortalName } from '../core/names.ts';
import type { PortalRequest } from '../core/portal.ts';
import { Refusal } from '../core/reason.ts';
import { readCompact } from '../keys/compact.ts';
import type { Answer } from './answer.ts';
import type { Call } from './call.ts';
import { jsonFor, readerOf } from './exchange-answer.ts';
import type { Live, LivePortal } from './live.ts';
import { claim, mint } from './mint.ts';
import { makeReference } from './state.ts';
import type { Turn } from './turn.ts';

/** RFC 8693 §2.1 and §3. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';

export async function exchange(turn: Turn): Promise<Answer> {
  const { surface, live, call, now, trace } = turn;
  const { portal, subjectToken } = readGrant(live, call);
  trace.portal = portal.open.portal.name;
  const name = signerOf(live, subjectToken);
  trace.environment = name;
  admitOrigin(turn, name);

  const admitted = admit(live.routes, portal.open.portal, name, now);
  if ('reason' in admitted) throw new Refusal(admitted.reason, name);
  const complete = live.delegates.get(name)?.completeTraded;
  if (!complete) throw new Refusal('exchange_not_allowed', name);
  const assertion = await complete(subjectToken, now);
  if (assertion.replayKey === undefined) throw new Refusal('jwt_missing_required_claim', 'jti');

  const request: PortalRequest = { portal: trace.portal, initiated: 'platform', params: {} };
  const decision = decide(live.routes, { about: 'assertion', request, assertion }, now);
  if (decision.do === 'refuse') throw new Refusal(decision.reason, decision.detail);
  if (decision.do !== 'hand_back') throw new Error(`a traded token cannot end in ${decision.do}`);
  const { token } = await mint(turn, request, decision.identity, 'traded');
  await claim(turn, [{ key: `assertion:${assertion.replayKey}`, until: assertion.acceptableUntil }]);

  trace.reference ??= makeReference(surface.random);
  const { reference } = trace;
  surface.audit.record({ event: 'token.minted', reason: 'ok', reference, portal: trace.portal, environment: name });
  return jsonFor(readerOf(live, call.header('origin'), name), 200, {
    access_token: token,
    issued_token_type: JWT,
    // RFC 8693 §2.2.1: it is for signing in to a portal, and no protected resource of ours takes it.
    token_type: 'N_A',
    expires_in: portal.tokenLifetime,
    // The name under which HelpCenter.io's snippet looks for it (source document 004, step 5).
    jwt: token,
  });
}

type Grant = { readonly portal: LivePortal; readonly subjectToken: string };

/**
 * The fields of RFC 8693 §2.1; `audience` is the portal's name. What would ask for something else than is given here
 * (delegation, another target) is refused rather than passed over; everything else that is sent too is not looked at.
 */
function readGrant(live: Live, { form, search }: Call): Grant {
  if (search !== '') throw new Refusal('request_malformed', 'fields belong in the body, where no log sees them');
  // RFC 6749 §3.2: a parameter without a value counts as absent.
  const field = (name: string) => form.get(name) || undefined;
  const required = (name: string) => {
    const value = field(name);
    if (value === undefined) throw new Refusal('request_parameter_missing', name);
    return value;
  };
  if (required('grant_type') !== TOKEN_EXCHANGE) throw new Refusal('grant_type_not_supported');
  const subjectToken = required('subject_token');
  if (required('subject_token_type') !== JWT) throw new Refusal('token_type_not_supported', 'subject_token_type');
  if ((field('requested_token_type') ?? JWT) !== JWT)
    throw new Refusal('token_type_not_supported', 'requested_token_type');
  for (const name of ['actor_token', 'actor_token_type', 'resource'])
    if (field(name) !== undefined) throw new Refusal('request_malformed', `${name} is not taken`);
  const audience = parsePortalName(required('audience'));
  const portal = audience && live.portals.get(audience);
  if (!portal) throw new Refusal('sso_not_configured', audience);
  return { portal, subjectToken };
}

/** Whose token it says it is; that environment's protocol has yet to find out whether that is true. */
function signerOf({ exchange: { byIssuer } }: Live, token: string): EnvironmentName {
  const { claims } = readCompact(token);
  if (!Object.hasOwn(claims, 'iss')) throw new Refusal('jwt_missing_required_claim', 'iss');
  const { iss } = claims;
  if (typeof iss !== 'string') throw new Refusal('jwt_claim_malformed', 'iss');
  const [name, ...others] = byIssuer.get(iss) ?? [];
  if (name === undefined) throw new Refusal('jwt_issuer_mismatch', 'the issuer of no environment');
  // Trying their keys in turn could find two that fit, and what each may say about people differs.
  if (others.length > 0) throw new Refusal('issuer_ambiguous', [name, ...others].join(', '));
  return name;
}

/** The page that asks is one of the app's own, or nothing happens: it could not read the answer, but the token would be used up. */
function admitOrigin({ live, call }: Turn, name: EnvironmentName): void {
  const origin = call.header('origin');
  if (origin !== undefined && readerOf(live, origin, name) === undefined) throw new Refusal('origin_not_allowed', name);
}
