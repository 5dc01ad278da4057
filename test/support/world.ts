import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JWTHeaderParameters, SignJWT } from 'jose';
import { parse } from 'yaml';
import { type Running, startWayhome } from '../../src/compose.ts';
import { Browser, type Exchange, type Seen } from './browser.ts';

export const ORIGIN = 'https://login.acme.test';
export const ISSUER = `${ORIGIN}/`;
export const CALLBACK = 'https://graph.usepylon.com/callback/jwt?orgSlug=acme';
export const LOGIN = `/callback?redirect_uri=${encodeURIComponent(`${CALLBACK}&state=xyz`)}`;

/** Secrets of every party; each marks itself, so that a leak can be searched for. */
export const SECRETS = {
  PORTAL_SECRET: 'canary-portal-secret-0123456789-0123456789-0123456789-0123456789',
  US_SECRET: 'canary-us-handoff-secret-0123456789abcdef0123456789abcdef01234567',
  EU_SECRET: 'canary-eu-handoff-secret-0123456789abcdef0123456789abcdef01234567',
  GLOBEX_SECRET: 'canary-globex-handoff-secret-0123456789abcdef0123456789abcdef0123',
  SEAL_KEY: Buffer.from('canary-seal-key-0123456789abcdef0').toString('base64url'),
} as const;

/** The usual world: one Pylon portal, two regions, one customer's own installation. */
export const ROUTES = `
public_url: ${ORIGIN}
listen: 127.0.0.1:0
admin: 127.0.0.1:0
store: "memory:"
seal_keys: [{ env: SEAL_KEY }]
portals:
  support:
    title: Acme Support
    preset: pylon
    login_path: /callback
    logout_path: /logout
    settings: { org_slug: acme }
    signing: { algorithm: HS256, secret: { env: PORTAL_SECRET } }
environments:
  us:
    title: United States
    app_url: https://us.acme.test/
    login: { protocol: handoff, url: "https://us.acme.test/sso/support", issuer: "https://us.acme.test/", algorithms: [HS256], secret: { env: US_SECRET } }
    logout: { front: { url: "https://us.acme.test/logout", return_param: return_to } }
    may_assert: { email_domains: any, claims: [name, account_id, account_external_id] }
  eu:
    title: Europe
    app_url: https://eu.acme.test/
    login: { protocol: handoff, url: "https://eu.acme.test/sso?lang=en", issuer: "https://eu.acme.test/", algorithms: [HS256], secret: { env: EU_SECRET } }
    may_assert: { email_domains: any, claims: [account_external_id] }
  globex:
    title: Globex
    app_url: https://acme.globex.example/
    login: { protocol: handoff, url: "https://acme.globex.example/sso", issuer: globex, algorithms: [HS256], secret: { env: GLOBEX_SECRET } }
    may_assert: { email_domains: [globex.example], claims: [account_id] }
    sets: { account_external_id: globex }
    listed: false
discovery:
  - by: hint
    params: [env, domain_hint]
  - by: source
  - by: login_hint
  - by: remembered
    for: 30d
  - by: rule
    when: { header: { name: cf-ipcountry, in: [DE, FR, AT] } }
    to: eu
  - by: email
  - by: picker
logout: { then: app, fan_out: origin }
`;

type Tree = Record<string, unknown>;

/** The parts of a routes file that tests change. */
export type RoutesTree = Tree & {
  readonly portals: Record<string, Tree>;
  readonly environments: Record<string, Tree & { login: Tree }>;
  discovery: Tree[];
};

/** The usual routes, changed. */
export function changedRoutes(change: (routes: RoutesTree) => void, from = ROUTES): string {
  const tree = parse(from) as RoutesTree;
  change(tree);
  return JSON.stringify(tree);
}

export type World = {
  readonly running: Running;
  readonly lines: string[];
  /** Every answer that any of its browsers had. */
  readonly exchanges: Exchange[];
  /** Whose values must not be found anywhere. */
  readonly variables: Readonly<Record<string, string>>;
  /** Handed-in time, whole seconds. */
  now: number;
  browser(): Browser;
  /** The log's events, parsed. */
  events(): Record<string, unknown>[];
  close(): Promise<void>;
};

export type WorldOptions = {
  readonly routes?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly file?: string;
  /** Keeps claims in this file instead of in memory. */
  readonly sqlite?: string;
};

