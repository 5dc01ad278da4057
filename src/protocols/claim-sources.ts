import type { Claims, ClaimValue } from '../core/environment.ts';

/** A claim → the places that may hold it, the first that does wins. */
export type ClaimSources = ReadonlyMap<string, readonly string[]>;

/**
 * The claims of a person: those that stand under their own names, and over them those that the operator says stand
 * elsewhere. A place is a name, or names joined by dots that lead into objects; a name with a dot in it is found
 * first. A claim whose places are all empty is absent, also where it stands under its own name: a mapping replaces.
 */
export function mapClaims(said: Readonly<Record<string, unknown>>, sources: ClaimSources): Claims {
  // A name may be `__proto__`; without a prototype it is a claim like any other.
  const claims: Record<string, ClaimValue> = Object.create(null);
  for (const name of Object.keys(said)) if (!sources.has(name)) claims[name] = said[name] as ClaimValue;
  for (const [claim, places] of sources) {
    const value = places.map((place) => valueAt(said, place)).find((found) => found !== undefined && found !== null);
    if (value !== undefined) claims[claim] = value as ClaimValue;
  }
  return claims;
}

function valueAt(from: unknown, place: string): unknown {
  if (typeof from !== 'object' || from === null) return undefined;
  if (Object.hasOwn(from, place)) return (from as Record<string, unknown>)[place];
  const dot = place.indexOf('.');
  if (dot <= 0) return undefined;
  const name = place.slice(0, dot);
  return Object.hasOwn(from, name) ? valueAt((from as Record<string, unknown>)[name], place.slice(dot + 1)) : undefined;
}
