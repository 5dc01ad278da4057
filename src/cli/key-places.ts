import type { CheckedRoutes } from '../config/checked.ts';
import type { EnvironmentName, PortalName } from '../core/names.ts';
import type { Instant } from '../core/time.ts';
import { ISSUER_KEYS, keptUnder } from '../keys/kept-keys.ts';
import { type Algorithm, isHmac, type PublicKeyAlgorithm } from '../keys/keys.ts';
import { TOKEN_LIFETIME as LOGOUT_TOKEN } from '../logout/token.ts';
import { ID_TOKEN } from '../provider/lifetimes.ts';

/** Whom keys sign for: a portal, or an environment that is told of sign-outs by logout tokens. */
export type SignedFor = { readonly portal: PortalName } | { readonly environment: EnvironmentName };

/** The keys for one of them, and where they are: in the store, or what the routes file names. */
export type KeyPlace = KeptPlace | NamedPlace;

export type KeptPlace = {
  readonly for: SignedFor;
  readonly algorithm: PublicKeyAlgorithm;
  /** Their name in the store. */
  readonly kept: string;
  /** Seconds that what they sign is good for. */
  readonly tokenLifetime: number;
  /** Names of others for whom the same keys sign. */
  readonly sharedWith: readonly string[];
};

export type NamedPlace = {
  readonly for: SignedFor;
  readonly algorithm: Algorithm;
  /** When the file says that another one takes over. */
  readonly nextAt?: Instant;
};

export const nameOf = (to: SignedFor): string => ('portal' in to ? to.portal : to.environment);

/** All of them, in the order of the file. */
export function keyPlaces(routes: CheckedRoutes): KeyPlace[] {
  const places: KeyPlace[] = [];
  for (const [portal, { signing, settings }] of routes.portals) {
    const { algorithm } = signing;
    if ('secret' in signing || 'privateKeyPem' in signing || isHmac(algorithm)) {
      const next = 'next' in signing ? signing.next : undefined;
      places.push({ for: { portal }, algorithm, ...(next && { nextAt: next.at }) });
    } else {
      const { tokenLifetime } = settings;
      places.push({ for: { portal }, algorithm, kept: keptUnder(portal, algorithm), tokenLifetime, sharedWith: [] });
    }
  }
  return [...places, ...issuerPlaces(routes)];
}

/** What the issuer signs itself: ID tokens and logout tokens, with one set of keys for each algorithm. */
function issuerPlaces({ relyingParties, environments }: CheckedRoutes): KeptPlace[] {
  const users: { readonly for: SignedFor; readonly algorithm: PublicKeyAlgorithm; readonly lifetime: number }[] = [];
  for (const [portal, { party }] of relyingParties)
    users.push({ for: { portal }, algorithm: party.algorithm, lifetime: ID_TOKEN });
  for (const [environment, { receiver }] of environments)
    if (receiver) users.push({ for: { environment }, algorithm: receiver.algorithm, lifetime: LOGOUT_TOKEN });
  return users.map((user) => {
    const { algorithm } = user;
    const same = users.filter((other) => other.algorithm === algorithm);
    return {
      for: user.for,
      algorithm,
      kept: keptUnder(ISSUER_KEYS, algorithm),
      tokenLifetime: Math.max(...same.map(({ lifetime }) => lifetime)),
      sharedWith: same.filter((other) => other !== user).map((other) => nameOf(other.for)),
    };
  });
}
