/** What a hundred thousand notices of sign-outs that wait cost the people who sign in meanwhile. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EnvironmentName, PortalName } from '../src/core/names.ts';
import { randomBytes } from '../src/keys/random.ts';
import { openSealer } from '../src/keys/seal.ts';
import { parseSealKey } from '../src/keys/seal-key.ts';
import { writeNotice } from '../src/logout/notice-text.ts';
import { readKeptValue } from '../src/store/kept-value.ts';
import { openStore } from '../src/store/open.ts';
import type { Connection } from './connection.ts';
import { routerLaunch } from './contest.ts';
import { median } from './figures.ts';
import { load, walkTimes } from './load.ts';
import { walkLogin } from './login.ts';
import type { Launch, Server, Servers } from './server.ts';
import { LOGIN_PATHS } from './world.ts';

/** Notices that wait, in all, and the environments that they are for. */
export const WAITING = 100_000;
const ENVIRONMENTS = 20;

const OTHERS = { browsers: 16, perSecond: 150, measuredMs: 5_000, warmUpMs: 500 } as const;
const WARM_UP = { logins: 10_000, atOnce: 16 } as const;

/** Seconds from the posting until all of them are due: what wakes up with them is awake before anything is measured. */
const DUE_AFTER = 20;
const SETTLED_MS = 12_000;

export type Outbox = {
  /** Delivered a second. */
  readonly perSecond: number;
  /** p99 of logins meanwhile, and while nobody carries any. Milliseconds. */
  readonly meanwhile: number;
  readonly without: number;
  readonly ratio: number;
};

/** `pairs` of measurements, with and without: a single p99 is at the mercy of the disk. */
export async function measureOutbox(servers: Servers, folder: string, pairs: number): Promise<Outbox> {
  const receiver = await servers.start({ name: 'receiver', args: ['bench/peers/receiver.ts'], core: 'load' });
  // Not beside the routes, whose folder the router watches.
  const path = join(folder, 'outbox', 'data', 'wayhome.db');
  const launch = routerTelling(folder, 'outbox', path, receiver.origin);
  // The first one makes the keys.
  await (await servers.start(launch)).stop();
  const dueAt = await postAll(path);
  const server = await servers.start(launch);
  const walk = (connection: Connection) => walkLogin(connection, LOGIN_PATHS.hs256);
  await walkTimes(server, walk, WARM_UP.logins, WARM_UP.atOnce);
  await sleep(Math.max(dueAt - Date.now(), 0) + SETTLED_MS);

  const perSecond: number[] = [];
  const meanwhile: number[] = [];
  const without: number[] = [];
  const measure = async (into: number[]) => {
    const from = await countAt(receiver.origin);
    const began = performance.now();
    into.push((await load(server, walk, OTHERS)).p99);
    return ((await countAt(receiver.origin)) - from) / ((performance.now() - began) / 1_000);
  };
  const carried = async () => {
    perSecond.push(await measure(meanwhile));
  };
  const notCarried = async () => {
    const courier = courierOf(server);
    process.kill(courier, 'SIGSTOP');
    try {
      await measure(without);
    } finally {
      process.kill(courier, 'SIGCONT');
    }
  };
  // Never without twice in a row: a courier that is stopped for that long says that it starves.
  for (let pair = 0; pair < pairs; pair++) {
    await carried();
    await notCarried();
  }
  await server.stop();
  await receiver.stop();
  return {
    perSecond: median(perSecond),
    meanwhile: median(meanwhile),
    without: median(without),
    ratio: median(meanwhile) / median(without),
  };
}

/** The process that carries notices for a router (proc_pid_task(5)). */
function courierOf({ pid }: Server): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const courier = children.find((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('courier'));
  if (courier === undefined) throw new Error('the router has no courier');
  return Number(courier);
}

/** Milliseconds since 1970 at which they are due. */
async function postAll(path: string): Promise<number> {
  const key = parseSealKey(readKeptValue(path, 'seal-key') ?? '');
  if (!key) throw new Error('the router kept no seal key');
  const sealer = openSealer([key], randomBytes);
  const store = await openStore(`sqlite:${path}`);
  const now = Math.floor(Date.now() / 1_000);
  const due = now + DUE_AFTER;
  const notices = Array.from({ length: WAITING }, (_, index) => {
    const visit = {
      id: `visit-${index}`,
      portal: 'support' as PortalName,
      environment: `told${index % ENVIRONMENTS}` as EnvironmentName,
      at: now,
      appUrl: '',
      subject: `person-${index}@told.example`,
      sid: `session-${index}`,
    };
    return { ...writeNotice(`run-${index}`, visit, 'push', sealer, now), due };
  });
  await store.notices.post(notices, now);
  await store.close();
  return due * 1_000;
}

function routerTelling(folder: string, name: string, path: string, origin: string): Launch {
  const launch = routerLaunch(folder, name, `sqlite:${path}`);
  const file = launch.args.at(-1) ?? '';
  const included = join(dirname(file), 'environments.d');
  mkdirSync(included, { recursive: true });
  appendFileSync(file, 'include: environments.d/*.yaml\n');
  for (let index = 0; index < ENVIRONMENTS; index++) {
    const told = `told${index}`;
    writeFileSync(
      join(included, `${told}.yaml`),
      `app_url: https://${told}.acme.test/
login:
  protocol: session
  url: https://${told}.acme.test/login
  session_url: ${origin}/session
  cookies: [sid]
  allow_private: true
logout: { back: { url: ${origin}/${told} } }
may_assert: { email_domains: [${told}.example] }
`,
    );
  }
  return launch;
}

const countAt = async (origin: string): Promise<number> => Number(await (await fetch(origin)).text());
