import type { Environment } from '../core/environment.ts';
import type { EnvironmentName } from '../core/names.ts';
import type { Delegate } from '../protocols/delegate.ts';

/** What /api/auth/jwt looks up, made when the routes are read. */
export type ExchangeIndex = {
  /** The environments by the `iss` of their tokens; one, unless the routes give an issuer to several. */
  readonly byIssuer: ReadonlyMap<string, readonly EnvironmentName[]>;
  /** The origin of each `app_url`, as browsers write it (RFC 6454 §6.2). */
  readonly appOrigins: ReadonlyMap<EnvironmentName, string>;
  /** All of them. */
  readonly origins: ReadonlySet<string>;
};

export function openExchangeIndex(
  environments: ReadonlyMap<EnvironmentName, Environment>,
  delegates: ReadonlyMap<EnvironmentName, Delegate>,
): ExchangeIndex {
  const byIssuer = new Map<string, EnvironmentName[]>();
  for (const [name, { tokenIssuer }] of delegates) {
    if (tokenIssuer !== undefined) byIssuer.set(tokenIssuer, [...(byIssuer.get(tokenIssuer) ?? []), name]);
  }
  const appOrigins = new Map([...environments].map(([name, { appUrl }]) => [name, new URL(appUrl).origin]));
  return { byIssuer, appOrigins, origins: new Set(appOrigins.values()) };
}
