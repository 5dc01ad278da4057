import type { Facts } from '../core/facts.ts';
import type { PortalName } from '../core/names.ts';
import type { PortalRequest } from '../core/portal.ts';
import { Refusal } from '../core/reason.ts';
import { type Answer, metadata, redirect } from './answer.ts';
import type { Call } from './call.ts';
import { recordReturn } from './came-back.ts';
import { readLogins, readVisits } from './cookies.ts';
import { goAsGuest } from './guest.ts';
import type { LivePortal, Surface } from './live.ts';
import { asCalled, attemptOf, readAttempt, readTypedEmail, withAttempt, withTypedEmail } from './login-url.ts';
import { proceed } from './proceed.ts';
import { keepFacts, type Turn } from './turn.ts';

/** The Remote Login URL: the portal's request, or the person's answer on the picker or email page. */
export async function startLogin(turn: Turn, name: PortalName): Promise<Answer> {
  const { live, call, surface, trace } = turn;
  const portal = live.portals.get(name);
  if (!portal) throw new Refusal('portal_unknown', name);
  trace.portal = name;
  if (portal.metadataAtLoginPath && call.search === '' && call.header('accept')?.startsWith('application/json')) {
    return metadata(live.metadata);
  }
  const request = portal.open.readRequest(call.query, { search: call.search, now: turn.now });
  // Somebody who got this link from another browser would sign in for that one.
  if (portal.relyingParty && !live.provider?.began(request, call.cookies))
    throw new Refusal('login_not_from_this_browser', 'authorization request');
  trace.request = request;
  const asGuest = await goAsGuest(turn, portal, request);
  if (asGuest) return asGuest;
  const facts = readFacts(surface, call, portal, request);
  keepFacts(trace, () => facts);
  recordReturn(turn, portal, facts.visits);
  const email = call.form.get('email');
  return email === undefined
    ? proceed(turn, { about: 'start', request, facts })
    : keepTyped(turn, portal, facts, email);
}

/** The same answer whatever was typed: who the customers are is not for everybody to find out. */
function keepTyped(
  { surface: { sealer }, call, now }: Turn,
  { open, loginPath }: LivePortal,
  facts: Facts,
  email: string,
): Answer {
  const { name } = open.portal;
  const { tried } = attemptOf(facts);
  const onward = withAttempt(asCalled(loginPath, call.search), sealer, name, { tried }, now);
  return redirect(call.method, withTypedEmail(onward, sealer, name, email, now));
}

/** Everything that discovery may look at; what is costly to read is read when a step asks for it. */
export function readFacts(
  surface: Pick<Surface, 'sealer'>,
  call: Call,
  portal: Pick<LivePortal, 'open'>,
  request: PortalRequest,
): Facts {
  const choice = call.query.get('choose');
  // Who searches the list wants the list.
  const asked = call.query.has('find') ? 'picker' : call.query.get('ask');
  const typedEmail = readTypedEmail(surface.sealer, request.portal, call.query.get('typed')) ?? call.form.get('email');
  const attempt = readAttempt(surface.sealer, request.portal, call.query.get('again'));
  return {
    ...readCircumstances(surface, call, portal, request),
    ...(choice !== undefined && { choice }),
    ...(typedEmail !== undefined && { typedEmail }),
    ...(attempt.email !== undefined && { knownEmail: attempt.email }),
    ...(attempt.tried.length > 0 && { tried: attempt.tried }),
    ...((asked === 'email' || asked === 'picker') && { ask: asked }),
  };
}

/** The same without what the person said on a page of ours: where they are, and where they have been. */
export function readCircumstances(
  { sealer }: Pick<Surface, 'sealer'>,
  call: Call,
  { open }: Pick<LivePortal, 'open'>,
  request: PortalRequest,
): Facts {
  const { name } = open.portal;
  let returnQuery: URLSearchParams | undefined;
  return {
    query: (param) => call.query.get(param),
    returnQuery: (param) => {
      returnQuery ??= new URL(open.returnUrl(request) ?? 'about:blank').searchParams;
      return returnQuery.get(param) ?? undefined;
    },
    header: call.header,
    host: call.host,
    clientIp: call.clientIp,
    visits: readVisits(call.cookies, name, sealer),
    unfinished: readLogins(call.cookies).logins.filter((login) => login.portal === name),
  };
}
