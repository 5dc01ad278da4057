/** Every number of this room that no operator sets. An operator sets `maxBody` and `timeout` (settings.ts). */

/** Connections to one environment at a time, and so requests under way. */
export const MAX_CONNECTIONS = 128;

/** Requests that wait for one of them; they wait `timeout` at most. */
export const MAX_WAITING = 512;

/** WebSockets of one environment at a time, those still being opened included. */
export const MAX_UPGRADES = 256;

/** Milliseconds until a connection, TLS included, has to stand. */
export const CONNECT_TIMEOUT_MS = 5_000;

/** Milliseconds that a connection is kept without a request; less than the 5 s after which node's own server ends one. */
export const IDLE_CONNECTION_MS = 4_000;

/** Milliseconds that it is kept at most where the environment asks for more (`Keep-Alive: timeout=…`). */
export const LONGEST_IDLE_CONNECTION_MS = 30_000;

/** Milliseconds that a person's browser may take none of an answer that waits for it. */
export const CLIENT_STALL_MS = 30_000;

/** Milliseconds that a WebSocket may be silent in both directions. */
export const IDLE_UPGRADE_MS = 120_000;

/** Bytes of all headers of an answer. */
export const MAX_ANSWER_HEADERS = 32 * 1024;

/** Bytes of an answer's body up to which it is written together with its head. */
export const SMALL_ANSWER = 16 * 1024;

/** Interim answers (1xx) before the answer itself. */
export const MAX_INTERIM_ANSWERS = 8;

/** Characters of a request target; `request_too_long` says the same number. */
export const MAX_TARGET = 16 * 1024;
