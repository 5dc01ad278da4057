/** The only place where concrete things meet: a routes file becomes a running router. */
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { openAdmin } from './admin/app.ts';
import { openAudit, openLog } from './admin/log.ts';
import { openMetrics } from './admin/metrics.ts';
import { openRefusalWatch } from './admin/refusal-watch.ts';
import { checkRoutes, type Outcome } from './config/check.ts';
import type { CheckedRoutes, HostAndPort } from './config/checked.ts';
import { describeProblems } from './config/describe.ts';
import { FILES, readRoutes } from './config/read.ts';
import type { Audit } from './core/audit.ts';
import type { EnvironmentName } from './core/names.ts';
import { type Clock, systemClock } from './core/time.ts';
import { openApp } from './http/app.ts';
import type { Surface } from './http/live.ts';
import { recordNotice } from './http/logout-audit.ts';
import { proxyHooks } from './http/proxied.ts';
import { randomBytes } from './keys/random.ts';
import { openSealer } from './keys/seal.ts';
import { makeSealKey, parseSealKey } from './keys/seal-key.ts';
import { openSigningThread } from './keys/signing-thread.ts';
import { openCourier } from './logout/courier.ts';
import { openOutbox } from './logout/outbox.ts';
import { openRecordedVisits } from './logout/recorded-visits.ts';
import { openVisitKey } from './logout/recorded-visits-key.ts';
import { closeUnused, openLive } from './open-live.ts';
import { openOutbound } from './outbound/client.ts';
import type { Outbound } from './outbound/outbound.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';
import { systemAfter } from './system/after.ts';

export type WayhomeOptions = {
  /** The routes file; paths in it are relative to its folder. */
  readonly file: string;
  /** Its text, instead of reading the file. */
  readonly text?: string;
  /** Environment variables that secrets are taken from. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Gets the log, one JSON line an event; standard output unless given. */
  readonly log?: (line: string) => void;
  readonly clock?: Clock;
  /** Tells parties of sign-outs from a process of its own, which goes by the system's clock; never with `memory:`. */
  readonly courier?: boolean;
};

export type Running = {
  /** What the router calls itself (`public_url`, without a trailing slash). */
  readonly publicUrl: string;
  /** Where the public listener really is. */
  readonly localUrl: string;
  readonly adminUrl: string;
  /** Reads the routes again: applied whole, or not at all and the ones in force stay. */
  reload(text?: string): Promise<boolean>;
  /** What the routes were last read from, refused or not: what to watch. */
  reads(): Pick<Outcome, 'files' | 'patterns'>;
  /** Takes nothing new, finishes what is under way (30 s at the most), and closes everything. */
  close(): Promise<void>;
};

/** The routes cannot be served. The message is for people and lists every problem. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** How long requests under way may take once the router is stopping. Milliseconds. */
const DRAIN_MS = 30_000;

