/**
 * What a routes file says once it is known to be right: the input of opening it. Plain data, with durations in
 * seconds, defaults filled in, secrets as bytes and keys as text. Nothing in it is open: no socket, no file.
 */
import type { BlockList } from 'node:net';
import type { Environment } from '../core/environment.ts';
import type { EnvironmentName, PortalName } from '../core/names.ts';
import type { Portal } from '../core/portal.ts';
import type { Routes } from '../core/routes.ts';
import type { Instant } from '../core/time.ts';
import type { HmacAlgorithm, PublicKeyAlgorithm } from '../keys/keys.ts';
import type { ReceiverSettings } from '../logout/receiver.ts';
import type { Trust } from '../outbound/outbound.ts';
import type { PortalSettings } from '../portals/portal.ts';
import type { PortalPreset } from '../portals/preset.ts';
import type { OidcEntry } from '../protocols/oidc/settings.ts';
import type { SamlEntry } from '../protocols/saml/settings.ts';
import type { SessionEntry } from '../protocols/session/settings.ts';
import type { RelyingParty } from '../provider/provider.ts';
import type { ProxySettings } from '../proxy/settings.ts';
import type { RedisAccess } from '../store/redis-address.ts';

export type CheckedRoutes = {
  /** The routes file as it was named. */
  readonly file: string;
  /** Every file that was read for it, itself first: what to watch for changes. */
  readonly files: readonly string[];
  /** Origin of `public_url`, without a trailing slash. */
  readonly publicOrigin: string;
  /** `iss` of portal tokens: the origin with one slash. */
  readonly issuer: string;
  readonly listen: HostAndPort;
  readonly admin: HostAndPort;
  readonly trustedProxies: BlockList;
  /** `sqlite:<path as the process can open it>`, `memory:` or a Redis address, without a password in it. */
  readonly store: string;
  /** Where the store is Redis. */
  readonly redis?: RedisAccess;
  /** Newest first; empty: the store keeps one that was made once. */
  readonly sealKeys: readonly Buffer[];
  /** Seconds. */
  readonly loginLifetime: number;
  readonly rateLimit?: { readonly perSecond: number; readonly burst: number };
  /** The most routing decisions that are kept; absent: none are recorded. */
  readonly record?: { readonly keep: number };
  readonly insecureDevelopment: boolean;
  readonly branding?: CheckedBranding;
  /** What decisions are made from. */
  readonly routes: Routes;
  /** Those with a preset. */
  readonly portals: ReadonlyMap<PortalName, CheckedPortal>;
  /** Those with `oidc`. */
  readonly relyingParties: ReadonlyMap<PortalName, CheckedRelyingParty>;
  readonly environments: ReadonlyMap<EnvironmentName, CheckedEnvironment>;
  readonly logout: { readonly then: 'app' | 'portal' | 'page'; readonly fanOut: 'origin' | 'visited' | 'all' };
};

/** A host name or an IP address (IPv6 without brackets), and a port; 0 is any free one. */
export type HostAndPort = { readonly host: string; readonly port: number };

export type CheckedPortal = {
  readonly preset: PortalPreset;
  readonly settings: PortalSettings;
  readonly loginPath: string;
  readonly logoutPath?: string;
  readonly signing: CheckedSigning;
  readonly metadataAtLoginPath: boolean;
  readonly homeUrl?: string;
};

export type CheckedRelyingParty = {
  readonly portal: Portal;
  readonly party: RelyingParty;
  /** How it is called when a person signs out. */
  readonly trust: Trust;
  readonly logoutPath?: string;
  readonly homeUrl?: string;
};

export type CheckedSigning =
  | {
      readonly algorithm: HmacAlgorithm;
      readonly secret: Buffer;
      /** Takes over at that instant. */
      readonly next?: { readonly secret: Buffer; readonly at: Instant };
    }
  | {
      readonly algorithm: PublicKeyAlgorithm;
      readonly privateKeyPem: string;
      readonly next?: { readonly privateKeyPem: string; readonly at: Instant };
    }
  /** The router makes its keys, and the store keeps them. */
  | { readonly algorithm: PublicKeyAlgorithm };

/** Colours are `#rrggbb`, the logo is a data: URI. */
export type CheckedBranding = {
  readonly name: string;
  readonly logo?: string;
  readonly accent?: string;
  readonly accentDark?: string;
};

export type CheckedEnvironment = {
  readonly environment: Environment;
  readonly login: CheckedLogin;
  /** How calls to it are made; part of `login` in the file. */
  readonly trust: Trust;
  readonly proxy?: ProxySettings;
  /** How it is told behind the person's back that a visit ended. */
  readonly receiver?: ReceiverSettings;
  /** How it may tell us the same. */
  readonly receive?: 'back_channel' | 'single_logout';
  /** A data: URI. */
  readonly icon?: string;
};

export type CheckedLogin =
  | CheckedHandoff
  | ({ readonly protocol: 'oidc' } & OidcEntry)
  | ({ readonly protocol: 'saml' } & SamlEntry)
  | ({ readonly protocol: 'session' } & SessionEntry);

export type CheckedHandoff = {
  readonly protocol: 'handoff';
  readonly url: string;
  /** Compared as text. */
  readonly issuer: string;
  readonly key: CheckedKey;
  /** `router`: the router's own issuer. */
  readonly audience:
    | { readonly is: 'router' }
    | { readonly is: 'not_sent' }
    | { readonly is: 'text'; readonly text: string };
  readonly nonce: 'echoed' | 'not_echoed';
  readonly jti: 'sent' | 'not_sent';
  /** Seconds, of `exp` − `iat` and of the age of `iat`. */
  readonly maxLifetime: number;
  readonly unsolicited: 'refused' | 'allowed';
  /**
   * Where the environment is told to send the browser: to the router, or to the portal as before there was a
   * router. The latter needs a proxy, which catches the redirect.
   */
  readonly sendsTo: 'router' | 'portal';
};

/** What the environment's tokens are verified with. */
export type CheckedKey =
  | { readonly kind: 'secret'; readonly algorithms: readonly HmacAlgorithm[]; readonly secret: Buffer }
  | {
      readonly kind: 'jwks_url';
      readonly algorithms: readonly PublicKeyAlgorithm[];
      readonly url: string;
    }
  /** PEM (key or certificate) or JWK. */
  | { readonly kind: 'public_key'; readonly algorithms: readonly PublicKeyAlgorithm[]; readonly text: string };