type Teardown = { teardown(work: () => unknown): void };

/** Opens a router as `wayhome serve` does, on a free port, with time in the test's hands. */
export async function openWorld(
  t: Teardown,
  { routes = ROUTES, variables: more = {}, file = 'routes.yaml', sqlite }: WorldOptions = {},
): Promise<World> {
  const lines: string[] = [];
  const exchanges: Exchange[] = [];
  const variables: Readonly<Record<string, string>> = { ...SECRETS, ...more };
  const world = { lines, exchanges, variables, now: Math.floor(Date.now() / 1000) } as World;
  const running = await startWayhome({
    file,
    text:
      sqlite === undefined
        ? routes
        : changedRoutes((tree) => Object.assign(tree, { store: `sqlite:${sqlite}` }), routes),
    variables,
    log: (line) => lines.push(line),
    clock: () => world.now,
  });
  t.teardown(() => running.close());
  return Object.assign(world, {
    running,
    browser: () =>
      new Browser(
        running.publicUrl,
        () => running.localUrl,
        (exchange) => exchanges.push(exchange),
      ),
    events: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    close: () => running.close(),
  });
}

/** A folder of its own under the system's, gone with the test. */
export function temporaryFolder(t: Teardown): string {
  const folder = mkdtempSync(join(tmpdir(), 'wayhome-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export type Departure = {
  readonly to: URL;
  readonly redirectUri: string;
  readonly nonce: string;
  readonly state: string;
};

/** What an environment is asked, read off the redirect to it. */
export function departure({ status, location }: Pick<Seen, 'status' | 'location'>): Departure {
  if (status !== 302 && status !== 303) throw new Error(`no departure: ${status}`);
  const to = new URL(location);
  const redirectUri = to.searchParams.get('redirect_uri') ?? '';
  return {
    to,
    redirectUri,
    nonce: to.searchParams.get('nonce') ?? '',
    state: new URL(redirectUri).searchParams.get('state') ?? '',
  };
}

export type TokenParts = {
  readonly claims?: Record<string, unknown>;
  readonly header?: Partial<JWTHeaderParameters>;
  readonly secret?: string;
};

const ISSUERS = { us: 'https://us.acme.test/', eu: 'https://eu.acme.test/', globex: 'globex' } as const;
const KEYS = { us: SECRETS.US_SECRET, eu: SECRETS.EU_SECRET, globex: SECRETS.GLOBEX_SECRET } as const;

export type UsualEnvironment = keyof typeof ISSUERS;

/** A token as an environment signs it, by somebody else's library; `undefined` claims are left out. */
export function environmentToken(
  environment: UsualEnvironment,
  now: number,
  nonce: string | undefined,
  { claims = {}, header = {}, secret = KEYS[environment] }: TokenParts = {},
): Promise<string> {
  const all: Record<string, unknown> = {
    iss: ISSUERS[environment],
    aud: ISSUER,
    iat: now,
    exp: now + 60,
    jti: randomUUID(),
    nonce,
    email: environment === 'globex' ? 'kim@globex.example' : 'ada@acme.test',
    ...claims,
  };
  for (const [name, value] of Object.entries(all)) if (value === undefined) delete all[name];
  return new SignJWT(all)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', ...header })
    .sign(new TextEncoder().encode(secret));
}

/** A login that has left: the address that the environment sends the browser back to, its token included. */
export async function readyToReturn(
  world: World,
  browser: Browser,
  environment: UsualEnvironment,
  parts: TokenParts = {},
  start = `${LOGIN}&env=${environment}`,
): Promise<string> {
  const { redirectUri, nonce } = departure(await browser.get(start));
  return `${redirectUri}&access_token=${await environmentToken(environment, world.now, nonce, parts)}`;
}

/** From the portal to the environment and back to the router, with the token that the test wants. */
export async function comeBack(
  world: World,
  browser: Browser,
  environment: UsualEnvironment,
  parts: TokenParts = {},
  start = `${LOGIN}&env=${environment}`,
): Promise<Seen> {
  return browser.get(await readyToReturn(world, browser, environment, parts, start));
}

/** The portal token in a redirect to the portal. */
export const portalToken = ({ location }: Pick<Seen, 'location'>): string =>
  new URL(location).searchParams.get('access_token') ?? '';
