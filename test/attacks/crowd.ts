/** Many people at once, each with no more than a browser would need: one connection pool, no cookie jar. */
import { Agent, type IncomingHttpHeaders, request } from 'node:http';

export type Ask = {
  readonly host?: string;
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

export type Told = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As much as was read. */
  readonly body: string;
  /** Of a refusal page, or ''. */
  readonly reference: string;
  /** `whole`, or the connection ended before the answer did. `enough`: we hung up ourselves. */
  readonly end: 'whole' | 'cut' | 'enough';
};

export type Crowd = {
  /** Rejects only where there was no answer at all. */
  ask(ask: Ask): Promise<Told>;
  close(): void;
};

export type CrowdOptions = {
  /** Bytes of a body after which nobody reads on. */
  readonly enough?: number;
  /** Milliseconds after the head after which nobody reads on. */
  readonly patience?: number;
};

/** `localUrl`: where the router listens. */
export function openCrowd(localUrl: string, { enough = 256 * 1024, patience = 60_000 }: CrowdOptions = {}): Crowd {
  const { hostname, port } = new URL(localUrl);
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  return {
    ask: ({ host = 'login.acme.test', method = 'GET', path, headers, body }) =>
      new Promise((resolve, reject) => {
        const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
        const asked = request({ agent, hostname, port, method, path, headers: { host, ...length, ...headers } });
        asked.on('error', reject);
        asked.on('response', (response) => {
          let text = '';
          const tell = (end: Told['end']) => {
            clearTimeout(timer);
            const { statusCode = 0, headers } = response;
            const reference = /<code>([0-9a-z]{10})<\/code>/.exec(text)?.[1] ?? '';
            resolve({ status: statusCode, headers, body: text, reference, end });
          };
          const hangUp = () => {
            tell('enough');
            asked.destroy();
          };
          const timer = setTimeout(hangUp, patience);
          response.setEncoding('latin1').on('data', (chunk: string) => {
            text += chunk;
            if (text.length > enough) hangUp();
          });
          response.on('error', () => {});
          response.on('close', () => tell(response.complete ? 'whole' : 'cut'));
        });
        asked.end(body);
      }),
    close: () => agent.destroy(),
  };
}

/** Does all the work, so much of it at once. */
export async function inBatches(atOnce: number, work: readonly (() => Promise<void>)[]): Promise<void> {
  let next = 0;
  const take = async () => {
    for (let job = work[next++]; job; job = work[next++]) await job();
  };
  await Promise.all(Array.from({ length: atOnce }, take));
}
