import type Library from 'oidc-provider';
import type { PortalName } from '../core/names.ts';
import type { Sealer } from '../keys/keys.ts';
import type { Carrier } from './carry.ts';
import type { People } from './people.ts';
import type { ProviderHooks, ProviderSettings, RelyingParty } from './provider.ts';
import type { Records } from './records.ts';

/** What the parts of an open provider share. */
export type Opened = {
  readonly settings: ProviderSettings;
  readonly hooks: ProviderHooks;
  readonly sealer: Sealer;
  readonly people: People;
  readonly records: Records;
  readonly library: Library;
  readonly carrier: Carrier;
  readonly byPortal: ReadonlyMap<PortalName, RelyingParty>;
  partyOf(clientId: string | undefined): RelyingParty | undefined;
};
