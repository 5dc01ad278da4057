/** The authorization endpoint, before and after a login: what browsers are sent to. */
import type { AdapterPayload, KoaContextWithOIDC } from 'oidc-provider';
import type { EnvironmentName } from '../core/names.ts';
import { Refusal } from '../core/reason.ts';
import { ANSWER, ENDPOINTS } from './addresses.ts';
import type { Answered } from './carry.ts';
import { resultOf } from './complete.ts';
import { COOKIES } from './configuration.ts';
import * as cookies from './cookies.ts';
import type { Opened } from './opened.ts';
import type { Asked, Carried, PartySession } from './provider.ts';
import { detailOf, reasonOf, refusalOf } from './refusal.ts';
import type { Requests } from './under-way.ts';

/** Parameters of an authorization request, as characters: a cookie keeps them while the person signs in. */
const LONGEST_REQUEST = 2_400;

/** OIDC Core §3.1.2.1. Answered from the session, by a redirect to a login of ours, or with an error to the relying party. */
export async function authorize(opened: Opened, asked: Asked): Promise<Carried> {
  const length = [...asked.params].reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (length > LONGEST_REQUEST) throw new Refusal('request_too_long', 'an authorization request');
  const session = cookies.readSession(asked.cookies);
  const requests: Requests = new Map();
  const answered = await opened.carrier.carry({
    method: 'GET',
    path: ENDPOINTS.authorization,
    params: asked.params,
    cookies: session === undefined ? {} : { [COOKIES.session]: session },
    headers: {},
    browser: asked.cookies,
    requests,
  });
  return toBrowser(opened, answered, asked, requests);
}

/** The same browser comes back, and somebody has signed in. */
export async function resume(opened: Opened, uid: string, asked: Asked): Promise<Carried> {
  const { library, carrier, sealer, hooks } = opened;
  const request = cookies.readAsked(asked.cookies, uid, sealer);
  if (!request) throw new Refusal('login_not_from_this_browser', 'authorization request');
  if ((request.exp ?? 0) < hooks.now()) throw new Refusal('login_expired', 'authorization request');
  const result = await takeAnswer(opened, uid, request, asked.params.get(ANSWER));
  const id = cookies.readSession(asked.cookies);
  const session = id === undefined ? undefined : await library.Session.find(id);
  const subject = result?.login?.accountId;
  // Somebody else than before: they begin a session of their own, and the other one ends by itself.
  const another = session?.accountId !== undefined && subject !== undefined && session.accountId !== subject;
  const { session: before, ...rest } = request;
  const same = before && !another && before.uid === session?.uid;
  const requests: Requests = new Map([[uid, { ...rest, ...(same && { session: before }), ...(result && { result }) }]]);
  const answered = await carrier.carry({
    method: 'GET',
    path: `${ENDPOINTS.authorization}/${uid}`,
    params: new Map(),
    cookies: { ...(id !== undefined && !another && { [COOKIES.session]: id }), [COOKIES.resume]: uid },
    headers: {},
    browser: asked.cookies,
    requests,
  });
  return toBrowser(opened, answered, asked, requests, uid);
}

/** Once. Nobody has to bring one: then the person is asked again, if need be. */
async function takeAnswer(opened: Opened, uid: string, request: AdapterPayload, answer: string | undefined) {
  if (answer === undefined) return undefined;
  const result = resultOf(opened, uid, request, answer);
  if (!result) throw new Refusal('request_malformed', ANSWER);
  if (!(await opened.records.isFirst({ kind: 'answer', id: uid }, request.exp ?? 0)))
    throw new Refusal('login_already_used', 'authorization request');
  return result;
}

/** What the library answered, with our cookies for its own. `resumed`: the authorization request that this one went on with. */
async function toBrowser(
  opened: Opened,
  answered: Answered,
  { cookies: browser }: Asked,
  requests: Requests,
  resumed?: string,
): Promise<Carried> {
  const { settings, hooks, sealer } = opened;
  const { heard, headers, status } = answered;
  const { shown, broken, told, authorized, form } = heard;
  const fault = broken ?? shown;
  if (fault) throw refusalOf(fault);
  const now = hooks.now();
  const lines: string[] = [];
  const session = written(answered, COOKIES.session);
  if (session !== undefined) lines.push(session === '' ? cookies.clearSession() : cookies.setSession(session));
  for (const [uid, request] of requests)
    if (uid !== resumed)
      lines.push(...cookies.setAsked(browser, uid, request, sealer, now, settings.loginLifetime + 60));
  if (resumed !== undefined) lines.push(cookies.clearAsked(resumed));
  const signedIn = authorized && sessionAt(opened, authorized);
  if (signedIn) {
    await hooks.signedIn(browser, signedIn);
    lines.push(cookies.setParty(signedIn, sealer, now));
  }
  const portal = opened.partyOf(heard.clientId)?.portal;
  return {
    status,
    headers: headers.location === undefined ? {} : { location: headers.location },
    cookies: lines,
    body: '',
    ...(form && { form }),
    ...(told && { outcome: { reason: reasonOf(told), detail: detailOf(told), ...(portal && { portal }) } }),
  };
}

/** What the browser has to remember of this sign-in. */
function sessionAt({ partyOf, hooks }: Opened, { oidc }: KoaContextWithOIDC): PartySession | undefined {
  const { client, session, account } = oidc;
  const party = partyOf(client?.clientId);
  const sid = party && session?.sidFor(party.clientId);
  const grant = party && session?.grantIdFor(party.clientId);
  if (!party || !session?.accountId || sid === undefined || grant === undefined) return undefined;
  const environment = account?.environment as EnvironmentName;
  return {
    portal: party.portal,
    environment,
    subject: session.accountId,
    sid,
    uid: session.uid,
    grant,
    at: hooks.now(),
  };
}

/** What the library writes into one of its cookies: `''` where it clears it, `undefined` where it leaves it alone. */
function written({ cookies: lines }: Answered, name: string): string | undefined {
  const line = lines.findLast((one) => one.startsWith(`${name}=`));
  return line?.slice(name.length + 1, line.indexOf(';'));
}