/** Starts a router. Throws `ConfigError` for a faulty file, a store that cannot be opened or an address in use. */
export async function startWayhome({
  file,
  text,
  variables,
  log: write,
  clock = systemClock,
  courier = false,
}: WayhomeOptions): Promise<Running> {
  const check = (given = text): Promise<Outcome> | Outcome =>
    given === undefined
      ? readRoutes(file, variables, {}, clock())
      : checkRoutes({ file, text: given, ...FILES, now: clock(), variables });
  const outcome = await check();
  if (!outcome.ok) throw new ConfigError(describeProblems(outcome.problems));
  const { routes } = outcome;
  let reads: Pick<Outcome, 'files' | 'patterns'> = outcome;

  const outbound = openOutboundWith(variables);
  const store = await openStoreOf(routes);
  const metrics = openMetrics();
  const log = openLog(write);
  const audit: Audit = openAudit(
    log,
    metrics.hear,
    openRefusalWatch(clock, (suspicion) => audit.record(suspicion)),
  );
  const sealKeys = await sealKeysOf(routes, store);
  const sealer = openSealer(sealKeys, randomBytes);
  const recorded = openRecordedVisits(store, sealer, await openVisitKey(store, sealer, clock()));
  const surface: Surface = {
    live: () => opened.live,
    sealer,
    store,
    clock,
    random: randomBytes,
    audit,
    recorded,
    outbox: openOutbox({
      notices: store.notices,
      sealer,
      clock,
      after: systemAfter,
      chance: Math.random,
      receiverOf: (lane) => opened.live.receivers.get(lane),
      wanted: () => opened.live.receivers.size > 0,
      settled: (notice, outcome, visit) => recordNotice(audit, notice, outcome, visit?.portal),
      fault: (error) => audit.fault('outbox', error),
      ...(courier &&
        routes.store !== 'memory:' && {
          deliverBy: (hears) =>
            openCourier({
              ...hears,
              begin: { store: routes.store, ...(routes.redis && { redis: routes.redis }), sealKeys, variables },
              program: new URL(`./courier${extname(import.meta.url)}`, import.meta.url),
              lanes: () => opened.receivers.pushed,
              after: systemAfter,
            }),
        }),
    }),
  };
  const signingThread = openSigningThread({ after: systemAfter, fault: (error) => audit.fault('signing', error) });
  const parts = {
    store,
    signingThread,
    outbound,
    sealer,
    recorded,
    random: randomBytes,
    clock,
    fault: (error: unknown) => audit.fault('provider', error),
    hooksFor: (name: EnvironmentName, catches: boolean) => proxyHooks(() => surface, name, catches),
  };
  let opened = await openLive(routes, parts);
  let takesLogins = false;
  const app = openApp(surface);
  const admin = openAdmin({ store, metrics, takesLogins: () => takesLogins });

  const close = async () => {
    takesLogins = false;
    surface.outbox.feed.close();
    for (const { proxy } of opened.live.proxied.values()) proxy.drain();
    await Promise.race([app.close(), new Promise((resolve) => setTimeout(resolve, DRAIN_MS).unref())]);
    app.server.closeAllConnections();
    await admin.close();
    await surface.outbox.close();
    closeUnused(opened);
    await signingThread.close();
    await outbound.close();
    await store.close();
    audit.record({ event: 'router.stopped', reason: 'ok' });
    log.flush();
  };

  let reloading: Promise<unknown> = Promise.resolve();
  const reloadNow = async (given?: string): Promise<boolean> => {
    const next = await check(given);
    reads = next;
    if (!next.ok) {
      audit.record({
        event: 'routes.refused',
        reason: 'routes_faulty',
        detail: describeProblems(next.problems).slice(0, 4_000),
      });
      return false;
    }
    const fixed = needsRestart(opened.checked, next.routes);
    if (fixed) {
      audit.record({
        event: 'routes.refused',
        reason: 'restart_needed',
        detail: `${fixed} changes with a restart only`,
      });
      return false;
    }
    const before = opened;
    opened = await openLive(next.routes, parts, before);
    closeUnused(before, opened);
    surface.outbox.poke();
    audit.record({ event: 'routes.applied', reason: 'ok' });
    return true;
  };

  try {
    const adminUrl = await listen(admin, routes.admin);
    const localUrl = await listen(app, routes.listen);
    takesLogins = true;
    surface.outbox.poke();
    for (const message of store.warnings ?? []) log.warn({ event: 'store.notice', message });
    for (const { message, path, line } of outcome.notices) log.warn({ event: 'routes.notice', line, path, message });
    audit.record({ event: 'router.ready', reason: 'ok', detail: `${routes.publicOrigin} at ${localUrl}` });
    return {
      publicUrl: routes.publicOrigin,
      localUrl,
      adminUrl,
      reload: (given) => {
        const next = reloading.then(() => reloadNow(given));
        reloading = next.catch(() => {});
        return next;
      },
      reads: () => reads,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** `HTTPS_PROXY` and its kin are read here. */
function openOutboundWith(variables: WayhomeOptions['variables']): Outbound {
  try {
    return openOutbound({ variables });
  } catch (error) {
    throw new ConfigError((error as Error).message);
  }
}

async function openStoreOf({ store, redis }: CheckedRoutes): Promise<Store> {
  try {
    return await openStore(store, redis);
  } catch (error) {
    throw new ConfigError(`the store ${store} cannot be opened: ${(error as Error).message}`);
  }
}

/** The file's seal keys, or the one that the store keeps; made where there is none yet. */
export async function sealKeysOf({ sealKeys }: CheckedRoutes, store: Store): Promise<readonly Buffer[]> {
  if (sealKeys.length > 0) return sealKeys;
  const key = parseSealKey(await store.keep('seal-key', makeSealKey));
  if (!key) throw new ConfigError('the seal key that the store keeps cannot be read');
  return [key];
}

async function listen(app: FastifyInstance, { host, port }: HostAndPort): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw new ConfigError(`${host}:${port} cannot be listened on: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
  const { address, family, port: taken } = app.server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
}

/** The first of the settings that a running process cannot change. */
function needsRestart(old: CheckedRoutes, next: CheckedRoutes): string | undefined {
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  if (!same(old.listen, next.listen)) return 'listen';
  if (!same(old.admin, next.admin)) return 'admin';
  if (old.store !== next.store || !same(old.redis, next.redis)) return 'store';
  return same(old.sealKeys, next.sealKeys) ? undefined : 'seal_keys';
}
