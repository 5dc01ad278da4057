/** The servers that walk logins against each other: the router with each store, and its peers. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Load, load, type Measured } from './load.ts';
import { walkLogin } from './login.ts';
import type { Launch, Server, Servers } from './server.ts';
import { LOGIN_PATHS, RSA_KEYS, routesText, secretFiles, VARIABLES } from './world.ts';

export const CONTESTANTS = [
  'bare',
  'bare_rsa',
  'express',
  'express_prepared',
  'wayhome',
  'wayhome_ps256',
  'wayhome_sqlite',
] as const;
export type Contestant = (typeof CONTESTANTS)[number];

export type Contest = {
  readonly servers: Readonly<Record<Contestant, Server>>;
  /** One entry a round. */
  readonly rounds: Readonly<Record<Contestant, readonly Measured[]>>;
};

const KEY_FILES = Object.values(RSA_KEYS).map(({ file, bits }) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  return [file, privateKey.export({ type: 'pkcs8', format: 'pem' })] as const;
});

/** As an operator starts the router: `wayhome serve`, with a routes file in a folder of its own. */
export function routerLaunch(folder: string, name: string, store: string, environments = 10): Launch {
  const home = join(folder, name);
  const file = join(home, 'routes.yaml');
  mkdirSync(join(home, 'secrets'), { recursive: true });
  for (const [path, secret] of secretFiles(environments)) writeFileSync(join(home, path), secret);
  for (const [keyFile, key] of KEY_FILES) writeFileSync(join(home, keyFile), key);
  writeFileSync(file, routesText({ store, environments }));
  return { name, args: ['src/cli/main.ts', 'serve', file], variables: VARIABLES };
}

/** Starts everybody, warms them up, and lets them walk in turn, round after round. */
export async function holdContest(servers: Servers, folder: string, rounds: number, round: Load): Promise<Contest> {
  const wayhome = await servers.start(routerLaunch(folder, 'memory', 'memory:'));
  const contestants: Record<Contestant, Server> = {
    bare: await servers.start({ name: 'bare', args: ['bench/peers/bare.mjs'] }),
    bare_rsa: await servers.start({ name: 'bare_rsa', args: ['bench/peers/bare.mjs', 'rsa'] }),
    express: await servers.start({ name: 'express', args: ['bench/peers/express.ts', 'string'] }),
    express_prepared: await servers.start({ name: 'express_prepared', args: ['bench/peers/express.ts', 'key-object'] }),
    wayhome,
    wayhome_ps256: wayhome,
    wayhome_sqlite: await servers.start(routerLaunch(folder, 'sqlite', `sqlite:${join(folder, 'wayhome.db')}`)),
  };
  const measured = Object.fromEntries(CONTESTANTS.map((name) => [name, [] as Measured[]])) as Record<
    Contestant,
    Measured[]
  >;
  const walk = (name: Contestant, options: Load) => {
    const loginPath = name === 'wayhome_ps256' ? LOGIN_PATHS.ps256 : LOGIN_PATHS.hs256;
    return load(contestants[name], (connection) => walkLogin(connection, loginPath), options);
  };
  for (const name of CONTESTANTS) await walk(name, round);
  for (let index = 0; index < rounds; index++) {
    for (const name of CONTESTANTS) measured[name].push(await walk(name, round));
  }
  return { servers: contestants, rounds: measured };
}
