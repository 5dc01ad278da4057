/**
 * The contract of a portal as the surface sees it: reading what it asks, making what it wants to hear, and
 * saying how that travels. Portals are data: everything here is driven by a preset (preset.ts), and no code
 * names a product. Signing is not done here (keys/), and nothing here knows the HTTP server.
 */
import type { Identity } from '../core/environment.ts';
import type { Portal, PortalRequest } from '../core/portal.ts';
import type { Instant } from '../core/time.ts';

export type OpenPortal = {
  readonly portal: Portal;
  /** Claims besides `email` that the portal token can carry, under the names that environments assert them by. */
  readonly carries: ReadonlySet<string>;
  /**
   * What the portal asked on the Remote Login URL. Parameters that the preset does not know are ignored.
   * Without the preset's return parameter, where it has a fixed callback too, the login ends there.
   * Throws `Refusal` (400, for a signed request also 401). A signed request needs the `arrival`, and so does an
   * address that the portal does not encode.
   */
  readRequest(query: Query, arrival?: Arrival): PortalRequest;
  /** The same for `/enter/…`: started by a link in an app, everything but return addresses is absent. */
  readEntry(query: Query): PortalRequest;
  /**
   * What the portal takes once, where its requests carry such a thing: a second token for it would be refused there.
   */
  onceKey?(request: PortalRequest): string | undefined;
  /** The portal's validated return address, where the request carries one. */
  returnUrl(request: PortalRequest): string | undefined;
  /**
   * Where the portal wants a person whose login failed, where it says so. For a link that the person may follow:
   * a refusal is never answered with a redirect. Throws `Refusal` for an address that is not allowed any more.
   */
  errorUrl?(request: PortalRequest): string | undefined;
  /**
   * What is signed for the portal, checked against the portal's own rules: JSON text of the preset's claims and
   * nothing else, or the query string of its format. Throws `Refusal`.
   */
  makeClaims(identity: GrantedIdentity, request: PortalRequest, minted: Minted): string;
  /** The same for a token that an environment traded for, which no request of the portal asked for. */
  makeTradedClaims?(identity: GrantedIdentity, request: PortalRequest, minted: Minted): string;
  /** The same for a visitor whom nobody signed in; absent where the portal takes nobody without a name. */
  makeGuestClaims?(request: PortalRequest, minted: Minted): string;
  /**
   * Reads a redirect to this portal that an environment made for itself: its token, and the return address without
   * it. `undefined` for every other address.
   */
  readDelivery(location: string): CaughtDelivery | undefined;
  /**
   * How the signed token reaches the portal; `token` is what the portal's signer (token-signer.ts) made. Throws
   * `Refusal` when it cannot (too long for a URL).
   */
  deliver(request: PortalRequest, token: string): Delivery;
  /** The portal's own address that ends its session, and goes on to `then` where it can; absent without one. */
  signOutUrl?(then?: string): string;
  /**
   * What the portal says on the Remote Logout URL went wrong, at most 300 characters of each part. Anybody can write
   * such a link: the text is shown escaped and as the portal's words, if at all.
   */
  readLogoutNotice?(query: Query): string | undefined;
};

/** How a request came in: the text of its query, without `?`, and when. */
export type Arrival = { readonly search: string; readonly now: Instant };

/** `id`: unpredictable, and never used before. */
export type Minted = { readonly now: Instant; readonly id: string };

/** `granted`: the claims that this environment may give rights with. Without it: none. */
export type GrantedIdentity = Identity & { readonly granted?: ReadonlySet<string> };

/** Every name at most once; a name that stood twice was refused before (`request_parameter_duplicated`). */
export type Query = ReadonlyMap<string, string>;

/** `query`: what `readEntry` reads. */
export type CaughtDelivery = { readonly token: string; readonly query: Query };

export type Delivery =
  | { readonly mode: 'redirect'; readonly url: string }
  | { readonly mode: 'form_post'; readonly action: string; readonly fields: Readonly<Record<string, string>> };

/** What routes.yaml says about one portal, checked (check-settings.ts). */
export type PortalSettings = {
  readonly portal: Portal;
  /** Origin of `public_url`, without a trailing slash. */
  readonly publicOrigin: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Return addresses beside the preset's own: origin and path, exact. */
  readonly allowRedirects: readonly string[];
  readonly tokenLifetime: number;
  /** The shared secret as routes.yaml holds it; without it signed requests cannot be read. */
  readonly secret?: Buffer;
  /** The one that is about to take its place, or has: the portal may sign with either. */
  readonly nextSecret?: Buffer;
  readonly delivery?: {
    readonly mode?: 'query' | 'form_post';
    readonly param?: string;
    /** For a login that a link in the app started; default: as `param`. */
    readonly unsolicitedParam?: string;
  };
};
