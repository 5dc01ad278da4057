/** What a hostile environment answers: bytes that are no HTTP, HTTP that is no answer, and answers that are no good. */
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

/**
 * What a person sees of a page behind the router that is answered so: a refusal, the answer itself where it can be
 * framed in one way only, or a connection that ends in the middle of one that had begun.
 */
export type Seen = 'refused' | 'passed' | 'cut';

/** The connection stays open unless it is ended. */
export type Speak = (socket: Socket) => void;

export type Kind = { readonly speak: Speak; readonly page: Seen };

const write =
  (...pieces: readonly (string | Buffer)[]): Speak =>
  (socket) => {
    for (const piece of pieces) socket.write(piece, 'latin1');
  };

/** Writes and ends the connection. */
const last =
  (...pieces: readonly (string | Buffer)[]): Speak =>
  (socket) => {
    for (const piece of pieces) socket.write(piece, 'latin1');
    socket.end();
  };

const head = (...lines: readonly string[]): string => `${['HTTP/1.1 200 OK', ...lines].join('\r\n')}\r\n\r\n`;
const json = (body: string): string =>
  `${head('Content-Type: application/json', `Content-Length: ${body.length}`)}${body}`;

/** Again and again until the other side is gone, and never faster than it reads. */
function endlessly(socket: Socket, piece: string | Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(piece, 'latin1'));
  };
  socket.on('drain', more);
  more();
}

function drip(socket: Socket, text: string): void {
  let at = 0;
  const timer = setInterval(() => {
    if (at < text.length) socket.write(text[at++] ?? '');
  }, 100);
  socket.once('close', () => clearInterval(timer));
}

/** 400 kB that hold 400 MB. */
const bomb = gzipSync(Buffer.alloc(400 * 1024 * 1024), { level: 9 });
const BOMB = Buffer.concat([
  Buffer.from(head('Content-Type: application/json', 'Content-Encoding: gzip', `Content-Length: ${bomb.length}`)),
  bomb,
]);
const CHUNK = `2000\r\n${'x'.repeat(0x2000)}\r\n`;
const DEEP = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;

export const KINDS: Readonly<Record<string, Kind>> = {
  'status-099': { speak: write('HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\n{}'), page: 'refused' },
  'status-1000': { speak: write('HTTP/1.1 1000 Odd\r\nContent-Length: 2\r\n\r\n{}'), page: 'refused' },
  'status-101': {
    speak: write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
    page: 'refused',
  },
  'reason-phrase': { speak: write('HTTP/1.1 200 \x01\x7f\xff\tOK\r\nContent-Length: 2\r\n\r\n{}'), page: 'passed' },
  'trailer-with-length': { speak: write(head('Trailer: x', 'Content-Length: 2'), '{}'), page: 'passed' },
  'length-and-chunks': {
    speak: write(head('Content-Length: 2', 'Transfer-Encoding: chunked'), '2\r\n{}\r\n0\r\n\r\n'),
    page: 'refused',
  },
  'two-lengths': { speak: write(head('Content-Length: 2', 'Content-Length: 20'), '{}'), page: 'refused' },
  'negative-length': { speak: write(head('Content-Length: -2'), '{}'), page: 'refused' },
  'odd-coding': { speak: write(head('Transfer-Encoding: gzip, chunked'), '2\r\n{}\r\n0\r\n\r\n'), page: 'refused' },
  'chunk-without-size': { speak: write(head('Transfer-Encoding: chunked'), 'xyz\r\n{}\r\n'), page: 'cut' },
  'huge-chunk-size': { speak: write(head('Transfer-Encoding: chunked'), `${'F'.repeat(20)}\r\n{}`), page: 'cut' },
  'reset-in-mid-body': {
    speak: (socket) => socket.write(`${head('Content-Length: 100')}{"email"`, () => socket.resetAndDestroy()),
    page: 'cut',
  },
  'end-in-mid-body': { speak: last(head('Content-Length: 100'), '{"email"'), page: 'cut' },
  'endless-chunks': {
    speak: (socket) => {
      socket.write(head('Transfer-Encoding: chunked'));
      endlessly(socket, CHUNK);
    },
    page: 'passed',
  },
  'huge-header': { speak: write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(2 * 1024 * 1024)}\r\n\r\n{}`), page: 'refused' },
  'endless-headers': {
    speak: (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      endlessly(socket, `X: ${'x'.repeat(1000)}\r\n`);
    },
    page: 'refused',
  },
  'odd-header-names': {
    speak: write(head('__proto__: x', 'constructor: y', 'Content-Encoding: __proto__', 'Content-Length: 2'), '{}'),
    page: 'passed',
  },
  'gzip-bomb': { speak: write(BOMB), page: 'passed' },
  'slow-drip': { speak: (socket) => drip(socket, json('{"email":"ada@acme.test"}')), page: 'refused' },
  'interim-flood': {
    speak: (socket) => endlessly(socket, 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'),
    page: 'refused',
  },
  'redirect-loop': {
    speak: write('HTTP/1.1 302 Found\r\nLocation: /session/redirect-loop\r\nContent-Length: 0\r\n\r\n'),
    page: 'passed',
  },
  'nothing-at-all': { speak: (socket) => socket.end(), page: 'refused' },
  silence: { speak: () => {}, page: 'refused' },
  'binary-noise': { speak: last(Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 167) & 255))), page: 'refused' },
  'http-2': {
    speak: last(Buffer.from('00001804000000000000020000000000030000006400040000ffff', 'hex')),
    page: 'refused',
  },
  'page-with-200': {
    speak: write(head('Content-Type: text/html', 'Content-Length: 15'), '<h1>Sign in</h1>'.slice(0, 15)),
    page: 'passed',
  },
  'truncated-json': { speak: write(json('{"email":"ada@acme.test","name":"A')), page: 'passed' },
  'deep-json': { speak: write(json(DEEP)), page: 'passed' },
  'no-gzip': { speak: write(head('Content-Encoding: gzip', 'Content-Length: 2'), '{}'), page: 'passed' },
  'another-coding': { speak: write(head('Content-Encoding: br', 'Content-Length: 2'), '{}'), page: 'passed' },
  'two-answers': { speak: write(json('{}'), json('{"email":"victim@acme.test"}')), page: 'passed' },
};
