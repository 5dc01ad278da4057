import { Refusal } from '../core/reason.ts';
import { foldName } from './parameter-name.ts';
import type { CaughtDelivery, OpenPortal, PortalSettings } from './portal.ts';
import { type PortalPreset, returnParam, unsolicitedResponse } from './preset.ts';

/**
 * Compiles the reading of redirects that an environment makes to the portal itself, as it did before there was a
 * router: the portal's return address with exactly one token in its query. What remains without the token is judged
 * as every return address is.
 */
export function planCaught(
  preset: PortalPreset,
  override: NonNullable<PortalSettings['delivery']>,
  returnUrl: OpenPortal['returnUrl'],
  portal: OpenPortal['portal'],
): OpenPortal['readDelivery'] {
  const returnName = returnParam(preset);
  // An environment that signs no portal's requests cannot have answered one; what is no JWT is not read here.
  const plain = preset.authn_request.encoding === 'query' && preset.token.format === 'jws';
  if (returnName === undefined || !plain) return () => undefined;
  const names = new Set<string>();
  for (const rule of [preset.authn_response, unsolicitedResponse(preset)]) {
    if (rule?.token_param) names.add(rule.token_param);
  }
  for (const name of [override.param, override.unsolicitedParam]) if (name !== undefined) names.add(name);
  const folded = new Set([...names].map(foldName));

  return (location): CaughtDelivery | undefined => {
    const mark = location.indexOf('?');
    if (mark === -1 || location.includes('#')) return undefined;
    const pairs = location.slice(mark + 1).split('&');
    const tokens = pairs.filter((pair) => folded.has(foldName(pair.split('=', 1)[0] ?? '')));
    const [found] = tokens;
    const equals = found?.indexOf('=') ?? -1;
    if (found === undefined || tokens.length !== 1 || !names.has(found.slice(0, equals))) return undefined;
    const rest = pairs.filter((pair) => pair !== found).join('&');
    const url = rest === '' ? location.slice(0, mark) : `${location.slice(0, mark)}?${rest}`;
    try {
      returnUrl({ portal: portal.name, initiated: 'platform', params: { [returnName]: url } });
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
    return { token: found.slice(equals + 1), query: new Map([[returnName, url]]) };
  };
}
