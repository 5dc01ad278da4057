/** What a hundred thousand notices of sign-outs that wait cost the people who sign in meanwhile. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EnvironmentName, PortalName } from '../src/core/names.ts';
import { randomBytes } from '../src/keys/random.ts';
import { openSealer } from '../src/keys/seal.ts';
import { parseSealKey } from '../src/keys/seal-key.ts';
import { writeNotice } from '../src/logout/notice-text.ts';
import { readKeptValue } from '../src/store/kept-value.ts';
import { openStore } from '../src/store/open.ts';
import { routerLaunch } from './contest.ts';
import { median } from './figures.ts';
import { load, walkTimes } from './load.ts';
import { walkLogin } from './login.ts';
import type { Launch, Servers } from './server.ts';
import { LOGIN_PATHS } from './world.ts';

/** Notices that wait, in all, and the environments that they are for. */
export const WAITING = 100_000;
const ENVIRONMENTS = 20;

const OTHERS = { browsers: 16, perSecond: 150, measuredMs: 10_000, warmUpMs: 1_000 } as const;
const WARM_UP = { logins: 10_000, atOnce: 16 } as const;

/** Measurements before and meanwhile: a single p99 is at the mercy of the disk. */
const WINDOWS = 5;

/** Seconds from the posting until all of them are due: long enough to measure what was before. */
const DUE_AFTER = 100;

export type Outbox = {
  /** Delivered a second. */
  readonly perSecond: number;
  /** p99 of logins meanwhile, and before. Milliseconds. */
  readonly meanwhile: number;
  readonly before: number;
  readonly ratio: number;
};

export async function measureOutbox(servers: Servers, folder: string, rounds: number): Promise<Outbox> {
  const perSecond: number[] = [];
  const meanwhile: number[] = [];
  const before: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const receiver = await servers.start({ name: 'receiver', args: ['bench/peers/receiver.ts'] });
    const path = join(folder, `outbox-${round}`, 'wayhome.db');
    const launch = routerTelling(folder, `outbox-${round}`, path, receiver.origin);
    // The first one makes the keys.
    await (await servers.start(launch)).stop();
    const dueAt = await postAll(path);
    const server = await servers.start(launch);
    const logins = () => load(server, (connection) => walkLogin(connection, LOGIN_PATHS.hs256), OTHERS);
    await walkTimes(server, (connection) => walkLogin(connection, LOGIN_PATHS.hs256), WARM_UP.logins, WARM_UP.atOnce);
    for (let window = 0; window < WINDOWS; window++) before.push((await logins()).p99);
    const early = dueAt - Date.now();
    if (early < 0)
      throw new Error('the machine is too slow for this: notices were due before the first measurement ended');
    await sleep(early + 3_000);
    const from = await countAt(receiver.origin);
    const began = performance.now();
    for (let window = 0; window < WINDOWS; window++) meanwhile.push((await logins()).p99);
    perSecond.push(((await countAt(receiver.origin)) - from) / ((performance.now() - began) / 1_000));
    await server.stop();
    await receiver.stop();
  }
  return {
    perSecond: median(perSecond),
    meanwhile: median(meanwhile),
    before: median(before),
    ratio: median(meanwhile) / median(before),
  };
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
