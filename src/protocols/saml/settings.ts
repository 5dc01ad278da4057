import type { EnvironmentName } from '../../core/names.ts';
import type { ClaimSources } from '../claim-sources.ts';

/** What routes.yaml says about an environment that is a SAML identity provider, checked. */
export type SamlEntry = {
  readonly provider: SamlProvider;
  /** Our entity ID; the address of our metadata unless set. */
  readonly entityId?: string;
  /** What our requests are signed with; absent: they are not. */
  readonly signing?: KeyPair;
  /** What assertions are encrypted to; absent: encrypted ones are refused. */
  readonly decryption?: KeyPair;
  /** Which signatures have to be there; one that is there and wrong refuses in every case. */
  readonly signed: 'assertion' | 'response' | 'both';
  readonly nameIdFormat?: string;
  /** Claims and the attributes that hold them, by Name; `name_id` is the subject's NameID. */
  readonly attributes: ClaimSources;
  /** Seconds from an assertion's IssueInstant, at the most. */
  readonly maxAge: number;
  /** `ForceAuthn`: the person proves again who they are. */
  readonly forceAuthn: boolean;
  /** RequestedAuthnContext class references, compared `exact`; empty: none is requested. */
  readonly authnContexts: readonly string[];
  /** Whether a sign-out goes through the provider's SingleLogoutService, where it has one. */
  readonly logout: boolean;
};

/** The identity provider, as its metadata or the file says. */
export type SamlProvider = {
  readonly entityId: string;
  readonly signOn: { readonly url: string; readonly binding: SamlBinding };
  /** `responseUrl`: where LogoutResponses go when that is another address. */
  readonly logout?: { readonly url: string; readonly binding: SamlBinding; readonly responseUrl?: string };
  /** PEM, at least one; two while the provider changes over. */
  readonly certificates: readonly string[];
};

export type SamlBinding = 'redirect' | 'post';

/** Both PEM. */
export type KeyPair = { readonly privateKey: string; readonly certificate: string };

export type SamlSettings = SamlEntry & {
  readonly environment: EnvironmentName;
  /** Origin of `public_url`, without a trailing slash. */
  readonly publicOrigin: string;
};

/** Seconds, of `max_age` unless set. */
export const DEFAULT_ASSERTION_AGE = 300;
