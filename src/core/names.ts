/**
 * The names that an operator gives to portals and environments in routes.yaml.
 * They stand in addresses, cookie names and log lines, so the alphabet is small: `a-z`, `0-9` and `-`,
 * 1 to 63 characters, no `-` at either end (the shape of a DNS label).
 */
declare const brand: unique symbol;
export type PortalName = string & { readonly [brand]: 'PortalName' };
export type EnvironmentName = string & { readonly [brand]: 'EnvironmentName' };

export const NAME_PATTERN = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export const parsePortalName = (text: string): PortalName | undefined =>
  NAME_PATTERN.test(text) ? (text as PortalName) : undefined;

export const parseEnvironmentName = (text: string): EnvironmentName | undefined =>
  NAME_PATTERN.test(text) ? (text as EnvironmentName) : undefined;
