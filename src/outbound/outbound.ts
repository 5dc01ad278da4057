/**
 * The contract of the one guarded way to call another server. It owns which addresses may be reached, how the
 * other side proves itself, the size and the time of an answer, and how much one environment may take of the
 * router; it leaves to others what the bytes mean and when to ask again. Control leaves it as a complete answer,
 * of whatever status outside 3xx, or as a thrown `OutboundError`.
 */
export type Outbound = {
  /**
   * A caller of its own for each environment: connections, breaker and places in the queue are not shared.
   * Nothing is loaded and nothing connected before its first call. `name` is for messages.
   */
  callerFor(name: string, trust: Trust): Caller;
  /** Ends every caller at once; calls under way fail as `network`. */
  close(): Promise<void>;
};

/** What an operator says about reaching one environment. */
export type Trust = {
  /** Private and loopback addresses may be reached, too. */
  readonly allowPrivate: boolean;
  /** Certificate authorities (PEM) in place of the system's. */
  readonly ca?: string;
  /** What the router shows of itself (mutual TLS), both PEM. */
  readonly clientCertificate?: { readonly certificate: string; readonly privateKey: string };
};

export type Caller = {
  /**
   * One call with all guards on: https only (plain http on loopback), no redirect followed, private addresses
   * refused unless `allowPrivate`, 5 s in total (waiting for a place included), 256 KiB after decompression.
   * Throws `OutboundError`; a header that cannot be sent is a mistake of ours and throws what undici throws.
   */
  call(request: OutboundRequest): Promise<OutboundAnswer>;
  /** Keeps no connection any longer. Calls under way still end in their answer, so a reload fails nobody. */
  close(): Promise<void>;
};

export type OutboundRequest = {
  readonly url: string;
  /** GET unless set. */
  readonly method?: 'GET' | 'POST';
  /** Lower-case names. `accept` is among them where it matters; `accept-encoding`, `user-agent` and `host` are ours. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A function makes it anew each time that it is sent. */
  readonly body?: string | (() => Promise<string>);
  /** It may reach the other side twice, as every GET may; a POST is not unless it says so. */
  readonly repeatable?: boolean;
};

export type OutboundAnswer = {
  readonly status: number;
  /** Lower-case names; a header that stood several times is joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** Decompressed. */
  readonly body: Buffer;
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
  /** Too many calls to this environment are under way or waiting; nothing was connected. */
  | 'busy'
  /** The last calls to this environment failed, and the next try is not due yet; nothing was connected. */
  | 'broken'
  /** Everything else between here and there: no such name, refused, reset, not HTTP. */
  | 'network';

/** Why a call did not end in an answer. The message names the host or the environment, never the path or the query. */
export class OutboundError extends Error {
  readonly kind: OutboundErrorKind;

  constructor(kind: OutboundErrorKind, detail: string, options?: ErrorOptions) {
    super(`${kind}: ${detail}`, options);
    this.name = 'OutboundError';
    this.kind = kind;
  }
}
