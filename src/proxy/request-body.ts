import type { IncomingMessage } from 'node:http';
import { Transform, type TransformCallback } from 'node:stream';
import { BodyTooLarge } from './failure.ts';

/** How a request says that it has a body (RFC 9112 §6); `malformed`: in a way that servers disagree about. */
export type Framing = 'none' | 'length' | 'chunked' | 'malformed';

/**
 * A GET or HEAD with a body is malformed: it has no meaning (RFC 9110 §9.3.1), and a server that does not expect one
 * could take it for the next request. node has refused Content-Length beside Transfer-Encoding already.
 */
export function framingOf({ headers, method, httpVersionMinor }: IncomingMessage): Framing {
  const coding = headers['transfer-encoding'];
  const length = headers['content-length'];
  if (coding === undefined && (length === undefined || Number(length) === 0)) return 'none';
  if (method === 'GET' || method === 'HEAD') return 'malformed';
  if (coding === undefined) return 'length';
  return coding.toLowerCase() === 'chunked' && httpVersionMinor === 1 ? 'chunked' : 'malformed';
}

/**
 * The body as it goes on, and no more of it than `maxBytes`: past that it fails with `BodyTooLarge`. It ends by itself
 * when nobody wants the rest, and the rest is then read into nothing, so that the next request can be.
 */
export function meterBody(request: IncomingMessage, maxBytes: number): Transform {
  const metered = new Meter(maxBytes);
  metered.on('error', () => {});
  request.pipe(metered);
  // After pipe's own listener, which pauses the request: one that stays paused holds up the next until node ends both.
  metered.once('close', () => request.resume());
  return metered;
}

class Meter extends Transform {
  #left: number;

  constructor(maxBytes: number) {
    super();
    this.#left = maxBytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#left -= chunk.length;
    if (this.#left < 0) done(new BodyTooLarge());
    else done(null, chunk);
  }
}
