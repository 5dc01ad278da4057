/**
 * Kills routers and their couriers again and again while they deliver, at random moments, with people signing out
 * meanwhile, and counts who was told. What was acknowledged is what the store had kept, or a sign-out that was answered.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import type { Test } from 'tap';
import type { EnvironmentName, PortalName } from '../../src/core/names.ts';
import { makeUuid, randomBytes } from '../../src/keys/random.ts';
import { openSealer } from '../../src/keys/seal.ts';
import { makeSigningKey } from '../../src/keys/signer.ts';
import { writeNotice } from '../../src/logout/notice-text.ts';
import { openOutbox } from '../../src/logout/outbox.ts';
import { logoutClaims, openLogoutSigner } from '../../src/logout/token.ts';
import { openOutbound } from '../../src/outbound/client.ts';
import { openStore } from '../../src/store/open.ts';
import { systemAfter } from '../../src/system/after.ts';
import { serve } from '../outbound/servers.ts';
import { couriersOf } from '../support/couriers.ts';
import { type Serving, startServe } from '../support/process.ts';
import { changedRoutes, comeBack, ISSUER, SECRETS, type World } from '../support/world.ts';

export type Kills = {
  /** Address of a store that several processes can share. */
  readonly store: string;
  readonly folder: string;
  readonly kills: number;
  readonly seed: number;
};

export type Counted = {
  /** Notices whose keeping was acknowledged. */
  readonly acknowledged: number;
  /** Those of them that nobody was ever told of. */
  readonly lost: readonly string[];
  /** How many were told of once, twice, … */
  readonly times: ReadonlyMap<number, number>;
  /** Those that were told of twice between one kill and the next. */
  readonly twice: readonly string[];
};

/** Notices that wait before each start, and people who sign in and out at once. */
const WAITING = 60;
const PEOPLE = 6;

/** Environments of the notices that wait: what a dead courier has taken is under way to its party until the lease ends. */
const TOLD = Array.from({ length: 100 }, (_, index) => `told${index}` as EnvironmentName);

/** Milliseconds from the first delivery until the kill, at the most; and until there is one without a delivery. */
const LATEST = 300;
const WITHOUT = 10_000;

/** How many of the kills meet the courier alone, whose router then goes on with another. */
const COURIER_ALONE = 0.7;

export async function killWhileDelivering(t: Test, { store: address, folder, kills, seed }: Kills): Promise<Counted> {
  const random = mulberry32(seed);
  /** The lives, from one kill to the next, in which each was told of. */
  const told = new Map<string, number[]>();
  let life = 0;
  let heard = () => {};
  const { url } = await serve(t, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { sub = '' } = decodeJwt(new URLSearchParams(Buffer.concat(chunks).toString()).get('logout_token') ?? '');
    told.set(sub, [...(told.get(sub) ?? []), life]);
    heard();
    // Some are quick and some are not, so that a kill meets every stage of a delivery.
    setTimeout(() => response.writeHead(200).end(), random() * 10);
  });
  const file = join(folder, 'routes.yaml');
  writeFileSync(file, routesTo(url, address));
  const store = await openStore(address);
  t.teardown(() => store.close());
  const sealer = openSealer([Buffer.from(SECRETS.SEAL_KEY, 'base64url')], randomBytes);

  const acknowledged = new Set<string>();
  let people = 0;
  const keepSome = async () => {
    const now = Math.floor(Date.now() / 1000);
    const names = Array.from({ length: WAITING }, () => `kept-${++people}`);
    const visits = names.map((subject) => ({
      id: subject,
      portal: 'support' as PortalName,
      environment: TOLD[Math.floor(random() * TOLD.length)] ?? ('us' as EnvironmentName),
      at: now,
      appUrl: '',
      subject,
    }));
    await store.notices.post(
      visits.map((visit) => writeNotice('kept', visit, 'push', sealer, now)),
      now,
    );
    for (const name of names) acknowledged.add(name);
  };
  const signInAndOut = async (router: Serving, alive: () => boolean) => {
    while (alive()) {
      const sub = `person-${++people}`;
      const browser = router.browser();
      const world = { now: Math.floor(Date.now() / 1000) } as World;
      try {
        const back = await comeBack(world, browser, people % 2 === 0 ? 'us' : 'eu', { claims: { sub } });
        const seen = back.status === 302 ? await browser.get('/logout') : undefined;
        if (seen?.status === 302) acknowledged.add(sub);
      } catch {
        // Its router was killed.
      }
    }
  };

  let router: Serving | undefined;
  let busy: Promise<void>[] = [];
  for (let kill = 0; kill < kills; kill++) {
    life = kill;
    await keepSome();
    const serving = router ?? (await startServe(t, file));
    let alive = true;
    busy.push(...Array.from({ length: PEOPLE }, () => signInAndOut(serving, () => alive)));
    while (couriersOf(serving).length === 0) await pause(5);
    const delivering = new Promise<void>((resolve) => {
      heard = resolve;
    });
    await Promise.race([delivering, pause(WITHOUT, undefined, { ref: false })]);
    await pause(random() * LATEST);
    alive = false;
    router = random() < COURIER_ALONE ? serving : undefined;
    for (const courier of couriersOf(serving)) process.kill(courier, 'SIGKILL');
    // Who signs out while the courier is dead waits for some seconds, and does so beside the next round.
    if (kill % 100 === 99) t.comment(`${kill + 1} kills, ${told.size} told`);
    if (router) continue;
    await serving.stop('SIGKILL');
    await Promise.all(busy);
    busy = [];
  }
  await router?.stop('SIGKILL');
  await Promise.all(busy);
  life = kills;
  await deliverTheRest(t, url, store, sealer);

  const times = new Map<number, number>();
  for (const { length } of told.values()) times.set(length, (times.get(length) ?? 0) + 1);
  const twice = [...told].filter(([, lives]) => new Set(lives).size < lives.length).map(([sub]) => sub);
  return { acknowledged: acknowledged.size, lost: [...acknowledged].filter((sub) => !told.has(sub)), times, twice };
}

