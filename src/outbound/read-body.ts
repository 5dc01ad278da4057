import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createInflate } from 'node:zlib';
import { OutboundError } from './outbound.ts';

/** What we say in Accept-Encoding. Brotli is left out: its decoder takes a 16 MiB window if the sender asks. */
export const ACCEPTED_CODINGS = 'gzip, deflate';

/** Bytes, of the body as sent and again after decompression. */
export const MAX_BODY = 256 * 1024;

/**
 * The whole body, decompressed (RFC 9110 §8.4.1), or an `OutboundError`: `too_large` as soon as it holds more than
 * `MAX_BODY`, so that a small body that inflates costs no more than they do; `encoding` for any other coding.
 */
export async function readBody(body: Readable, coding: string, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const collect = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > MAX_BODY) throw new OutboundError('too_large', `the body is larger than ${MAX_BODY} bytes`);
      chunks.push(chunk);
    }
  };
  switch (coding.trim().toLowerCase()) {
    case '':
    case 'identity':
      await pipeline(body, collect, { signal });
      break;
    case 'gzip':
    case 'x-gzip':
      await pipeline(body, createGunzip(), collect, { signal });
      break;
    case 'deflate':
      await pipeline(body, createInflate(), collect, { signal });
      break;
    default:
      throw new OutboundError('encoding', 'a content coding that was not asked for');
  }
  return Buffer.concat(chunks);
}
