/**
 * The demo's parties around a router of the test's own, so that a test can move time, change the routes while the
 * router runs, and spoil its store. The routes are the top-level routes.yaml and what the test changes in it.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { parse, stringify } from 'yaml';
import { type EnvironmentOptions, openEnvironment } from '../../examples/demo/environment.ts';
import { EU_PEOPLE, GLOBEX_PEOPLE, US_PEOPLE } from '../../examples/demo/people.ts';
import { openPortal } from '../../examples/demo/portal.ts';
import { choosePorts, movePorts, type Ports } from '../../examples/demo/ports.ts';
import { startWayhome } from '../../src/compose.ts';
import { openPostingEnvironment } from './posting-environment.ts';

/** Keys of routes.yaml: mappings are merged, everything else is replaced. */
export type Changes = { readonly [key: string]: unknown };

export type StageOptions = {
  /** What browsers call the router's host. */
  readonly host?: string;
  /** More that secrets are taken from. */
  readonly variables?: Readonly<Record<string, string>>;
  /** `runs` where somebody has a part in it whose clock is their own. */
  readonly clock?: 'stands' | 'runs';
};

/** Without a trailing slash. `poster` is the environment that posts its answer. */
type Origins = Readonly<Record<'router' | 'portal' | 'us' | 'eu' | 'globex' | 'poster', string>>;

export type Stage = Origins & {
  /** Everybody's clock stands still, so many seconds after the time at which the stage was opened; or runs ahead. */
  ahead: number;
  readonly ports: Ports;
  readonly variables: Readonly<Record<string, string>>;
  /** The router's log so far, line by line. */
  readonly log: readonly string[];
  /** Serves routes.yaml with these changes, and no earlier ones. */
  serve(changes: Changes): Promise<void>;
  /** Makes every write to the store fail until it is mended. */
  store(state: 'spoiled' | 'mended'): void;
  /** What the router's log says under a reference that a page showed. */
  reasonOf(reference: string): unknown;
};

type Variables = Readonly<
  Record<'PYLON_SHARED_SECRET' | 'US_HANDOFF_SECRET' | 'EU_HANDOFF_SECRET' | 'POSTER_SECRET', string>
>;

/** Nobody needs the demo's guide here. */
const POSTER = 'guide';

const ROUTES_FILE = fileURLToPath(new URL('../../routes.yaml', import.meta.url));
const makeSecret = (): string => randomBytes(48).toString('base64url');

export async function openStage(t: Test, options: StageOptions = {}): Promise<Stage> {
  const { host = 'localhost', clock = 'stands' } = options;
  const ports = await choosePorts('free');
  const variables: Variables = {
    ...options.variables,
    PYLON_SHARED_SECRET: makeSecret(),
    US_HANDOFF_SECRET: makeSecret(),
    EU_HANDOFF_SECRET: makeSecret(),
    POSTER_SECRET: makeSecret(),
  };
  const at = (party: keyof Ports): string => `http://127.0.0.1:${ports[party]}`;
  const origins: Origins = {
    router: `http://${host}:${ports.router}`,
    portal: at('portal'),
    us: at('us'),
    eu: at('eu'),
    globex: at('globex'),
    poster: at(POSTER),
  };
  const stage = { ...origins, ahead: 0 };
  const opened = Math.floor(Date.now() / 1000);
  const now = (): number => (clock === 'runs' ? Math.floor(Date.now() / 1000) : opened) + stage.ahead;
  for (const party of await openParties(ports, origins, variables, now)) t.teardown(() => party.close());

  const folder = await mkdtemp(join(tmpdir(), 'wayhome-browser-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const database = join(folder, 'wayhome.db');
  const file = parse(movePorts(await readFile(ROUTES_FILE, 'utf8'), ports)) as Changes;
  const usual = merge(file, {
    public_url: origins.router,
    store: `sqlite:${database}`,
    environments: { poster: posterRoutes(origins.poster) },
  });
  const log: string[] = [];
  const running = await startWayhome({
    file: ROUTES_FILE,
    text: stringify(usual),
    variables,
    log: (line) => log.push(line),
    clock: now,
  });
  t.teardown(() => running.close());

  return Object.assign(stage, {
    ports,
    variables,
    log,
    async serve(changes: Changes) {
      if (!(await running.reload(stringify(merge(usual, changes))))) throw new Error('these routes are faulty');
    },
    store(state: 'spoiled' | 'mended') {
      const db = new DatabaseSync(database, { timeout: 5_000 });
      db.exec(`ALTER TABLE ${state === 'spoiled' ? 'claims RENAME TO away' : 'away RENAME TO claims'}`);
      db.close();
    },
    reasonOf: (reference: string) =>
      log.map((line) => JSON.parse(line) as Changes).findLast((event) => event.reference === reference)?.reason,
  });
}

async function openParties(ports: Ports, { router, portal }: Origins, secrets: Variables, now: () => number) {
  const openApp = (name: 'us' | 'eu' | 'globex', own: Pick<EnvironmentOptions, 'people' | 'secret'>) => {
    const helpCenter = `${router}/enter/${name}/support`;
    const callback = `${portal}/callback/jwt?orgSlug=acme&to=/articles/refunds`;
    const article = `${helpCenter}?redirect_uri=${encodeURIComponent(callback)}`;
    const links = { helpCenter, article, portalLogin: `${portal}/login` };
    const look = { party: name, role: 'an app', accent: '#1f5a96' };
    return openEnvironment({ ...own, look, name, port: ports[name], router, links, now });
  };
  return [
    await openApp('us', { people: US_PEOPLE, secret: secrets.US_HANDOFF_SECRET }),
    await openApp('eu', { people: EU_PEOPLE, secret: secrets.EU_HANDOFF_SECRET }),
    await openApp('globex', { people: GLOBEX_PEOPLE }),
    await openPostingEnvironment({
      port: ports[POSTER],
      router,
      secret: secrets.POSTER_SECRET,
      email: 'pia@poster.example',
      now,
    }),
    await openPortal({
      port: ports.portal,
      orgSlug: 'acme',
      loginUrl: `${router}/callback`,
      logoutUrl: `${router}/logout`,
      secret: secrets.PYLON_SHARED_SECRET,
      now,
    }),
  ];
}

const posterRoutes = (poster: string): Changes => ({
  title: 'Poster',
  app_url: `${poster}/`,
  login: {
    protocol: 'handoff',
    url: `${poster}/sso`,
    issuer: 'poster',
    algorithms: ['HS256'],
    secret: { env: 'POSTER_SECRET' },
  },
  may_assert: { email_domains: ['poster.example'], claims: [] },
  listed: false,
});

const isMapping = (value: unknown): value is Changes =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const merge = (old: Changes, changes: Changes): Changes => ({
  ...old,
  ...Object.fromEntries(
    Object.entries(changes).map(([key, value]) => {
      const before = old[key];
      return [key, isMapping(before) && isMapping(value) ? merge(before, value) : value];
    }),
  ),
});
