/**
 * The contract of the one guarded way to call another server. It owns which addresses may be reached, the size
 * and the time of an answer; it leaves to others what the bytes mean and when to ask again. Control leaves it as
 * a complete answer, of whatever status outside 3xx, or as a thrown `OutboundError`.
 */
export type OutboundAnswer = { readonly status: number; readonly contentType: string; readonly body: Buffer };

export type Outbound = {
  /**
   * GET with all guards on: https only (plain http on loopback), no redirect followed, private addresses refused
   * unless `allowPrivate`, 5 s in total, 256 KiB after decompression. Throws `OutboundError`.
   */
  get(url: string, options: { readonly allowPrivate: boolean; readonly accept: string }): Promise<OutboundAnswer>;
  close(): Promise<void>;
};

export type OutboundErrorKind =
  /** The URL cannot be read, holds user info, or is plain http to something else than loopback. */
  | 'scheme'
  /** The host is, or resolves to, an address that may not be reached; nothing was connected. */
  | 'address_refused'
  | 'timeout'
  /** Headers or the decompressed body are over the limit. */
  | 'too_large'
  /** A 3xx status; no redirect is ever followed. */
  | 'redirect'
  /** The certificate or the handshake. */
  | 'tls'
  /** A content coding that was not asked for, or one that is broken. */
  | 'encoding'
  /** Everything else between here and there: no such name, refused, reset, not HTTP. */
  | 'network';

/** Why a call did not end in an answer. The message names the host and never the query. */
export class OutboundError extends Error {
  readonly kind: OutboundErrorKind;

  constructor(kind: OutboundErrorKind, detail: string, options?: ErrorOptions) {
    super(`${kind}: ${detail}`, options);
    this.name = 'OutboundError';
    this.kind = kind;
  }
}
