import { planCaught } from './caught-delivery.ts';
import { checkSettings, fillSettings } from './check-settings.ts';
import { carriedClaims, planClaims } from './claim-plan.ts';
import { planDelivery, reservedNames } from './delivery.ts';
import type { OpenPortal, PortalSettings } from './portal.ts';
import type { PortalPreset } from './preset.ts';
import { planRequest } from './read-request.ts';

/**
 * Opens a portal: templates are filled in, allow-lists parsed and claims compiled here, so that the login path
 * only compares and joins. Settings that `checkSettings` would refuse are a bug of the caller and throw `Error`.
 */
export function openPortal(preset: PortalPreset, given: PortalSettings): OpenPortal {
  const [problem] = checkSettings(preset, given);
  if (problem) throw new Error(`portal ${given.portal.name}: ${problem.path.join('.')} ${problem.message}`);

  const config = fillSettings(preset, given.settings, given.publicOrigin);
  const delivery = given.delivery ?? {};
  const reserved = reservedNames(preset, delivery);
  const requests = planRequest(preset, given.portal.name, config, given.allowRedirects, reserved);
  const claims = planClaims(preset.token, config, given.tokenLifetime);
  return {
    portal: given.portal,
    carries: carriedClaims(preset.token),
    ...requests,
    makeClaims: (identity, request, { now, id }) => claims({ identity, request, now, id }),
    readDelivery: planCaught(preset, delivery, requests.returnUrl, given.portal),
    deliver: planDelivery(preset, config, delivery, requests.returnUrl),
  };
}
