/**
 * Visits that somebody else than their browser can end. The browser has them, sealed; the store has them, too, to be
 * found by what their environment calls the person. Names in the store are random or hashes under a key that lies there
 * sealed, values are sealed: where the seal keys are kept elsewhere, a copy of the store names nobody. What is not
 * there any more has ended.
 */
import { createHmac } from 'node:crypto';
import type { EnvironmentName, PortalName } from '../core/names.ts';
import type { Instant } from '../core/time.ts';
import type { Visit } from '../core/visit.ts';
import type { Sealer } from '../keys/keys.ts';
import type { PartySession } from '../provider/provider.ts';
import type { Store, Thing } from '../store/store.ts';
import type { Gone } from './token.ts';

export type RecordedVisit = Visit & {
  readonly id: string;
  readonly browser: string;
  /** When the environment said who this is, by its own clock, which its logout tokens are written by, too. */
  readonly began: Instant;
};

/** All of them throw what the store throws. */
export type RecordedVisits = {
  /** All, or none; durable before it returns. */
  keep(visits: readonly RecordedVisit[], now: Instant): Promise<void>;
  /** Ends the oldest of those that are too many for one browser or one person of an environment. */
  trim(visit: RecordedVisit, now: Instant): Promise<void>;
  /**
   * The visits that an environment means: of its own people alone, and begun no later than the session ended. A visit
   * whose environment gave its session no name is ended by the person's.
   */
  meantBy(environment: EnvironmentName, gone: Gone, endedAt: Instant, now: Instant): Promise<readonly RecordedVisit[]>;
  ofBrowser(browser: string, now: Instant): Promise<readonly RecordedVisit[]>;
  /** Whether it goes on: it was kept, and nobody has ended it. */
  goesOn(id: string, now: Instant): Promise<boolean>;
  /** They are over. */
  end(visits: readonly Pick<Visit, 'id'>[]): Promise<void>;
  /** The relying party that a visit signed its person in at. */
  keepParty(id: string, party: PartySession, until: Instant, now: Instant): Promise<void>;
  partyOf(id: string, now: Instant): Promise<PartySession | undefined>;
  /** Uses a logout token up, once, together with what it ends. */
  spendToken(token: SpentToken, ends: readonly RecordedVisit[], now: Instant): Promise<'first' | 'replayed'>;
  /** Whether it was used up before. */
  isSpent(token: SpentToken, now: Instant): Promise<boolean>;
};

export type SpentToken = {
  readonly environment: EnvironmentName;
  readonly jti: string;
  readonly acceptableUntil: Instant;
};

/** Visits of one browser, and of one person of an environment. Older ones end. */
export const MOST_OF_BROWSER = 32;
export const MOST_OF_PERSON = 64;

/** How many too many are seen at once. */
const MARGIN = 16;

/** Seconds that a visit is kept: as long as the browser keeps it (http/cookies.ts). */
export const RECORDED_LIFETIME = 400 * 86_400;

const VISIT = 'visit/';
const PARTY = 'visit-party/';

