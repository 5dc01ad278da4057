import { connect, type Socket } from 'node:net';

/** What the generator needs of an answer. */
export type Reply = { readonly status: number; readonly location: string; readonly cookie: string };

/** The least that HTTP/1.1 asks of a client, so that the load costs less than what it measures. */
const LENGTH = /\r\ncontent-length: *(\d+)/i;
const LOCATION = /\r\nlocation: *([^\r]*)/i;
const COOKIE = /\r\nset-cookie: *([^;\r]*)/i;

/** One keep-alive connection with one request at a time; it reads answers that have a `Content-Length`. */
export class Connection {
  readonly #socket: Socket;
  #received = '';
  #settle: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (text: string) => this.#take(text));
    socket.on('error', (error) => this.#settle?.reject(error));
    socket.on('close', () => this.#settle?.reject(new Error('the server closed the connection')));
  }

  /** `origin`: `http://127.0.0.1:<port>`. */
  static async open(origin: string): Promise<Connection> {
    const { hostname, port } = new URL(origin);
    const socket = connect(Number(port), hostname);
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new Connection(socket);
  }

  get(path: string, cookie = ''): Promise<Reply> {
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: login.acme.test\r\nAccept: text/html\r\n${cookie && `Cookie: ${cookie}\r\n`}\r\n`,
    );
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  close(): void {
    this.#settle = undefined;
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end === -1) return;
    const head = this.#received.slice(0, end);
    const length = Number(LENGTH.exec(head)?.[1] ?? Number.NaN);
    const settle = this.#settle;
    if (Number.isNaN(length)) settle?.reject(new Error(`an answer without a length: ${head.slice(0, 80)}`));
    if (this.#received.length < end + 4 + length) return;
    this.#received = '';
    this.#settle = undefined;
    settle?.resolve({
      status: Number(head.slice(9, 12)),
      location: LOCATION.exec(head)?.[1] ?? '',
      cookie: COOKIE.exec(head)?.[1] ?? '',
    });
  }
}
