/** Where the parties of the demo listen, and the text of routes.yaml with those ports in it. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** The ports that routes.yaml, environments/*.yaml and the guide name. */
export const FIXED_PORTS = {
  router: 8080,
  admin: 9090,
  portal: 4400,
  us: 4401,
  eu: 4402,
  globex: 4403,
  wonka: 4404,
  account: 4405,
  soylent: 4406,
  initrode: 4407,
  helpCenter: 4408,
  guide: 4409,
  downstream: 4410,
} as const;

export type Ports = Readonly<Record<keyof typeof FIXED_PORTS, number>>;

const BY_NAME: ReadonlySet<string> = new Set(['router', 'account']);

/**
 * `fixed`: the ports of routes.yaml, another one only where one is taken. `free`: whatever the system hands out.
 * All are held until all are chosen, so no two are equal. Those that browsers know by the name `localhost` are tried
 * on both of its addresses, or the browser could meet somebody else there.
 */
export async function choosePorts(wish: 'fixed' | 'free'): Promise<Ports> {
  const held: Server[] = [];
  const ports: Record<string, number> = {};
  try {
    for (const [party, fixed] of Object.entries(FIXED_PORTS)) {
      const server =
        (wish === 'fixed' &&
          (!BY_NAME.has(party) || (await isFree(fixed, '::1'))) &&
          (await hold(fixed, '127.0.0.1'))) ||
        (await hold(0, '127.0.0.1'));
      if (!server) throw new Error('No free port on 127.0.0.1.');
      held.push(server);
      ports[party] = portOf(server);
    }
  } finally {
    await Promise.all(held.map(release));
  }
  return ports as Ports;
}

/** Whether any port differs from the fixed one. */
export const haveMoved = (ports: Ports): boolean =>
  Object.entries(FIXED_PORTS).some(([party, fixed]) => ports[party as keyof Ports] !== fixed);

/** The routes with every `localhost:8080`, `soylent.localhost:8080`, `127.0.0.1:4400`, … moved to the chosen ports; all else untouched. */
export function movePorts(text: string, ports: Ports): string {
  const moved = new Map(
    Object.entries(FIXED_PORTS).map(([party, fixed]) => [String(fixed), ports[party as keyof Ports]]),
  );
  return text.replace(/\b(localhost|127\.0\.0\.1):(\d+)/g, (whole, host: string, port: string) => {
    const chosen = moved.get(port);
    return chosen === undefined ? whole : `${host}:${chosen}`;
  });
}

async function hold(port: number, host: string): Promise<Server | undefined> {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE' || code === 'EACCES') return undefined;
    throw error;
  }
}

/** A machine without IPv6 has nobody listening there. */
async function isFree(port: number, host: string): Promise<boolean> {
  try {
    const server = await hold(port, host);
    if (server) await release(server);
    return server !== undefined;
  } catch {
    return true;
  }
}

async function release(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
