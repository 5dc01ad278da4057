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
   * Throws `Refusal` (400).
   */
  readRequest(query: Query): PortalRequest;
  /** The same for `/enter/…`: started by a link in an app, everything but a return address is absent. */
  readEntry(query: Query): PortalRequest;
  /** The portal's validated return address, where the request carries one. */
  returnUrl(request: PortalRequest): string | undefined;
  /** JSON text of the portal token's claims: the preset's list and nothing else. Throws `Refusal`. */
  makeClaims(
    identity: Identity,
    request: PortalRequest,
    minted: { readonly now: Instant; readonly id: string },
  ): string;
  /**
   * Reads a redirect to this portal that an environment made for itself: its token, and the return address without
   * it. `undefined` for every other address.
   */
  readDelivery(location: string): CaughtDelivery | undefined;
  /** How the signed token reaches the portal. Throws `Refusal` when it cannot (too long for a URL). */
  deliver(request: PortalRequest, token: string): Delivery;
};

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
  readonly delivery?: { readonly mode?: 'query' | 'form_post'; readonly param?: string };
};
