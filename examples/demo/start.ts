/**
 * Brings up the whole demo in one process: the portals, seven environments, the guide, and the router. It serves
 * the top-level routes.yaml as it stands, with the files of portals/ and environments/ beside it. The secrets are made
 * up on the spot and the database is thrown away.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWayhome } from '../../src/compose.ts';
import { writeRoutes } from './demo-routes.ts';
import { openGuide } from './guide.ts';
import { type EnvironmentName, openEnvironments } from './open-environments.ts';
import { openPortals } from './open-portals.ts';
import { choosePorts, haveMoved } from './ports.ts';
import { makeSecrets, type Setting } from './setting.ts';

/** Origins, without a trailing slash. `close` stops every server and removes the database. */
export type Demo = {
  readonly router: string;
  readonly admin: string;
  readonly portal: string;
  readonly helpCenter: string;
  /** Services that take tokens which the router minted. */
  readonly downstream: string;
  readonly guide: string;
  readonly environments: Readonly<Record<EnvironmentName, string>>;
  /** `true` where a port of routes.yaml was taken and another one is used. */
  readonly moved: boolean;
  close(): Promise<void>;
};

export type DemoOptions = {
  /** `free` for tests and for several demos at once; see `choosePorts`. */
  readonly ports?: 'fixed' | 'free';
  /** Gets the router's log, line by line. */
  readonly output: (line: string) => void;
};

/** Rejects with everything stopped again when any part does not start. */
export async function startDemo({ ports: wish = 'fixed', output }: DemoOptions): Promise<Demo> {
  const ports = await choosePorts(wish);
  const folder = await mkdtemp(join(tmpdir(), 'wayhome-demo-'));
  const parties: { close(): Promise<void> }[] = [];
  /** All at once: the router waits for WebSockets that are open, and their other end goes with its party. */
  const close = async (): Promise<void> => {
    await Promise.all(parties.splice(0).map((party) => party.close()));
    await rm(folder, { recursive: true, force: true });
  };
  const portals = {
    portal: `http://127.0.0.1:${ports.portal}`,
    helpCenter: `http://127.0.0.1:${ports.helpCenter}`,
    downstream: `http://127.0.0.1:${ports.downstream}`,
  };
  const setting: Setting = {
    ports,
    router: `http://localhost:${ports.router}`,
    ...portals,
    secrets: makeSecrets(),
    now: () => Math.floor(Date.now() / 1000),
    async opened(opening) {
      const party = await opening;
      parties.push(party);
      return party;
    },
  };

  try {
    const environments = await openEnvironments(setting);
    await openPortals(setting);
    const file = await writeRoutes(folder, ports);
    const router = startWayhome({ file, variables: setting.secrets, log: output });
    const { publicUrl, adminUrl } = await setting.opened(router);
    const origins = { router: new URL(publicUrl).origin, admin: new URL(adminUrl).origin, ...portals };
    const guide = await setting.opened(openGuide({ port: ports.guide, ...origins, ...environments }));
    const moved = wish === 'fixed' && haveMoved(ports);
    return { ...origins, guide: guide.origin, environments, moved, close };
  } catch (error) {
    await close();
    throw error;
  }
}
