/** Portals with `oidc` → live portals, and the provider that serves them. Part of composing; see compose.ts. */
import type { JWKS } from 'oidc-provider';
import type { CheckedRelyingParty, CheckedRoutes } from './config/checked.ts';
import { admit } from './core/decide.ts';
import type { PortalName } from './core/names.ts';
import { readsOf } from './core/reads.ts';
import { Refusal } from './core/reason.ts';
import type { Clock } from './core/time.ts';
import { readVisits } from './http/cookies.ts';
import type { LivePortal } from './http/live.ts';
import { ISSUER_KEYS, type KeptKeys, keptUnder, openKeptKeys } from './keys/kept-keys.ts';
import type { Sealer, Signer } from './keys/keys.ts';
import { openPrivateJwks } from './keys/private-jwks.ts';
import { type RandomBytes, randomToken } from './keys/random.ts';
import { openRotatingSigner } from './keys/rotating-signer.ts';
import { openSigner } from './keys/signer.ts';
import type { RecordedVisits } from './logout/recorded-visits.ts';
import { loginPathOf } from './provider/addresses.ts';
import { PARTY } from './provider/lifetimes.ts';
import { openPartyPortal } from './provider/party-portal.ts';
import type { IdTokenAlgorithm, Provider, ProviderHooks } from './provider/provider.ts';
import { openRotatingProvider } from './provider/rotating-provider.ts';
import type { Store } from './store/store.ts';

export type PartyParts = {
  readonly store: Store;
  readonly sealer: Sealer;
  readonly recorded: RecordedVisits;
  readonly random: RandomBytes;
  readonly clock: Clock;
  /** Something that should not happen, outside of any answer. */
  readonly fault: (error: unknown) => void;
};

export type OpenedParties = { readonly portals: ReadonlyMap<PortalName, LivePortal>; readonly provider?: Provider };

/** The library behind the provider is loaded with the first relying party. */
export async function openRelyingParties(checked: CheckedRoutes, parts: PartyParts): Promise<OpenedParties> {
  const { relyingParties, routes, issuer, publicOrigin, loginLifetime } = checked;
  if (relyingParties.size === 0) return { portals: new Map() };
  const { store, sealer, recorded, clock, fault } = parts;
  const parties = [...relyingParties.values()];
  const claims = assertedClaims(checked);
  const hints = [...new Set([...readsOf(routes).query, 'login_hint', 'domain_hint'])];
  const keys = await openKeys(parties, store, clock);
  const portals = new Map(
    parties.map((party) => [party.portal.name, livePortal(party, claims, hints, keys.signers)] as const),
  );

  const hooks: ProviderHooks = {
    admits: (portal, environment) => {
      const known = routes.portals.get(portal);
      return known !== undefined && 'environment' in admit(routes, known, environment, clock());
    },
    visited: async (cookies, portal, environment) => {
      const visit = readVisits(cookies, portal, sealer).find((one) => one.environment === environment);
      if (!visit || visit.id === undefined || visit.browser === undefined) return visit !== undefined;
      return available(recorded.goesOn(visit.id, clock()));
    },
    signedIn: async (cookies, session) => {
      const visits = readVisits(cookies, session.portal, sealer);
      const visit = visits.find(({ environment }) => environment === session.environment);
      if (visit?.id === undefined || visit.browser === undefined) return;
      await available(recorded.keepParty(visit.id, session, clock() + PARTY, clock()));
    },
    now: clock,
    fault,
  };
  const { openProvider } = await import('./provider/open-provider.ts');
  const settings = { issuer, publicOrigin, parties: parties.map(({ party }) => party), loginLifetime, claims, hints };
  const providerParts = {
    store,
    sealer,
    subjectKey: Buffer.from(await store.keep('subject-key', () => randomToken(32)), 'base64url'),
    hooks,
  };
  const provider = await openRotatingProvider(keys.jwks, (jwks) => openProvider(settings, { ...providerParts, jwks }));
  return { portals, provider };
}

async function available<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new Refusal('store_unavailable', error instanceof Error ? error.message : undefined);
  }
}

function livePortal(
  { portal, party, homeUrl }: CheckedRelyingParty,
  claims: readonly string[],
  hints: readonly string[],
  signers: ReadonlyMap<IdTokenAlgorithm, Signer>,
): LivePortal {
  const signer = signers.get(party.algorithm);
  if (!signer) throw new Error(`no key for ${party.algorithm}`);
  return {
    open: openPartyPortal(portal, claims, hints),
    signer,
    tokenLifetime: 0,
    loginPath: loginPathOf(portal.name),
    metadataAtLoginPath: false,
    relyingParty: true,
    ...(homeUrl !== undefined && { homeUrl }),
  };
}

/** A set of keys for each algorithm, made and kept by the store: the tokens of all relying parties are the issuer's. */
async function openKeys(parties: readonly CheckedRelyingParty[], store: Store, clock: Clock) {
  const signers = new Map<IdTokenAlgorithm, Signer>();
  const sets = new Map<IdTokenAlgorithm, KeptKeys>();
  for (const algorithm of new Set(parties.map(({ party }) => party.algorithm))) {
    const kept = openKeptKeys(store, keptUnder(ISSUER_KEYS, algorithm), algorithm);
    const openKey = (privateKeyPem: string) => openSigner(algorithm, { privateKeyPem });
    sets.set(algorithm, kept);
    signers.set(algorithm, await openRotatingSigner(algorithm, kept, clock, openKey));
  }
  return { signers, jwks: openPrivateJwks(sets, clock) as () => Promise<JWKS> };
}

/** Every claim beside the email that some environment may assert, or that is set for it. */
function assertedClaims({ environments }: CheckedRoutes): string[] {
  const claims = new Set<string>();
  for (const { environment } of environments.values()) {
    for (const claim of environment.mayAssert.claims) claims.add(claim);
    for (const claim of Object.keys(environment.sets)) claims.add(claim);
  }
  return [...claims];
}
