/** The endpoints of the provider (../provider/provider.ts) on the public listener. */
import { Refusal } from '../core/reason.ts';
import type { Asked, Carried, Provider } from '../provider/provider.ts';
import { type Answer, redirect } from './answer.ts';
import { parameters } from './call.ts';
import { exchange, TOKEN_EXCHANGE } from './exchange.ts';
import { carryOut } from './proceed.ts';
import { makeReference } from './state.ts';
import type { Turn } from './turn.ts';

/** What fits into an address, escaped. Characters. */
const LONGEST_QUERY = 16_000;

/** A relying party sends a person to be signed in. */
export async function authorize(turn: Turn): Promise<Answer> {
  return askedByGet(turn) ?? answer(turn, await providerOf(turn).authorize(asked(turn)));
}

/**
 * What a relying party may post as well (OIDC Core §3.1.2.1, RP-Initiated Logout 1.0 §2), asked again by GET: with a form
 * of another site our cookies do not come along (SameSite=Lax), with the redirect after it they do. `undefined`: it was.
 */
export function askedByGet(turn: Turn): Answer | undefined {
  const { call } = turn;
  if (call.method !== 'POST') return undefined;
  providerOf(turn);
  const query = new URLSearchParams([...parameters(call)]).toString();
  if (query.length > LONGEST_QUERY) throw new Refusal('request_too_long', 'a posted request');
  return redirect(call.method, query === '' ? call.path : `${call.path}?${query}`);
}

/** The person comes back to where the relying party sent them, signed in. */
export async function resume(turn: Turn, uid: string): Promise<Answer> {
  return answer(turn, await providerOf(turn).resume(uid, asked(turn)));
}

/** A relying party trades a code or a refresh token; or somebody an environment's token, as at /api/auth/jwt. */
export function token(turn: Turn): Promise<Answer> {
  return turn.call.form.get('grant_type') === TOKEN_EXCHANGE ? exchange(turn) : called(turn, 'token');
}

export const userinfo = (turn: Turn): Promise<Answer> => called(turn, 'userinfo');

export function providerOf({ live }: Pick<Turn, 'live'>): Provider {
  if (!live.provider) throw new Refusal('address_unknown', 'no portal signs in by OpenID Connect');
  return live.provider;
}

const asked = ({ call }: Turn): Asked => ({
  method: call.method,
  params: parameters(call),
  cookies: call.cookies,
  header: call.header,
});

/** Query parameters have no place at an endpoint that programs call: addresses stand in logs. */
async function called(turn: Turn, endpoint: 'token' | 'userinfo'): Promise<Answer> {
  const { call } = turn;
  if (call.search !== '') throw new Refusal('request_malformed', 'fields belong in the body, where no log sees them');
  const carried = await providerOf(turn).call(endpoint, { ...asked(turn), params: call.form });
  record(turn, carried, carried.outcome?.reason === 'ok' ? 'token.minted' : 'token.refused');
  const { status, headers, body } = carried;
  return { status, headers, body };
}

/** The browser goes on: to a login of ours, or back to the relying party with a code or with an error. */
function answer(turn: Turn, carried: Carried): Answer {
  record(turn, carried, 'login.refused');
  const { status, headers, cookies, form } = carried;
  if (form) return carryOut(turn, form, new URL(form.action).host, cookies);
  if (headers.location === undefined) throw new Error(`the provider answered a browser with ${status}`);
  return { status: 303, headers: { location: headers.location }, cookies };
}

function record(
  { surface, trace }: Turn,
  { outcome }: Carried,
  event: 'login.refused' | 'token.minted' | 'token.refused',
) {
  if (!outcome) return;
  trace.reference ??= makeReference(surface.random);
  surface.audit.record({ event, ...outcome, reference: trace.reference });
}