const routesTo = (url: string, store: string): string =>
  changedRoutes((tree) => {
    for (const name of TOLD) {
      const app = `https://${name}.acme.test`;
      tree.environments[name] = {
        app_url: `${app}/`,
        login: {
          protocol: 'session',
          url: `${app}/login`,
          session_url: `${app}/session`,
          cookies: ['sid'],
          allow_private: true,
        },
        logout: { back: { url: `${url}${name}`, algorithm: 'ES256' } },
        may_assert: { email_domains: [`${name}.example`] },
      };
    }
    for (const name of ['us', 'eu']) {
      const environment = tree.environments[name];
      if (!environment) continue;
      environment.login.allow_private = true;
      environment.logout = { back: { url: `${url}${name}`, algorithm: 'ES256' } };
    }
    // biome-ignore lint/suspicious/noThenProperty: the file’s word; this is never awaited
    Object.assign(tree, { logout: { then: 'app', fan_out: 'visited' }, store });
  });

/** What the killed ones had taken is due when their leases end: here the clock says that they have. */
async function deliverTheRest(
  t: Test,
  url: string,
  { notices }: Awaited<ReturnType<typeof openStore>>,
  sealer: ReturnType<typeof openSealer>,
): Promise<void> {
  let ahead = 600;
  const clock = () => Math.floor(Date.now() / 1000) + ahead;
  const outbound = openOutbound();
  t.teardown(() => outbound.close());
  const signer = await openLogoutSigner('ES256', makeSigningKey('ES256'));
  const outbox = openOutbox({
    notices,
    sealer,
    clock,
    after: systemAfter,
    chance: Math.random,
    receiverOf: (lane) => ({
      by: 'push',
      url: `${url}${lane}`,
      caller: outbound.callerFor(lane, { allowPrivate: true }),
      mint: async (gone, endedAt, now) => {
        const minted = { id: makeUuid(randomBytes), now, endedAt };
        return signer.sign(JSON.stringify(logoutClaims({ issuer: ISSUER, audience: lane }, gone, minted)));
      },
    }),
    wanted: () => true,
    settled: () => {},
    fault: (error) => t.error(error),
  });
  // By now it has lived for a while.
  ahead += 60;
  outbox.poke();
  const open = async () => {
    const counts = await notices.counts();
    return counts.some(({ state, count }) => count > 0 && (state === 'waiting' || state === 'taken'));
  };
  while (await open()) await pause(20);
  await outbox.close();
}

/** The same numbers from 0 to below 1 for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
