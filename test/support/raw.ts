import { connect } from 'node:net';

export type RawAnswer = {
  readonly status: number;
  readonly head: string;
  readonly location: string;
  readonly body: string;
};

/** Sends bytes that no HTTP client would, and reads what comes until the other side closes. */
export function sendRaw(localUrl: string, bytes: string | Buffer): Promise<RawAnswer> {
  const { hostname, port } = new URL(localUrl);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(parse(text)));
    socket.write(bytes);
  });
}

/** The bytes of a GET, with the target as it is and further header lines. */
export const rawGet = (target: string, ...lines: string[]): Buffer =>
  Buffer.from(
    `GET ${target} HTTP/1.1\r\n${['Host: login.acme.test', 'Connection: close', ...lines].join('\r\n')}\r\n\r\n`,
  );

function parse(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const head = end === -1 ? text : text.slice(0, end);
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0),
    head,
    location: /^location: ?(.*)$/im.exec(head)?.[1]?.trim() ?? '',
    body: end === -1 ? '' : text.slice(end + 4),
  };
}
