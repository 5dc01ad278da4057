import { planCaught } from './caught-delivery.ts';
import { checkSettings, fillSettings } from './check-settings.ts';
import { carriedClaims, guestPreset, planClaims } from './claim-plan.ts';
import type { ClaimSetting, Minting } from './claim-read.ts';
import { planDelivery, reservedNames } from './delivery.ts';
import { writeDiscoursePayload } from './discourse-connect.ts';
import type { OpenPortal, PortalSettings } from './portal.ts';
import { decodeSecret } from './portal-key.ts';
import { planPreflight } from './preflight.ts';
import type { PortalPreset } from './preset.ts';
import { planRequest } from './read-request.ts';
import { planSignOut } from './sign-out.ts';
import { tradedPreset } from './traded.ts';

/**
 * Opens a portal: templates are filled in, allow-lists parsed and claims compiled here, so that the login path
 * only compares and joins. Settings that `checkSettings` would refuse are a bug of the caller and throw `Error`.
 */
export function openPortal(preset: PortalPreset, given: PortalSettings): OpenPortal {
  const [problem] = checkSettings(preset, given);
  if (problem) throw new Error(`portal ${given.portal.name}: ${problem.path.join('.')} ${problem.message}`);

  const config = fillSettings(preset, given.settings, given.publicOrigin);
  const delivery = given.delivery ?? {};
  const secrets = [given.secret, given.nextSecret]
    .filter((secret) => secret !== undefined)
    .map((secret) => decodeSecret(preset, secret));
  const requests = planRequest(preset, given, config, secrets, reservedNames(preset, delivery));
  return {
    portal: given.portal,
    carries: carriedClaims(preset.token),
    ...requests,
    ...planMaking({ preset, config, lifetime: given.tokenLifetime }),
    readDelivery: planCaught(preset, delivery, requests.returnUrl, given.portal),
    deliver: planDelivery(preset, config, delivery, requests.returnUrl),
    ...planSignOut(preset, config),
    ...planOnce(preset),
  };
}

function planOnce({ token, authn_request: { params } }: PortalPreset): Pick<OpenPortal, 'onceKey'> {
  const key = Object.keys(params).find((name) => params[name]?.role === 'replay_key');
  return token.replay === 'request_key' && key !== undefined ? { onceKey: (request) => request.params[key] } : {};
}

function planMaking(setting: ClaimSetting): Pick<OpenPortal, 'makeClaims' | 'makeTradedClaims' | 'makeGuestClaims'> {
  const { preset } = setting;
  const make = planToken(setting);
  const makeTraded = preset.traded ? planToken({ ...setting, preset: tradedPreset(preset) }) : make;
  const makeForGuest = preset.guest && planToken({ ...setting, preset: guestPreset(preset) });
  return {
    makeClaims: (identity, request, { now, id }) => make({ identity, request, now, id }),
    makeTradedClaims: (identity, request, { now, id }) => makeTraded({ identity, request, now, id }),
    ...(makeForGuest && { makeGuestClaims: (request, { now, id }) => makeForGuest({ request, now, id }) }),
  };
}

function planToken(setting: ClaimSetting): (minting: Minting) => string {
  const [claimsOf, preflight] = [planClaims(setting), planPreflight(setting)];
  const isJws = setting.preset.token.format === 'jws';
  return (minting) => {
    const claims = claimsOf(minting);
    preflight(claims, minting);
    return isJws ? JSON.stringify(claims) : writeDiscoursePayload(claims);
  };
}
