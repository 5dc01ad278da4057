import type { PortalRequest } from '../core/portal.ts';

/** Parameters of ours on the login URL: what the person chose on a page, or which page they want. */
export const OWN_PARAMS = ['choose', 'ask'] as const;

/** The login URL with the portal's own query, its bytes unchanged, and without our parameters. */
export function asCalled(loginPath: string, search: string): string {
  const kept = search.split('&').filter((pair) => pair !== '' && !OWN_PARAMS.some((name) => isNamed(pair, name)));
  return kept.length === 0 ? loginPath : `${loginPath}?${kept.join('&')}`;
}

const isNamed = (pair: string, name: string) => pair === name || pair.startsWith(`${name}=`);

/** The login URL that asks for the same thing once more. */
export function askedAgain(loginPath: string, { params }: PortalRequest): string {
  const query = new URLSearchParams(params).toString();
  return query === '' ? loginPath : `${loginPath}?${query}`;
}
