/** The server of a relying party on loopback: it writes down what it is told at its logout addresses. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type PartyServer = {
  readonly origin: string;
  /** Logout tokens in the order in which they came. */
  readonly told: string[];
  /** What it answers next. */
  status: number;
  /** Once that many tokens have come; rejects after 5 s. */
  heard(count: number): Promise<readonly string[]>;
};

export async function openParty(t: { teardown(work: () => unknown): void }): Promise<PartyServer> {
  const told: string[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      told.push(new URLSearchParams(body).get('logout_token') ?? `${request.method} ${request.url}`);
      response.writeHead(party.status).end();
      for (const one of waiting) if (told.length >= one.count) one.resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const party: PartyServer = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    told,
    status: 200,
    heard: (count) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`${told.length} of ${count} logout tokens came`)), 5_000);
        const done = () => {
          clearTimeout(late);
          resolve(told);
        };
        if (told.length >= count) done();
        else waiting.push({ count, resolve: done });
      }),
  };
  return party;
}
