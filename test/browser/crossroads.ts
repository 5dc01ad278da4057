/**
 * A router with a discovery step of every kind, the demo's parties around it, and `wayhome explain` beside it: what
 * Chromium sends can be handed to the command, and what it then experiences be compared.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { json, text } from 'node:stream/consumers';
import type { Test } from 'tap';
import { openEnvironment } from '../../examples/demo/environment.ts';
import { EU_PEOPLE, GLOBEX_PEOPLE, type Person, US_PEOPLE } from '../../examples/demo/people.ts';
import { openPortal } from '../../examples/demo/portal.ts';
import { choosePorts } from '../../examples/demo/ports.ts';
import { explain } from '../../src/cli/explain.ts';
import type { Explanation } from '../../src/cli/explain-request.ts';
import { startWayhome } from '../../src/compose.ts';
import type { Trail } from '../../src/core/discovery.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import type { RoutesTree } from '../support/world.ts';

/** A line of the router's log about a login. */
export type LoginLine = { readonly reference?: string; readonly reason: string; readonly trail?: Trail };

/** A request as Chromium sent it, and when and under which routes it arrived. */
export type Asked = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly at: number;
  readonly file: string;
};

export type Crossroads = {
  /** Origins without a trailing slash. */
  readonly router: string;
  readonly portal: string;
  readonly apps: Readonly<Record<Place, string>>;
  /** Everybody's clock stands still, so many seconds after the time at which all this was opened. */
  ahead: number;
  /** The time, and the file that is being served. */
  moment(): Pick<Asked, 'at' | 'file'>;
  /** Serves the usual routes with this change, and no earlier one. */
  serve(change?: (routes: RoutesTree) => void): Promise<void>;
  /** The Remote Login URL as a portal would write it, with more parameters. */
  loginUrl(more?: string, portal?: 'support' | 'docs'): string;
  /** What `wayhome explain --json` says of a request. */
  explain(asked: Asked): Promise<Explanation>;
  lineOf(reference: string): LoginLine | undefined;
  /** Ends the router; every decision that it recorded, in order. */
  recorded(): Promise<unknown[]>;
};

export const PLACES = ['us', 'eu', 'globex', 'apac'] as const;
export type Place = (typeof PLACES)[number];

/** How long after the opening the planned environment opens. Seconds. */
export const UNTIL_APAC = 86_400;

const PEOPLE: Readonly<Record<Place, readonly Person[]>> = {
  us: US_PEOPLE,
  eu: EU_PEOPLE,
  globex: GLOBEX_PEOPLE,
  apac: US_PEOPLE,
};

/** As routes.yaml and `--at` take it. */
const instant = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000', '');

const secret = (): string => randomBytes(48).toString('base64url');

