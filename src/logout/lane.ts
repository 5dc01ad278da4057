/**
 * Whose notices are whose. An environment's lane is its name; that of a portal which is a relying party is `portal:` and
 * its name. No name has a colon (core/names.ts), so neither can be taken for the other.
 */
import type { EnvironmentName, PortalName } from '../core/names.ts';

export type PartyLane = `portal:${PortalName}`;
export type Lane = EnvironmentName | PartyLane;

const PORTAL = 'portal:';

export const partyLane = (portal: PortalName): PartyLane => `${PORTAL}${portal}`;

/** Who has to be told, by the lane of a notice; exactly one of the two. */
type Owner =
  | { readonly environment: EnvironmentName; readonly portal?: never }
  | { readonly portal: PortalName; readonly environment?: never };

export const ownerOf = (lane: string): Owner =>
  lane.startsWith(PORTAL)
    ? { portal: lane.slice(PORTAL.length) as PortalName }
    : { environment: lane as EnvironmentName };
