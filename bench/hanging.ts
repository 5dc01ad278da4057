/** What an environment that hangs with many people in it costs the people of another one. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from './connection.ts';
import { routerLaunch } from './contest.ts';
import { median, ratio } from './figures.ts';
import { load, walkTimes } from './load.ts';
import { startPath, walkLogin } from './login.ts';
import type { Launch, Servers } from './server.ts';
import { LOGIN_PATHS } from './world.ts';

/** Logins at the environment that hangs. They arrive within what it is waited for, so that all of them hang at once. */
export const HANGING = 2_000;
const ARRIVE_WITHIN_MS = 4_500;
/** Until the last of them was cut: 5 s for a call, and for the pages. */
const WINDOW_MS = 10_500;

/** The others: a quiet server, so that nothing else makes anybody wait. */
const OTHERS = { browsers: 16, perSecond: 150, measuredMs: WINDOW_MS, warmUpMs: 500 } as const;

/** Before anything is measured: a router that has just started is slow at everything that it does for the first time. */
const WARM_UP = { logins: 10_000, refusals: 2_000, asked: 2_000, atOnce: 16 } as const;

export type Hanging = {
  /** p99 of the others' logins while it hangs, and with nobody at it. Milliseconds. */
  readonly meanwhile: number;
  readonly before: number;
  readonly ratio: number;
  /** The same ÷ p99 while just as many come to an environment that answers: what the hanging costs, without the crowd. */
  readonly besideAnswering: number;
  /** Of the logins that hung: the longest. Milliseconds. */
  readonly longest: number;
};

export async function measureHanging(servers: Servers, folder: string, rounds: number): Promise<Hanging> {
  const meanwhile: number[] = [];
  const before: number[] = [];
  const answering: number[] = [];
  const longest: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const endpoint = await openEndpoint();
    // A new one each time, whose breaker is closed.
    const server = await servers.start(routerBeside(folder, endpoint.origin));
    const others = () => load(server, (connection) => walkLogin(connection, LOGIN_PATHS.hs256), OTHERS);
    await walkTimes(server, (connection) => walkLogin(connection, LOGIN_PATHS.hs256), WARM_UP.logins, WARM_UP.atOnce);
    await walkTimes(server, askEndpoint, WARM_UP.asked, WARM_UP.atOnce);
    await walkTimes(server, beRefused, WARM_UP.refusals, WARM_UP.atOnce);
    before.push((await others()).p99);
    const [beside] = await Promise.all([others(), arrive(server.origin, 'departs')]);
    answering.push(beside.p99);
    endpoint.hang();
    const [measured, cuts] = await Promise.all([others(), arrive(server.origin, 'hangs')]);
    meanwhile.push(measured.p99);
    longest.push(Math.max(...cuts));
    await server.stop();
    endpoint.close();
  }
  return {
    meanwhile: median(meanwhile),
    before: median(before),
    ratio: ratio(meanwhile, before),
    besideAnswering: ratio(meanwhile, answering),
    longest: Math.max(...longest),
  };
}

/** Somebody whom the endpoint does not know: they leave for the environment's login page. */
async function askEndpoint(connection: Connection): Promise<void> {
  const { status } = await connection.get(startPath(LOGIN_PATHS.hs256, 'hung'), 'sid=ada');
  if (status !== 302) throw new Error(`a login at the endpoint was told ${status}`);
}

/** Somebody whose environment is not there. */
async function beRefused(connection: Connection): Promise<void> {
  const { status } = await connection.get(`/return/nobody?state=${'x'.repeat(200)}`);
  if (status < 400) throw new Error(`a return to nobody was told ${status}`);
}

const EXPECTED = { departs: [302], hangs: [502, 503, 504] } as const;

/** Everybody at once: how long each of them took to be told. Throws where one is told anything else than expected. */
async function arrive(origin: string, end: keyof typeof EXPECTED): Promise<number[]> {
  await sleep(OTHERS.warmUpMs);
  const login = async (index: number): Promise<number> => {
    await sleep((index * ARRIVE_WITHIN_MS) / HANGING);
    const connection = await Connection.open(origin);
    const began = performance.now();
    const { status } = await connection.get(startPath(LOGIN_PATHS.hs256, 'hung'), 'sid=ada');
    connection.close();
    if (!EXPECTED[end].some((one) => one === status)) throw new Error(`a login that ${end} was told ${status}`);
    return performance.now() - began;
  };
  return Promise.all(Array.from({ length: HANGING }, (_, index) => login(index)));
}

function routerBeside(folder: string, origin: string): Launch {
  const launch = routerLaunch(folder, 'hung', 'memory:');
  const file = launch.args.at(-1) ?? '';
  const included = join(dirname(file), 'environments.d');
  mkdirSync(included, { recursive: true });
  appendFileSync(file, 'include: environments.d/*.yaml\n');
  writeFileSync(
    join(included, 'hung.yaml'),
    `app_url: https://hung.acme.test/
login:
  protocol: session
  url: https://hung.acme.test/login
  session_url: ${origin}/session
  cookies: [sid]
  allow_private: true
may_assert: { email_domains: [hung.example] }
`,
  );
  return launch;
}

/** A session endpoint that knows nobody, until it hangs: it accepts then, and never answers. */
async function openEndpoint(): Promise<{ readonly origin: string; hang(): void; close(): void }> {
  let hangs = false;
  const server = createServer((request, response) => {
    if (hangs) return;
    request.resume();
    response.writeHead(401, { 'content-length': '0' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hang: () => {
      hangs = true;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
