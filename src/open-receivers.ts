/** Parties that are told behind the person's back → live receivers. Part of composing; see compose.ts. */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { CheckedRoutes } from './config/checked.ts';
import type { Clock } from './core/time.ts';
import { ISSUER_KEYS, keptUnder, openKeptKeys } from './keys/kept-keys.ts';
import type { Signer } from './keys/keys.ts';
import { makeUuid, type RandomBytes } from './keys/random.ts';
import { openRotatingSigner } from './keys/rotating-signer.ts';
import { partyLane } from './logout/lane.ts';
import type { Receiver, ReceiverSetup } from './logout/receiver.ts';
import { type LogoutAlgorithm, logoutClaims, openLogoutSigner } from './logout/token.ts';
import type { Outbound } from './outbound/outbound.ts';
import type { Store } from './store/store.ts';

export type ReceiverParts = {
  readonly store: Store;
  readonly outbound: Outbound;
  readonly random: RandomBytes;
  readonly clock: Clock;
};

/** By the lane of their notices. */
export type ReceiverSetups = ReadonlyMap<string, ReceiverSetup>;

export type Receivers = {
  readonly setups: ReceiverSetups;
  /** Those of them that have to be told: the others fetch. */
  readonly pushed: ReceiverSetups;
  readonly receivers: ReadonlyMap<string, Receiver>;
  /** Whose keys have to be published. */
  readonly signers: readonly Signer[];
};

/** Everybody whom a routes file says can be told. */
export function receiverSetups({ issuer, environments, relyingParties }: CheckedRoutes): ReceiverSetups {
  const setups = new Map<string, ReceiverSetup>();
  for (const [name, { receiver, trust }] of environments) {
    if (receiver) setups.set(name, { ...receiver, issuer, trust });
  }
  for (const [name, { party, trust }] of relyingParties) {
    const { backchannelLogoutUri: url, clientId: audience, algorithm } = party;
    if (url !== undefined) setups.set(partyLane(name), { by: 'push', url, audience, algorithm, issuer, trust });
  }
  return setups;
}

/** What did not change is taken over from `previous`, connections included. */
export async function openReceivers(
  setups: ReceiverSetups,
  parts: ReceiverParts,
  previous?: Receivers,
): Promise<Receivers> {
  const signers = new Map<LogoutAlgorithm, Signer>();
  const receivers = new Map<string, Receiver>();
  for (const [lane, setup] of setups) {
    const { algorithm } = setup;
    const signer = signers.get(algorithm) ?? (await openKeptSigner(algorithm, parts));
    signers.set(algorithm, signer);
    const kept = isDeepStrictEqual(previous?.setups.get(lane), setup) ? previous?.receivers.get(lane) : undefined;
    receivers.set(lane, kept ?? openReceiver(lane, setup, signer, parts));
  }
  const pushed = new Map([...setups].filter(([, { by }]) => by === 'push'));
  return { setups, pushed, receivers, signers: [...signers.values()] };
}

/** Ends the connections to those that the new routes do not use. Calls under way come to their end. */
export function closeReceivers(old: Receivers, next?: Receivers): void {
  for (const [lane, receiver] of old.receivers)
    if (receiver.by === 'push' && next?.receivers.get(lane) !== receiver) void receiver.caller.close();
}

/** The keys are the issuer's, as are those of its ID tokens; `typ` tells the tokens apart. */
function openKeptSigner(algorithm: LogoutAlgorithm, { store, clock }: ReceiverParts): Promise<Signer> {
  const kept = openKeptKeys(store, keptUnder(ISSUER_KEYS, algorithm), algorithm);
  return openRotatingSigner(algorithm, kept, clock, (pem) => openLogoutSigner(algorithm, pem));
}

function openReceiver(
  lane: string,
  setup: ReceiverSetup,
  signer: Signer,
  { outbound, random }: Pick<ReceiverParts, 'outbound' | 'random'>,
): Receiver {
  const mint: Receiver['mint'] = async (gone, endedAt, now) =>
    signer.sign(JSON.stringify(logoutClaims(setup, gone, { id: makeUuid(random), now, endedAt })));
  if (setup.by === 'pull') return { by: 'pull', secret: createHash('sha256').update(setup.secret).digest(), mint };
  // A caller of its own: where this address hangs, logins through the environment go on.
  return { by: 'push', url: setup.url, caller: outbound.callerFor(`${lane} (logout.back)`, setup.trust), mint };
}
