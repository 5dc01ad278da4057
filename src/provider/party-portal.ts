import type { Portal } from '../core/portal.ts';
import { Refusal } from '../core/reason.ts';
import type { OpenPortal, Query } from '../portals/portal.ts';
import { INTERACTION } from './addresses.ts';

/** As the library makes them (nanoid). */
const UID = /^[A-Za-z0-9_-]{21,64}$/;

/**
 * A relying party in the shape of a portal, so that its logins run as all others do: its request on the login path is
 * the authorization request that led there. It has no token that could be brought to it, by a link or by trading.
 */
export function openPartyPortal(portal: Portal, claims: readonly string[], hints: readonly string[]): OpenPortal {
  const read = (query: Query) => {
    const uid = query.get(INTERACTION);
    if (uid === undefined) throw new Refusal('request_parameter_missing', INTERACTION);
    if (!UID.test(uid)) throw new Refusal('request_malformed', INTERACTION);
    const kept = hints.flatMap((name) => {
      const value = query.get(name);
      return value === undefined ? [] : [[name, value] as const];
    });
    return {
      portal: portal.name,
      initiated: 'portal' as const,
      params: { [INTERACTION]: uid, ...Object.fromEntries(kept) },
    };
  };
  return {
    portal,
    carries: new Set(claims),
    readRequest: read,
    readEntry: () => {
      throw new Refusal('request_parameter_missing', 'a login at this portal begins at the portal');
    },
    returnUrl: () => undefined,
    makeClaims: () => {
      throw new Refusal('sso_not_configured', 'this portal signs people in by OpenID Connect');
    },
    readDelivery: () => undefined,
    deliver: () => {
      throw new Error('nothing is delivered to a relying party but by the provider');
    },
  };
}