export async function openCrossroads(t: Test): Promise<Crossroads> {
  const ports = await choosePorts('free');
  const at = (port: number): string => `http://127.0.0.1:${port}`;
  const router = `http://localhost:${ports.router}`;
  const portal = at(ports.portal);
  const portOf = { us: ports.us, eu: ports.eu, globex: ports.globex, apac: ports.guide };
  const apps = { us: at(portOf.us), eu: at(portOf.eu), globex: at(portOf.globex), apac: at(portOf.apac) };
  const variables = {
    ...{ PORTAL: secret(), DOCS: secret(), SEAL: randomBytes(32).toString('base64url') },
    ...{ us: secret(), eu: secret(), globex: secret(), apac: secret() },
  };
  const opened = Math.floor(Date.now() / 1000);
  const clock = { ahead: 0 };
  const now = (): number => opened + clock.ahead;

  const helpCenter = `${router}/enter/us/support`;
  const links = { helpCenter, article: helpCenter, portalLogin: `${portal}/login` };
  for (const name of PLACES) {
    const look = { party: name, role: 'an app', accent: '#1f5a96' };
    const own = { name, port: portOf[name], people: PEOPLE[name], secret: variables[name] };
    const app = await openEnvironment({ ...own, look, router, links, now });
    t.teardown(() => app.close());
  }
  const loginUrl = `${router}/callback`;
  const support = { port: ports.portal, orgSlug: 'acme', loginUrl, logoutUrl: `${router}/logout` };
  const party = await openPortal({ ...support, secret: variables.PORTAL, now });
  t.teardown(() => party.close());

  const folder = await mkdtemp(join(tmpdir(), 'wayhome-crossroads-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const database = join(folder, 'wayhome.db');
  const usual = routesOf({ router, listen: `127.0.0.1:${ports.router}`, portal, apps, database, opened });
  const files: string[] = [];
  /** Each version stays, so that a request can be explained by the routes that it met. */
  const write = async (change: (routes: RoutesTree) => void = () => {}): Promise<string> => {
    const tree = structuredClone(usual);
    change(tree);
    const file = join(folder, `routes-${files.length}.yaml`);
    await writeFile(file, JSON.stringify(tree));
    files.push(file);
    return JSON.stringify(tree);
  };
  const log: string[] = [];
  const running = await startWayhome({
    file: join(folder, 'routes-0.yaml'),
    text: await write(),
    variables,
    log: (line) => log.push(line),
    clock: now,
  });
  t.teardown(() => running.close());

  return Object.assign(clock, {
    router,
    portal,
    apps,
    moment: () => ({ at: now(), file: files.at(-1) ?? '' }),
    async serve(change?: (routes: RoutesTree) => void) {
      if (!(await running.reload(await write(change)))) throw new Error('these routes are faulty');
    },
    loginUrl: (more = '', name: 'support' | 'docs' = 'support') => {
      const returnTo = `${portal}/callback/jwt?orgSlug=${name === 'docs' ? 'docs' : 'acme'}`;
      return `${router}${name === 'docs' ? '/docs' : '/callback'}?redirect_uri=${encodeURIComponent(returnTo)}${more}`;
    },
    async explain({ url, headers, body, at, file }: Asked) {
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      const args = [url, '--json', '--routes', file, '--client-ip', '127.0.0.1'];
      args.push('--at', instant(at));
      for (const [name, value] of Object.entries(headers)) args.push('--header', `${name}: ${value}`);
      for (const [name, value] of new URLSearchParams(body)) args.push('--form', `${name}=${value}`);
      await explain(args, { stdout, stderr, env: variables });
      stdout.end();
      stderr.end();
      const complaints = await text(stderr);
      if (complaints !== '') throw new Error(complaints);
      return (await json(stdout)) as Explanation;
    },
    lineOf: (reference: string) =>
      log.map((line) => JSON.parse(line) as LoginLine).findLast((line) => line.reference === reference),
    async recorded() {
      await running.close();
      const store = openSqliteStore(database);
      const decisions = await Array.fromAsync(store.recorded(), (line) => JSON.parse(line).decided as unknown);
      await store.close();
      return decisions;
    },
  });
}

type Around = Pick<Crossroads, 'router' | 'portal' | 'apps'> & {
  readonly listen: string;
  readonly database: string;
  readonly opened: number;
};

function routesOf({ router, listen, portal, apps, database, opened }: Around): RoutesTree {
  const environment = (name: Place, title: string, domains: 'any' | readonly string[]) => ({
    title,
    app_url: `${apps[name]}/`,
    login: {
      protocol: 'handoff',
      url: `${apps[name]}/sso/support`,
      issuer: `${apps[name]}/`,
      algorithms: ['HS256'],
      secret: { env: name },
    },
    may_assert: { email_domains: domains, claims: [] },
  });
  const signing = (env: string) => ({ algorithm: 'HS256', secret: { env } });
  const settings = (slug: string) => ({ org_slug: slug, callback: `${portal}/callback/jwt` });
  const rule = (when: object, to: Place) => ({ by: 'rule', when, to });
  return {
    public_url: router,
    listen,
    admin: '127.0.0.1:0',
    store: `sqlite:${database}`,
    seal_keys: [{ env: 'SEAL' }],
    record: { keep: 1_000 },
    portals: {
      support: { preset: 'pylon', login_path: '/callback', settings: settings('acme'), signing: signing('PORTAL') },
      docs: {
        ...{ preset: 'pylon', login_path: '/docs', settings: settings('docs'), signing: signing('DOCS') },
        environments: ['us', 'globex'],
      },
    },
    environments: {
      us: environment('us', 'United States', 'any'),
      eu: environment('eu', 'Europe', 'any'),
      globex: { ...environment('globex', 'Globex', ['globex.example']), listed: false },
      apac: { ...environment('apac', 'Asia', 'any'), from: instant(opened + UNTIL_APAC) },
    },
    discovery: [
      { by: 'hint' },
      { by: 'source' },
      { by: 'login_hint' },
      { by: 'remembered' },
      rule({ header: { name: 'cf-ipcountry', in: ['DE', 'AT'] } }, 'eu'),
      rule({ language: ['fr'] }, 'eu'),
      rule({ query: { name: 'plan', in: ['trial'] } }, 'us'),
      { by: 'picker' },
      { by: 'email' },
    ],
  };
}
