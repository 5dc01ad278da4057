/** Everybody who carries a request to the same upstream. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Launch, Server, Servers } from './server.ts';
import { HOST } from './upstream.ts';
import { freePort, HAPROXY, isInstalled, NGINX, type WebServer } from './web-servers.ts';
import { ENVIRONMENT_SECRET, ORIGIN, PORTAL_SECRET } from './world.ts';

export const PROXIES = [
  'nginx',
  'haproxy',
  'splice',
  'dispatch',
  'fast-proxy',
  '@fastify/http-proxy',
  'httpxy',
  'http-proxy-3',
  'http-proxy',
  'http-proxy-as-it-comes',
  'wayhome',
] as const;
export type ProxyName = (typeof PROXIES)[number];

/** Library proxies that no finding of docs/decisions/0005 speaks against: those that the router may be held against. */
export const BEHAVING: readonly ProxyName[] = ['httpxy'];

/** Those that an upgraded connection is tried through. */
export const UPGRADING: readonly ProxyName[] = ['nginx', 'haproxy', 'splice', 'httpxy', 'wayhome'];

export type Started = {
  readonly servers: ReadonlyMap<ProxyName, Server>;
  /** Who is not there, and how to get it. */
  readonly leftOut: readonly string[];
};

export async function startProxies(
  servers: Servers,
  folder: string,
  upstreamPort: number,
  names: readonly ProxyName[] = PROXIES,
): Promise<Started> {
  const started = new Map<ProxyName, Server>();
  const leftOut: string[] = [];
  for (const name of names) {
    const webServer: WebServer | undefined = { nginx: NGINX, haproxy: HAPROXY }[name as string];
    if (!webServer) started.set(name, await servers.start(launchOf(name, folder, upstreamPort)));
    else if (!isInstalled(webServer)) leftOut.push(`${name} is not installed (apt-get install ${name})`);
    else {
      const program = webServer.configure(join(folder, name), await freePort(), upstreamPort);
      started.set(name, await servers.startProgram(program));
    }
  }
  return { servers: started, leftOut };
}

function launchOf(name: ProxyName, folder: string, upstreamPort: number): Launch {
  const port = String(upstreamPort);
  switch (name) {
    case 'wayhome':
      return routerLaunch(join(folder, 'proxying'), upstreamPort);
    case 'splice':
    case 'dispatch':
      return { name, args: [`bench/peers/proxies/${name}.ts`, port] };
    default:
      return { name, args: ['bench/peers/proxies/library.ts', name, port] };
  }
}

/** The router as it is served, with the upstream as the pages of one of its environments. */
function routerLaunch(folder: string, upstreamPort: number): Launch {
  const file = join(folder, 'routes.yaml');
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, routes(upstreamPort));
  return {
    name: 'wayhome',
    args: ['src/cli/main.ts', 'serve', file],
    variables: { PORTAL_SECRET, ENVIRONMENT_SECRET },
  };
}

const routes = (upstreamPort: number): string => `public_url: ${ORIGIN}
listen: 127.0.0.1:0
admin: 127.0.0.1:0
store: "memory:"
portals:
  support:
    preset: pylon
    login_path: /callback
    settings: { org_slug: acme }
    signing: { algorithm: HS256, secret: { env: PORTAL_SECRET } }
environments:
  pages:
    title: Behind the router
    app_url: https://app.acme.test/
    login:
      protocol: handoff
      url: https://${HOST}/login
      issuer: https://app.acme.test/
      algorithms: [HS256]
      secret: { env: ENVIRONMENT_SECRET }
    may_assert: { email_domains: [acme.test], claims: [] }
    proxy: { host: ${HOST}, upstream: "http://127.0.0.1:${upstreamPort}", paths: [/] }
discovery: [{ by: picker }]
`;
