import type { Arrival, Query } from './portal.ts';
import type { PortalPreset } from './preset.ts';
import { ROUTER_PARAMS } from './router-params.ts';

/**
 * Compiles the reading of an address that the portal wrote into its query without encoding it
 * (`?return_to=/a?x=1&y=2`): from a bare `/` on, everything up to a parameter of the router's own belongs to it, its
 * bytes unchanged. Written in encoding (`%2Fa%3Fx…`), or where the query's text is not at hand, it is read as any
 * other parameter is.
 */
export function planUnencoded(preset: PortalPreset): (query: Query, arrival: Arrival | undefined) => Query {
  const [name] =
    Object.entries(preset.authn_request.params).find(([, { url }]) => url?.kind === 'relative' && url.unencoded) ?? [];
  if (name === undefined) return (query) => query;
  return (query, arrival) => {
    const rest = arrival && restOf(arrival.search, name);
    return rest === undefined ? query : new Map([...query, [name, rest]]);
  };
}

function restOf(search: string, name: string): string | undefined {
  const pairs = search.split('&');
  const start = pairs.findIndex((pair) => pair.startsWith(`${name}=/`));
  if (start === -1) return undefined;
  const length = pairs.slice(start).findIndex((pair) => ROUTER_PARAMS.has(pair.split('=', 1)[0] ?? ''));
  const own = length === -1 ? pairs.slice(start) : pairs.slice(start, start + length);
  return own.join('&').slice(name.length + 1);
}
