/** Which visits the store has to know, besides the browser: those that somebody else than the browser may end. */
import type { Assertion } from '../core/environment.ts';
import type { EnvironmentName } from '../core/names.ts';
import type { Visit } from '../core/visit.ts';
import type { RecordedVisit } from '../logout/recorded-visits.ts';
import type { SingleUse } from '../store/store.ts';
import { readVisits, setVisitCookie } from './cookies.ts';
import { guarded } from './end-recorded.ts';
import { claim } from './mint.ts';
import type { Turn } from './turn.ts';

export type Recording = {
  /** The visit as the browser gets it. */
  readonly visit: Visit;
  /** For the store; empty where nobody else can end it, so that such a login costs no write. */
  readonly recorded: readonly RecordedVisit[];
  /** Cookies of visits that are recorded only now. */
  readonly cookies: readonly string[];
  /** Another visit stood in its place, and cannot be reached any more. */
  readonly replaced: readonly Visit[];
};

/**
 * A visit is recorded when its environment may end it (`logout.receive`), and, unless `fan_out` is `origin`, when this
 * browser has one that somebody may end: that sign-out goes on to all of them. A form that another site posts brings no
 * visits along (SameSite=Lax); such a login counts as that of a browser of its own.
 */
export function planRecording(
  { surface, live, call }: Turn,
  visit: Visit & { readonly id: string },
  { issuedAt = visit.at }: Pick<Assertion, 'issuedAt'>,
): Recording {
  const nothing = { visit, recorded: [], cookies: [], replaced: [] };
  if (live.senders.size === 0) return nothing;
  const { sealer } = surface;
  const known = [...live.routes.portals.keys()].flatMap((portal) => readVisits(call.cookies, portal, sealer));
  const wide = live.logout.fanOut !== 'origin';
  const before = known.find((one) => one.browser !== undefined)?.browser;
  const named = visit.subject !== undefined || visit.sid !== undefined;
  if (!(live.senders.has(visit.environment) && named) && !(wide && before !== undefined)) return nothing;

  const browser = before ?? surface.random(12).toString('base64url');
  const isSame = ({ portal, environment }: Visit) => portal === visit.portal && environment === visit.environment;
  const late = wide ? known.filter((one) => one.browser === undefined && !isSame(one)) : [];
  const joined = late.flatMap((one) => (one.id === undefined ? [] : [{ ...one, id: one.id, browser }]));
  const own = { ...visit, browser };
  return {
    visit: own,
    recorded: [
      { ...withoutSession(own, live.senders), began: issuedAt },
      ...joined.map((one) => ({ ...withoutSession(one, live.senders), began: one.at })),
    ],
    cookies: joined.map((one) => setVisitCookie(one, sealer)),
    replaced: known.filter((one) => one.browser !== undefined && isSame(one)),
  };
}

/** Claims what the login uses up (see mint.ts) and keeps its visits, in one commit where the store has them. */
export async function claimRecorded(
  turn: Turn,
  keys: readonly SingleUse[],
  { recorded, replaced }: Pick<Recording, 'recorded' | 'replaced'>,
): Promise<void> {
  const { surface, now } = turn;
  const [visit] = recorded;
  if (!visit) return claim(turn, keys);
  const { keep, end, trim } = surface.recorded;
  const [claimed, kept] = await Promise.allSettled([claim(turn, keys), guarded(keep(recorded, now))]);
  const tidying = claimed.status === 'rejected' ? end([visit]) : Promise.all([end(replaced), trim(visit, now)]);
  // What is left lying there ends with its time.
  tidying.catch((error: unknown) => surface.audit.fault('visits', error));
  if (claimed.status === 'rejected') throw claimed.reason;
  if (kept.status === 'rejected') throw kept.reason;
}

/**
 * SAML alone tells by it which visits a LogoutRequest means; others keep an id_token there, which the store need not
 * have.
 */
function withoutSession<V extends Visit>(visit: V, senders: Turn['live']['senders']): V {
  if (senders.get(visit.environment as EnvironmentName) === 'single_logout') return visit;
  const { session: _, ...rest } = visit;
  return rest as V;
}
