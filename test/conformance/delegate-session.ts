import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { browserOf } from '../../src/http/cookies.ts';
import { openOutbound } from '../../src/outbound/client.ts';
import { openSession } from '../../src/protocols/session/session.ts';
import { CLEAN, type Counterpart, type OpenCounterpart, paramsOf, urlOf } from './delegate.ts';

/** Seconds that a session of the application lasts. */
const LIFETIME = 300;

/** An application on loopback, whose sessions everybody below its domain can ask about. */
export const openSessionCounterpart: OpenCounterpart = async (environment): Promise<Counterpart> => {
  const sessions = new Map<string, { email: string; exp: number }>();
  const server = createServer((request, response) => {
    const id = /(?:^|; )sid=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
    const session = request.url === '/session' ? sessions.get(id) : undefined;
    if (session) response.end(JSON.stringify(session));
    else response.writeHead(401).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const outbound = openOutbound();
  const delegate = openSession(
    {
      environment,
      sessionUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/session`,
      loginUrl: `https://${environment}.acme.example/login`,
      returnParam: 'return_to',
      publicOrigin: 'https://login.acme.example',
      // The same name everywhere: a browser brings one environment's session to the other's.
      cookies: ['sid'],
      claims: new Map(),
    },
    outbound.callerFor(environment, { allowPrivate: true }),
  );
  return {
    delegate,
    async signIn(departure, email) {
      const id = randomUUID();
      sessions.set(id, { email, exp: Math.floor(Date.now() / 1000) + LIFETIME });
      const returnTo = urlOf(departure).searchParams.get('return_to') ?? '';
      return { answer: paramsOf(returnTo), browser: browserOf(`theme=dark; sid=${id}`) };
    },
    async cancel(departure) {
      const returnTo = urlOf(departure).searchParams.get('return_to');
      return { answer: paramsOf(`${returnTo}&error=access_denied`), browser: CLEAN };
    },
    hintOf: (departure) => urlOf(departure).searchParams.get('login_hint') ?? undefined,
    refuses: {
      ofAnotherLogin: 'login_required',
      ofAnotherEnvironment: 'login_required',
      crossed: 'login_required',
      late: 'login_required',
      empty: 'login_required',
    },
    async close() {
      await outbound.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};
