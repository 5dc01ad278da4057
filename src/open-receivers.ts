/** Environments that are told behind the person's back → live receivers. Part of composing; see compose.ts. */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { CheckedEnvironment, CheckedRoutes } from './config/checked.ts';
import type { EnvironmentName } from './core/names.ts';
import type { Clock } from './core/time.ts';
import { ISSUER_KEYS, keptUnder, openKeptKeys } from './keys/kept-keys.ts';
import type { Signer } from './keys/keys.ts';
import { makeUuid, type RandomBytes } from './keys/random.ts';
import { openRotatingSigner } from './keys/rotating-signer.ts';
import type { Receiver } from './logout/receiver.ts';
import { type LogoutAlgorithm, logoutClaims, openLogoutSigner } from './logout/token.ts';
import type { Outbound } from './outbound/outbound.ts';
import type { Store } from './store/store.ts';

export type ReceiverParts = {
  readonly store: Store;
  readonly outbound: Outbound;
  readonly random: RandomBytes;
  readonly clock: Clock;
};

export type Receivers = {
  readonly checked: CheckedRoutes;
  readonly receivers: ReadonlyMap<EnvironmentName, Receiver>;
  /** Whose keys have to be published. */
  readonly signers: readonly Signer[];
};

/** What did not change is taken over from `previous`, connections included. */
export async function openReceivers(
  checked: CheckedRoutes,
  parts: ReceiverParts,
  previous?: Receivers,
): Promise<Receivers> {
  const signers = new Map<LogoutAlgorithm, Signer>();
  const receivers = new Map<EnvironmentName, Receiver>();
  for (const [name, entry] of checked.environments) {
    const { receiver: settings } = entry;
    if (!settings) continue;
    const { algorithm } = settings;
    const signer = signers.get(algorithm) ?? (await openKeptSigner(algorithm, parts));
    signers.set(algorithm, signer);
    receivers.set(name, unchanged(checked, name, previous) ?? openReceiver(checked.issuer, entry, signer, parts));
  }
  return { checked, receivers, signers: [...signers.values()] };
}

/** Ends the connections to those that the new routes do not use. Calls under way come to their end. */
export function closeReceivers(old: Receivers, next?: Receivers): void {
  for (const [name, receiver] of old.receivers)
    if (receiver.by === 'push' && next?.receivers.get(name) !== receiver) void receiver.caller.close();
}

/** The keys are the issuer's, as are those of its ID tokens; `typ` tells the tokens apart. */
function openKeptSigner(algorithm: LogoutAlgorithm, { store, clock }: ReceiverParts): Promise<Signer> {
  const kept = openKeptKeys(store, keptUnder(ISSUER_KEYS, algorithm), algorithm);
  return openRotatingSigner(algorithm, kept, clock, (pem) => openLogoutSigner(algorithm, pem));
}

function openReceiver(
  issuer: string,
  { environment: { name }, trust, receiver: settings }: CheckedEnvironment,
  signer: Signer,
  { outbound, random }: ReceiverParts,
): Receiver {
  if (!settings) throw new Error(`environment ${name} cannot be told`);
  const { audience } = settings;
  const mint: Receiver['mint'] = async (gone, endedAt, now) =>
    signer.sign(JSON.stringify(logoutClaims({ issuer, audience }, gone, { id: makeUuid(random), now, endedAt })));
  if (settings.by === 'pull')
    return { by: 'pull', secret: createHash('sha256').update(settings.secret).digest(), mint };
  // A caller of its own: where this address hangs, logins through the environment go on.
  return { by: 'push', url: settings.url, caller: outbound.callerFor(`${name} (logout.back)`, trust), mint };
}

function unchanged(checked: CheckedRoutes, name: EnvironmentName, previous?: Receivers): Receiver | undefined {
  if (previous?.checked.issuer !== checked.issuer) return undefined;
  const openedFrom = ({ environments }: CheckedRoutes) => {
    const { receiver, trust } = environments.get(name) ?? {};
    return { receiver, trust };
  };
  return isDeepStrictEqual(openedFrom(previous.checked), openedFrom(checked))
    ? previous.receivers.get(name)
    : undefined;
}
