import type { EventEmitter } from 'node:events';
import Library, { type JWKS } from 'oidc-provider';
import type { EnvironmentName } from '../core/names.ts';
import type { Sealer } from '../keys/keys.ts';
import type { Store } from '../store/store.ts';
import { adapterOver } from './adapter.ts';
import { authorize, resume } from './browser-endpoints.ts';
import { call } from './called-endpoints.ts';
import { openCarrier } from './carry.ts';
import { began, prepare } from './complete.ts';
import { configurationOf } from './configuration.ts';
import { clearParty, readParties } from './cookies.ts';
import { forgetSession, frameOf, readLogout } from './logout.ts';
import { metadataOf } from './metadata.ts';
import type { Opened } from './opened.ts';
import { openPeople } from './people.ts';
import type { Ended, PartySession, Provider, ProviderHooks, ProviderSettings } from './provider.ts';
import { openRecords } from './records.ts';
import { openUnderWay } from './under-way.ts';

export type ProviderParts = {
  readonly store: Store;
  readonly sealer: Sealer;
  /** Private signing keys, one for each algorithm that a relying party uses. */
  readonly jwks: JWKS;
  /** What subjects are made with; another one makes strangers of everybody. 32 bytes or more. */
  readonly subjectKey: Buffer;
  readonly hooks: ProviderHooks;
};

/** Opens the provider. Throws an `Error` for settings that the library refuses, which were checked before. */
export async function openProvider(settings: ProviderSettings, parts: ProviderParts): Promise<Provider> {
  const opened = openLibrary(settings, parts);
  const { parties } = settings;
  for (const { clientId } of parties) await opened.library.Client.find(clientId);
  return {
    metadata: metadataOf(settings),
    authorize: (asked) => authorize(opened, asked),
    resume: (uid, asked) => resume(opened, uid, asked),
    call: (endpoint, asked) => call(opened, endpoint, asked),
    began: (request, browser) => began(opened, request, browser),
    prepare: (request, identity) => prepare(opened, request, identity),
    readLogout: (params) => readLogout(opened.library, parties, params),
    sessionsOf: (browser) => readParties(browser, parts.sealer),
    end: (session) => end(opened, session),
  };
}

function openLibrary(settings: ProviderSettings, { store, sealer, jwks, subjectKey, hooks }: ProviderParts): Opened {
  const { parties, issuer, publicOrigin } = settings;
  const byClient = new Map(parties.map((party) => [party.clientId, party]));
  const partyOf = (clientId: string | undefined) => (clientId === undefined ? undefined : byClient.get(clientId));
  const records = openRecords(store, sealer, hooks.now);
  const underWay = openUnderWay();
  const people = openPeople(records, subjectKey);
  const library: Library = new Library(
    issuer,
    configurationOf(settings, {
      adapter: adapterOver(records, underWay),
      jwks,
      party: partyOf,
      findPerson: async (clientId, subject) => {
        const party = partyOf(clientId);
        const person = party && (await people.find(subject));
        return person && hooks.admits(party.portal, person.environment) ? person : undefined;
      },
      mayStay: async (ctx) => {
        const party = partyOf(ctx.oidc.client?.clientId);
        const environment = ctx.oidc.account?.environment as EnvironmentName | undefined;
        if (!party || environment === undefined) return false;
        return hooks.visited(carrier.heardBy(ctx).browser, party.portal, environment);
      },
      showError: (ctx, error) => {
        carrier.heardBy(ctx).shown = error;
      },
    }),
  );
  const carrier = openCarrier(library, publicOrigin, underWay);
  // Koa's own listener would write to standard error.
  (library as EventEmitter).on('error', hooks.fault);
  const byPortal = new Map(parties.map((party) => [party.portal, party]));
  return { settings, hooks, sealer, people, records, library, carrier, byPortal, partyOf };
}

async function end({ library, settings, hooks, byPortal }: Opened, session: PartySession): Promise<Ended> {
  const cookies = [clearParty(session.portal)];
  const party = byPortal.get(session.portal);
  if (!party) return { cookies };
  // Nobody is kept from signing out: what stays behind cannot be reached without its cookies, and expires.
  await forgetSession(library, party.clientId, session).catch(hooks.fault);
  const frame = frameOf(party, settings.issuer, session.sid);
  return { cookies, ...(frame !== undefined && { frame }) };
}
