/**
 * Brings up the whole demo in one process: the portal, six environments, the guide, and the router. It serves
 * the top-level routes.yaml as it stands, with the files of environments/ included. The secrets are made up on
 * the spot and the database is thrown away.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWayhome } from '../../src/compose.ts';
import { type EnvironmentOptions, openEnvironment } from './environment.ts';
import type { AppLinks } from './environment-pages.ts';
import { openGuide } from './guide.ts';
import { openIdentityProvider } from './identity-provider.ts';
import { EU_PEOPLE, GLOBEX_PEOPLE, US_PEOPLE } from './people.ts';
import { openPortal } from './portal.ts';
import { choosePorts, haveMoved, movePorts, type Ports } from './ports.ts';
import { openPylonInstallation } from './pylon-installation.ts';
import { openSharedSession } from './shared-session.ts';

export type EnvironmentName = 'us' | 'eu' | 'globex' | 'wonka' | 'account' | 'soylent';

/** Origins, without a trailing slash. `close` stops every server and removes the database. */
export type Demo = {
  readonly router: string;
  readonly admin: string;
  readonly portal: string;
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
    WONKA_CLIENT_SECRET: makeSecret(),
    SOYLENT_SECRET: makeSecret(),
  };
  const now = (): number => Math.floor(Date.now() / 1000);
  const folder = await mkdtemp(join(tmpdir(), 'wayhome-demo-'));
  const parties: { close(): Promise<void> }[] = [];
  /** All at once: the router waits for WebSockets that are open, and their other end goes with its party. */
  const close = async (): Promise<void> => {
    await Promise.all(parties.splice(0).map((party) => party.close()));
    await rm(folder, { recursive: true, force: true });
  };
  const opened = async <Opened extends { close(): Promise<void> }>(opening: Promise<Opened>): Promise<Opened> => {
    const party = await opening;
    parties.push(party);
    return party;
  };
  const callback = `${portal}/callback/jwt?orgSlug=${ORG_SLUG}`;
  const linksOf = (name: EnvironmentName): AppLinks => {
    const helpCenter = `${router}/enter/${name}/support`;
    const article = `${helpCenter}?redirect_uri=${encodeURIComponent(`${callback}&to=/articles/refunds`)}`;
    return { helpCenter, article, portalLogin: `${portal}/login` };
  };
  const openRegion = (name: 'us' | 'eu' | 'globex', own: Pick<EnvironmentOptions, 'look' | 'people' | 'secret'>) =>
    opened(openEnvironment({ ...own, name, port: ports[name], router, links: linksOf(name), now }));

  try {
    const us = await openRegion('us', {
      look: { party: 'Acme United States', role: 'stand-in for your application', accent: '#1f5a96' },
      people: US_PEOPLE,
      secret: variables.US_HANDOFF_SECRET,
    });
    const eu = await openRegion('eu', {
      look: { party: 'Acme Europe', role: 'stand-in for your application', accent: '#1c6b4a' },
      people: EU_PEOPLE,
      secret: variables.EU_HANDOFF_SECRET,
    });
    const globex = await openRegion('globex', {
      look: { party: 'Globex', role: 'stand-in for a customer’s own installation', accent: '#8a4413' },
      people: GLOBEX_PEOPLE,
    });
    const wonka = await opened(
      openIdentityProvider({
        port: ports.wonka,
        clientId: 'wayhome',
        clientSecret: variables.WONKA_CLIENT_SECRET,
        redirectUri: `${router}/return/wonka`,
        postLogoutRedirectUri: `${router}/return/wonka/logout`,
        links: linksOf('wonka'),
      }),
    );
    const account = await opened(
      openSharedSession({ port: ports.account, name: 'account', router, links: linksOf('account') }),
    );
    const soylent = await opened(
      openPylonInstallation({
        port: ports.soylent,
        origin: `http://soylent.localhost:${ports.router}`,
        router,
        portal,
        callback,
        secret: variables.SOYLENT_SECRET,
        now,
      }),
    );
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
    const file = await writeRoutes(folder, ports);
    const { publicUrl, adminUrl } = await opened(startWayhome({ file, variables, log: output }));
    const environments = {
      us: us.origin,
      eu: eu.origin,
      globex: globex.origin,
      wonka: wonka.origin,
      account: account.origin,
      soylent: soylent.origin,
    };
    const origins = { router: new URL(publicUrl).origin, admin: new URL(adminUrl).origin, portal };
    const guide = await opened(openGuide({ port: ports.guide, ...origins, ...environments }));
    const moved = wish === 'fixed' && haveMoved(ports);
    return { ...origins, guide: guide.origin, environments, moved, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** routes.yaml and the files of environments/, moved to the chosen ports and into this folder. Resolves to the path. */
async function writeRoutes(folder: string, ports: Ports): Promise<string> {
  const read = async (address: URL): Promise<string> => movePorts(await readFile(address, 'utf8'), ports);
  const environments = new URL('environments/', import.meta.url);
  await mkdir(join(folder, 'environments.d'));
  for (const name of await readdir(environments)) {
    await writeFile(join(folder, 'environments.d', name), await read(new URL(name, environments)));
  }
  const file = join(folder, 'routes.yaml');
  const routes = await read(new URL('../../routes.yaml', import.meta.url));
  await writeFile(file, `${routes}\ninclude: environments.d/*.yaml\n`);
  return file;
}

/** 64 characters: long enough for HS512 too (RFC 7518 §3.2). */
const makeSecret = (): string => randomBytes(48).toString('base64url');
