import type { Discovery } from './discovery.ts';
import type { Environment } from './environment.ts';
import type { EnvironmentName, PortalName } from './names.ts';
import type { Portal } from './portal.ts';

/** What decisions are made from: the words of routes.yaml without keys, sockets and files. */
export type Routes = {
  readonly portals: ReadonlyMap<PortalName, Portal>;
  readonly environments: ReadonlyMap<EnvironmentName, Environment>;
  readonly discovery: Discovery;
};
