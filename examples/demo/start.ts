/**
 * Brings up the whole demo in one process: the portal, three environments, the guide, and the router on the
 * top-level routes.yaml as it stands. The secrets are made up on the spot and the database is thrown away.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startWayhome } from '../../src/compose.ts';
import { type EnvironmentOptions, openEnvironment } from './environment.ts';
import { openGuide } from './guide.ts';
import { EU_PEOPLE, GLOBEX_PEOPLE, US_PEOPLE } from './people.ts';
import { openPortal } from './portal.ts';
import { choosePorts, haveMoved, movePorts } from './ports.ts';

/** Origins, without a trailing slash. `close` stops every server and removes the database. */
export type Demo = {
  readonly router: string;
  readonly admin: string;
  readonly portal: string;
  readonly guide: string;
  readonly environments: { readonly us: string; readonly eu: string; readonly globex: string };
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

/** What this portal calls its customer's workspace; `settings.org_slug` in routes.yaml. */
const ORG_SLUG = 'acme';

/** Rejects with everything stopped again when any part does not start. */
export async function startDemo({ ports: wish = 'fixed', output }: DemoOptions): Promise<Demo> {
  const ports = await choosePorts(wish);
  const router = `http://localhost:${ports.router}`;
  const portal = `http://127.0.0.1:${ports.portal}`;
  const variables = {
    PYLON_SHARED_SECRET: makeSecret(),
    US_HANDOFF_SECRET: makeSecret(),
    EU_HANDOFF_SECRET: makeSecret(),
  };
  const now = (): number => Math.floor(Date.now() / 1000);
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  const opened = async <Opened extends { close(): Promise<void> }>(opening: Promise<Opened>): Promise<Opened> => {
    const party = await opening;
    closers.push(() => party.close());
    return party;
  };
  const openApp = (name: 'us' | 'eu' | 'globex', own: Pick<EnvironmentOptions, 'look' | 'people' | 'secret'>) => {
    const callback = `${portal}/callback/jwt?orgSlug=${ORG_SLUG}&to=/articles/refunds`;
    const helpCenter = `${router}/enter/${name}/support`;
    const article = `${helpCenter}?redirect_uri=${encodeURIComponent(callback)}`;
    const links = { helpCenter, article, portalLogin: `${portal}/login` };
    return opened(openEnvironment({ ...own, name, port: ports[name], router, links, now }));
  };

  try {
    const folder = await mkdtemp(join(tmpdir(), 'wayhome-demo-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const us = await openApp('us', {
      look: { party: 'Acme United States', role: 'stand-in for your application', accent: '#1f5a96' },
      people: US_PEOPLE,
      secret: variables.US_HANDOFF_SECRET,
    });
    const eu = await openApp('eu', {
      look: { party: 'Acme Europe', role: 'stand-in for your application', accent: '#1c6b4a' },
      people: EU_PEOPLE,
      secret: variables.EU_HANDOFF_SECRET,
    });
    const globex = await openApp('globex', {
      look: { party: 'Globex', role: 'stand-in for a customer’s own installation', accent: '#8a4413' },
      people: GLOBEX_PEOPLE,
    });
    await opened(
      openPortal({
        port: ports.portal,
        orgSlug: ORG_SLUG,
        loginUrl: `${router}/callback`,
        logoutUrl: `${router}/logout`,
        secret: variables.PYLON_SHARED_SECRET,
        now,
      }),
    );
    const file = fileURLToPath(new URL('../../routes.yaml', import.meta.url));
    const routes = movePorts(await readFile(file, 'utf8'), ports);
    const text = routes.replace(
      /^store: .*$/m,
      () => `store: ${JSON.stringify(`sqlite:${join(folder, 'wayhome.db')}`)}`,
    );
    const { publicUrl, adminUrl } = await opened(startWayhome({ file, text, variables, log: output }));
    const environments = { us: us.origin, eu: eu.origin, globex: globex.origin };
    const origins = { router: new URL(publicUrl).origin, admin: new URL(adminUrl).origin, portal };
    const guide = await opened(openGuide({ port: ports.guide, ...origins, ...environments }));
    const moved = wish === 'fixed' && haveMoved(ports);
    return { ...origins, guide: guide.origin, environments, moved, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** 64 characters: long enough for HS512 too (RFC 7518 §3.2). */
const makeSecret = (): string => randomBytes(48).toString('base64url');
