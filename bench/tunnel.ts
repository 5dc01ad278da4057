import { connect, type Socket } from 'node:net';

const READ = Buffer.allocUnsafe(128 * 1024);

/** One connection that was upgraded to a WebSocket, and carries bytes that nobody on the way reads as frames. */
export class Tunnel {
  readonly #socket: Socket;
  #head: string | undefined = '';
  /** Bytes of the echo still to come. */
  #left = 0;
  #settle: { resolve: () => void; reject: (error: Error) => void } | undefined;

  private constructor(origin: string) {
    const { hostname, port } = new URL(origin);
    const onread = { buffer: READ, callback: (length: number) => this.#take(length) };
    this.#socket = connect({ port: Number(port), host: hostname, noDelay: true, onread });
    this.#socket.on('error', (error) => this.#settle?.reject(error));
    this.#socket.on('close', () => this.#settle?.reject(new Error('the server closed the connection')));
  }

  /** Resolves once the handshake is through (RFC 6455 §4.1). */
  static async open(origin: string, host: string): Promise<Tunnel> {
    const tunnel = new Tunnel(origin);
    const upgraded = tunnel.#settled();
    tunnel.#socket.write(
      `GET /echo HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await upgraded;
    return tunnel;
  }

  /** Sends a message and resolves when as many bytes have come back. */
  echo(message: Buffer): Promise<void> {
    this.#left = message.length;
    this.#socket.write(message);
    return this.#settled();
  }

  close(): void {
    this.#settle = undefined;
    this.#socket.destroy();
  }

  #settled(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  #take(length: number): boolean {
    if (this.#head !== undefined) {
      this.#takeHead(READ.toString('latin1', 0, length));
      return true;
    }
    this.#left -= length;
    if (this.#left <= 0) this.#settle?.resolve();
    return true;
  }

  #takeHead(text: string): void {
    this.#head += text;
    if (!this.#head?.endsWith('\r\n\r\n')) return;
    if (this.#head.startsWith('HTTP/1.1 101 ')) this.#settle?.resolve();
    else this.#settle?.reject(new Error(`no upgrade: ${this.#head.slice(0, 80)}`));
    this.#head = undefined;
  }
}
