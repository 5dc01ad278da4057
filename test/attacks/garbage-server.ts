import { type AddressInfo, createServer, type Socket } from 'node:net';

/** One request to an environment that answers in bytes of its own making. */
export type Asked = {
  /** Of the address: what is asked, and which kind of answer stands behind it. */
  readonly at: string;
  readonly kind: string;
  /** The whole request: head and body. */
  readonly text: string;
};

export type GarbageServer = {
  readonly port: number;
  /** Requests that arrived, by kind. */
  readonly arrived: ReadonlyMap<string, number>;
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  close(): void;
};

/**
 * A server on loopback that reads requests as HTTP and answers them in bytes. What is asked for stands in the path,
 * `/<at>/<kind>`; a request for `<kind>.login.acme.test` asks for a page (`at` is `page`).
 */
export async function openGarbage(answer: (asked: Asked, socket: Socket) => void): Promise<GarbageServer> {
  const arrived = new Map<string, number>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let text = '';
    socket.setEncoding('latin1').setNoDelay(true);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    socket.on('data', (chunk: string) => {
      text += chunk;
      for (let length = lengthOf(text); length !== undefined && length <= text.length; length = lengthOf(text)) {
        const asked = readAsked(text.slice(0, length));
        text = text.slice(length);
        arrived.set(asked.kind, (arrived.get(asked.kind) ?? 0) + 1);
        answer(asked, socket);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    arrived,
    sockets,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** Bytes of the first request in `text`, once its head is there. What the router sends has a length or no body. */
function lengthOf(text: string): number | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  return end + 4 + Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1] ?? 0);
}

function readAsked(text: string): Asked {
  const [, at = '', kind = ''] = /^[A-Z]+ \/([\w-]+)\/([\w-]+)/.exec(text) ?? [];
  const [, host] = /\r\nhost: ([\w-]+)\.login\.acme\.test/i.exec(text) ?? [];
  return host === undefined ? { at, kind, text } : { at: 'page', kind: host, text };
}
