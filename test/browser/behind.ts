/**
 * A router on a machine of its own, an installation on another one that only the router's machine has a link to, and a
 * portal here. What listens here on the router's port hands every connection to the router as it is.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { openPortal } from '../../examples/demo/portal.ts';
import { choosePorts } from '../../examples/demo/ports.ts';
import { type Network, openNetwork } from '../support/namespace.ts';
import { type Serving, startServe } from '../support/process.ts';
import { temporaryFolder } from '../support/world.ts';
import type { Heard, InstallationOptions } from './installation.ts';

export type Behind = {
  readonly router: string;
  readonly portal: string;
  readonly network: Network;
  readonly serving: Serving;
  /** Port of the installation on its machine. */
  readonly port: number;
  /** What the installation has heard so far. */
  readonly heard: readonly Heard[];
};

const INSTALLATION = fileURLToPath(new URL('./serve-installation.ts', import.meta.url));
const PORT = 8080;

export async function openBehind(t: Test, email: string): Promise<Behind> {
  const network = openNetwork(t);
  const ports = await choosePorts('free');
  const router = `http://localhost:${ports.router}`;
  const portal = `http://127.0.0.1:${ports.portal}`;
  const origin = `http://stark.localhost:${ports.router}`;
  const variables = { PORTAL: secretOf('portal'), STARK: secretOf('stark') };

  const heard: Heard[] = [];
  await startInstallation(t, network, heard, {
    ...{
      address: network.environment.address,
      port: PORT,
      origin,
      router,
      callback: `${portal}/callback/jwt?orgSlug=acme`,
    },
    ...{ secret: variables.STARK, email, manner: 'handoff' },
  });
  const loginUrl = `${router}/callback`;
  const party = await openPortal({
    ...{ port: ports.portal, orgSlug: 'acme', loginUrl, logoutUrl: `${router}/logout`, secret: variables.PORTAL },
    now: () => Math.floor(Date.now() / 1000),
  });
  t.teardown(() => party.close());

  const file = join(temporaryFolder(t), 'routes.yaml');
  await writeFile(
    file,
    `
public_url: ${router}
listen: ${network.router.address}:${ports.router}
admin: 127.0.0.1:9090
store: "memory:"
portals:
  support:
    preset: pylon
    login_path: /callback
    logout_path: /logout
    settings: { org_slug: acme, callback: "${portal}/callback/jwt" }
    signing: { algorithm: HS256, secret: { env: PORTAL } }
environments:
  stark:
    app_url: ${origin}/app
    login: { protocol: handoff, url: "${origin}/sso/support", issuer: "${origin}/", algorithms: [HS256], secret: { env: STARK } }
    logout: { front: { url: "${origin}/logout", return_param: return_to } }
    may_assert: { email_domains: [stark.example], claims: [] }
    proxy: { host: stark.localhost, upstream: "http://${network.environment.address}:${PORT}", paths: [/app, /sso/, /login, /logout, /live] }
discovery: [{ by: hint }, { by: picker }]
`,
  );
  const serving = await startServe(t, file, variables, network.router.within);
  await forward(t, ports.router, network.router.address);
  return { router, portal, network, serving, port: PORT, heard };
}

const secretOf = (name: string): string =>
  `the secret of ${name}, long enough for each HMAC there is: 64 bytes or more`;

async function startInstallation(t: Test, { environment }: Network, heard: Heard[], options: InstallationOptions) {
  const [command = '', ...args] = [...environment.within, process.execPath, INSTALLATION, JSON.stringify(options)];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const listening = new Promise<void>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      if (line === 'listening') resolve();
      else heard.push(JSON.parse(line) as Heard);
    });
    void ended.then(() => reject(new Error('the installation did not start')));
  });
  await listening;
}

async function forward(t: Test, port: number, address: string): Promise<void> {
  const server = createServer((near) => {
    const far = connect(port, address);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => other.destroy());
      one.pipe(other);
    }
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
}
