import type { SamlSettings } from './settings.ts';

/** Where the provider sends the browser, and what we are called there. */
export type OwnAddresses = {
  /** AssertionConsumerService, HTTP-POST. */
  readonly assertionConsumer: string;
  /** SingleLogoutService, both bindings. */
  readonly singleLogout: string;
  readonly entityId: string;
};

export function addressesOf({ publicOrigin, environment, entityId }: SamlSettings): OwnAddresses {
  const base = `${publicOrigin}/return/${environment}`;
  return { assertionConsumer: base, singleLogout: `${base}/logout`, entityId: entityId ?? `${base}/metadata` };
}
