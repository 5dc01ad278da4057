import { connect, type Socket } from 'node:net';
import { ORIGIN } from './world.ts';

/** What the generator needs of an answer. */
export type Reply = {
  readonly status: number;
  readonly location: string;
  readonly cookie: string;
  /** Bytes of the body. */
  readonly length: number;
};

/** The least that HTTP/1.1 asks of a client, so that the load costs less than what it measures. */
const LENGTH = /\r\ncontent-length: *(\d+)/i;
const LOCATION = /\r\nlocation: *([^\r]*)/i;
const CLOSES = /\r\nconnection: *close/i;
const COOKIE = /\r\nset-cookie: *([^;\r]*)/i;

/** Every connection reads into it; nothing is kept of it past the callback. */
const READ = Buffer.allocUnsafe(128 * 1024);

/**
 * One keep-alive connection with one request at a time; it reads answers that have a `Content-Length`. Where the server
 * says that it closes, the next request opens another.
 */
export class Connection {
  readonly #origin: URL;
  readonly #host: string;
  #socket: Socket;
  #ends = false;
  #head = '';
  #reply: Reply | undefined;
  /** Bytes of the body still to come. */
  #left = 0;
  #settle: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | undefined;

  private constructor(origin: string, host: string) {
    this.#origin = new URL(origin);
    this.#host = host;
    this.#socket = this.#connect();
  }

  /** `origin`: `http://127.0.0.1:<port>`; `host` is what it is asked for. */
  static async open(origin: string, host = new URL(ORIGIN).host): Promise<Connection> {
    const connection = new Connection(origin, host);
    await new Promise((resolve, reject) => connection.#socket.once('connect', resolve).once('error', reject));
    return connection;
  }

  get(path: string, cookie = ''): Promise<Reply> {
    if (this.#ends) {
      this.#socket.destroy();
      this.#socket = this.#connect();
    }
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${this.#host}\r\nAccept: text/html\r\n${cookie && `Cookie: ${cookie}\r\n`}\r\n`,
      'latin1',
    );
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  close(): void {
    this.#settle = undefined;
    this.#socket.destroy();
  }

  #connect(): Socket {
    const { hostname, port } = this.#origin;
    const onread = { buffer: READ, callback: (length: number) => this.#take(READ.subarray(0, length)) };
    const socket = connect({ port: Number(port), host: hostname, noDelay: true, onread });
    const fail = (error: Error) => {
      if (socket === this.#socket) this.#settle?.reject(error);
    };
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the server closed the connection')));
    this.#ends = false;
    return socket;
  }

  #take(bytes: Buffer): boolean {
    if (this.#reply) this.#left -= bytes.length;
    else this.#takeHead(bytes);
    if (!this.#reply || this.#left > 0) return true;
    const [settle, reply] = [this.#settle, this.#reply];
    this.#settle = undefined;
    this.#reply = undefined;
    settle?.resolve(reply);
    return true;
  }

  #takeHead(bytes: Buffer): void {
    const received = this.#head + bytes.toString('latin1');
    const end = received.indexOf('\r\n\r\n');
    if (end === -1) {
      this.#head = received;
      return;
    }
    this.#head = '';
    const head = received.slice(0, end);
    const length = Number(LENGTH.exec(head)?.[1] ?? Number.NaN);
    if (Number.isNaN(length)) {
      this.#settle?.reject(new Error(`an answer without a length: ${head.slice(0, 80)}`));
      return;
    }
    this.#ends = CLOSES.test(head);
    this.#left = end + 4 + length - received.length;
    this.#reply = {
      status: Number(head.slice(9, 12)),
      location: LOCATION.exec(head)?.[1] ?? '',
      cookie: COOKIE.exec(head)?.[1] ?? '',
      length,
    };
  }
}
