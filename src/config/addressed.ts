import type { PortalName } from '../core/names.ts';
import { loginPathOf } from '../provider/addresses.ts';
import type { CheckedRoutes } from './checked.ts';

/** The portals by the addresses that they have; nobody calls a relying party's login path but the provider. */
export function addressed({
  portals,
  relyingParties,
}: CheckedRoutes): { readonly name: PortalName; readonly loginPath: string; readonly logoutPath?: string }[] {
  return [
    ...[...portals].map(([name, portal]) => ({ name, ...portal })),
    ...[...relyingParties].map(([name, { logoutPath }]) => ({
      name,
      loginPath: loginPathOf(name),
      ...(logoutPath !== undefined && { logoutPath }),
    })),
  ];
}