export function openRecordedVisits(store: Store, sealer: Sealer, key: Buffer): RecordedVisits {
  const hash = (...what: readonly string[]): string =>
    createHmac('sha256', key).update(JSON.stringify(what)).digest('base64url');
  const ofBrowser = (browser: string) => `visits/browser/${hash(browser)}`;
  const ofSubject = (environment: string, subject: string) => `visits/subject/${hash(environment, subject)}`;
  const ofSession = (environment: string, sid: string) => `visits/session/${hash(environment, sid)}`;
  const tokenName = ({ environment, jti }: SpentToken) => `logout-token/${hash(environment, jti)}`;

  const groupsOf = ({ browser, environment, subject, sid }: RecordedVisit): string[] => [
    ofBrowser(browser),
    ...(subject !== undefined ? [ofSubject(environment, subject)] : []),
    ...(sid !== undefined ? [ofSession(environment, sid)] : []),
  ];

  const thingOf = (visit: RecordedVisit, now: Instant): Thing => ({
    name: `${VISIT}${visit.id}`,
    value: sealer.seal([VISIT, visit.id], writeVisit(visit), now),
    until: visit.at + RECORDED_LIFETIME,
    groups: groupsOf(visit),
  });

  async function inGroup(group: string, most: number, now: Instant): Promise<RecordedVisit[]> {
    const found = await store.heldIn(group, most, now);
    return found.flatMap(({ name, value }) => {
      const id = name.slice(VISIT.length);
      const text = sealer.open([VISIT, id], value);
      return text === undefined ? [] : [readVisit(id, text)];
    });
  }

  const namesOf = (visits: readonly Pick<Visit, 'id'>[]): string[] =>
    visits.flatMap(({ id }) => (id === undefined ? [] : [`${VISIT}${id}`, `${PARTY}${id}`]));

  const end: RecordedVisits['end'] = async (visits) => {
    const names = namesOf(visits);
    if (names.length > 0) await store.release(names);
  };

  return {
    keep: (visits, now) =>
      store.hold(
        visits.map((visit) => thingOf(visit, now)),
        now,
      ),

    async trim(visit, now) {
      const { browser, environment, subject } = visit;
      const bounds: [string, number][] = [[ofBrowser(browser), MOST_OF_BROWSER]];
      if (subject !== undefined) bounds.push([ofSubject(environment, subject), MOST_OF_PERSON]);
      const over = await Promise.all(
        bounds.map(async ([group, most]) => (await store.heldIn(group, most + MARGIN, now)).slice(most)),
      );
      await end(over.flat().map(({ name }) => ({ id: name.slice(VISIT.length) })));
    },

    async meantBy(environment, { subject, sid }, endedAt, now) {
      const groups: string[] = [];
      if (sid !== undefined) groups.push(ofSession(environment, sid));
      if (subject !== undefined) groups.push(ofSubject(environment, subject));
      const found = await Promise.all(groups.map((group) => inGroup(group, MOST_OF_PERSON + MARGIN, now)));
      const meant = new Map<string, RecordedVisit>();
      for (const visit of found.flat()) {
        const samePerson = subject === undefined || visit.subject === subject;
        const sameSession = sid === undefined || visit.sid === undefined || visit.sid === sid;
        if (visit.environment === environment && samePerson && sameSession && visit.began <= endedAt)
          meant.set(visit.id, visit);
      }
      return [...meant.values()];
    },

    ofBrowser: (browser, now) => inGroup(ofBrowser(browser), MOST_OF_BROWSER + MARGIN, now),
    goesOn: async (id, now) => (await store.held(`${VISIT}${id}`, now)) !== undefined,
    end,

    async keepParty(id, party, until, now) {
      const name = `${PARTY}${id}`;
      await store.hold([{ name, value: sealer.seal([PARTY, id], JSON.stringify(party), now), until }], now);
    },

    async partyOf(id, now) {
      const held = await store.held(`${PARTY}${id}`, now);
      const text = held && sealer.open([PARTY, id], held.value);
      return text === undefined ? undefined : (JSON.parse(text) as PartySession);
    },

    async isSpent(token, now) {
      return (await store.held(tokenName(token), now))?.spentAt !== undefined;
    },

    /**
     * In one turn, so that it is one commit where the store has them: who dies before it has ended nothing, and is told
     * again.
     */
    async spendToken(token, ends, now) {
      const name = tokenName(token);
      const [, spent] = await Promise.all([
        store.hold([{ name, value: '', until: token.acceptableUntil }], now),
        store.spend(name, now),
        end(ends),
      ]);
      return spent === 'first' ? 'first' : 'replayed';
    },
  };
}

type Written = [
  portal: PortalName,
  environment: EnvironmentName,
  at: Instant,
  began: Instant,
  browser: string,
  appUrl: string,
  subject: string | null,
  sid: string | null,
  session: string | null,
];

const writeVisit = ({ portal, environment, at, began, browser, appUrl, subject, sid, session }: RecordedVisit) =>
  JSON.stringify([portal, environment, at, began, browser, appUrl, subject, sid, session]);

function readVisit(id: string, text: string): RecordedVisit {
  const [portal, environment, at, began, browser, appUrl, subject, sid, session] = JSON.parse(text) as Written;
  return {
    id,
    portal,
    environment,
    at,
    began,
    browser,
    appUrl,
    ...(subject !== null && { subject }),
    ...(sid !== null && { sid }),
    ...(session !== null && { session }),
  };
}
