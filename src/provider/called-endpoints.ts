import { ENDPOINTS } from './addresses.ts';
import type { Opened } from './opened.ts';
import type { Asked, Carried } from './provider.ts';
import { detailOf, reasonOf, refusalOf } from './refusal.ts';

/** The headers that the library looks at. */
const HEADERS = ['authorization', 'origin', 'access-control-request-method', 'access-control-request-headers'];

/** The endpoints that relying parties call: the token endpoint (RFC 6749 §3.2) and userinfo (OIDC Core §5.3). */
export async function call(
  { carrier, partyOf }: Opened,
  endpoint: 'token' | 'userinfo',
  { method, params: sent, header }: Asked,
): Promise<Carried> {
  const params = endpoint === 'token' ? withoutOffline(sent) : sent;
  const { heard, ...answered } = await carrier.carry({
    method,
    path: ENDPOINTS[endpoint],
    params,
    cookies: {},
    headers: {
      ...Object.fromEntries(HEADERS.map((name) => [name, header(name)])),
      // Faults are for programs, whatever they say that they prefer.
      accept: 'application/json',
    },
    browser: '',
  });
  const { broken, told, clientId } = heard;
  if (broken) throw refusalOf(broken);
  const { 'content-length': _length, ...headers } = answered.headers;
  const portal = partyOf(clientId)?.portal;
  const minted = endpoint === 'token' && answered.status === 200 && method === 'POST';
  const reason = told ? reasonOf(told) : minted ? ('ok' as const) : undefined;
  return {
    ...answered,
    headers,
    cookies: [],
    ...(reason && { outcome: { reason, ...(portal && { portal }), ...(told && { detail: detailOf(told) }) } }),
  };
}

/**
 * A refresh may name the scopes of the authorization request again (RFC 6749 §6). Of those the library has dropped
 * `offline_access` where the request was without `prompt=consent` (OIDC Core §11), though here the file has given it.
 */
function withoutOffline(params: Asked['params']): Asked['params'] {
  const scope = params.get('scope');
  if (scope === undefined || params.get('grant_type') !== 'refresh_token') return params;
  const scopes = scope.split(' ').filter((name) => name !== 'offline_access');
  return new Map([...params, ['scope', scopes.join(' ')]]);
}
