/** A router in a process of its own, among environments that answer garbage and a few that are honest. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Test } from 'tap';
import { type Serving, startServe } from '../support/process.ts';
import { changedRoutes, LOGIN, portalToken, SECRETS, temporaryFolder } from '../support/world.ts';
import { type Crowd, openCrowd, type Told } from './crowd.ts';
import { KEYS, TOKENS } from './garbage-answers.ts';
import { KINDS } from './garbage-kinds.ts';
import { openGarbage } from './garbage-server.ts';
import { answerHonestly, ISSUER } from './honest-provider.ts';

/** A kind that TLS alone decides: what it would answer is never read. */
const STRANGE_CERTIFICATE = 'strange-certificate';

/**
 * Garbage on the wire. Each kind is an environment that shares a session and has pages behind the router, and under
 * `token-…` one that is a provider.
 */
export const WIRE: readonly string[] = [...Object.keys(KINDS), STRANGE_CERTIFICATE];

/** Providers whose answers can be read, and are no good. */
export const PROVIDERS: readonly string[] = [
  ...Object.keys(TOKENS).map((kind) => `says-${kind}`),
  ...Object.keys(KEYS).map((kind) => `keys-${kind}`),
];

export type HostileWorld = {
  readonly serving: Serving;
  readonly crowd: Crowd;
  /** What the router said on standard error. */
  said(): string;
  /** Requests that reached the hostile environments, by kind. */
  arrived(): Promise<ReadonlyMap<string, number>>;
};

/** `timeout`: how long an environment behind the router may take; 10 s where it is absent. */
export async function openHostileWorld(t: Test, timeout?: string): Promise<HostileWorld> {
  const worker = new Worker(new URL('./garbage-worker.ts', import.meta.url));
  t.teardown(() => worker.terminate());
  const [{ port, tlsPort }] = await once(worker, 'message');
  const honest = await openGarbage(answerHonestly);
  t.teardown(() => honest.close());
  const file = join(temporaryFolder(t), 'routes.yaml');
  const at = (own: number) => `http://127.0.0.1:${own}`;
  const origins = { honest: at(honest.port), garbage: at(port), overTls: `https://127.0.0.1:${tlsPort}` };
  writeFileSync(
    file,
    changedRoutes((routes) => {
      Object.assign(routes, { discovery: [{ by: 'hint', params: ['env'] }, { by: 'picker' }] });
      Object.assign(routes.environments, environments(origins, timeout));
    }),
  );
  const serving = await startServe(t, file, SECRETS);
  let said = '';
  serving.process.stderr?.on('data', (text: string) => {
    said += text;
  });
  const crowd = openCrowd(serving.localUrl);
  t.teardown(() => crowd.close());
  return {
    serving,
    crowd,
    said: () => said,
    async arrived() {
      worker.postMessage('arrived');
      const [arrived] = await once(worker, 'message');
      return arrived;
    },
  };
}

type Origins = Readonly<Record<'honest' | 'garbage' | 'overTls', string>>;

function environments({ honest, garbage, overTls }: Origins, timeout: string | undefined): Record<string, unknown> {
  const originOf = (kind: string) => (kind === STRANGE_CERTIFICATE ? overTls : garbage);
  return Object.fromEntries([
    session('honest', honest, undefined),
    provider('honest-oidc', `${honest}/token/honest`, `${honest}/keys/honest`),
    ...WIRE.map((kind) => session(kind, originOf(kind), timeout)),
    ...WIRE.map((kind) => provider(`token-${kind}`, `${originOf(kind)}/token/${kind}`, `${honest}/keys/honest`)),
    ...Object.keys(TOKENS).map((kind) => provider(`says-${kind}`, `${garbage}/says/${kind}`, `${honest}/keys/honest`)),
    ...Object.keys(KEYS).map((kind) => provider(`keys-${kind}`, `${honest}/token/honest`, `${garbage}/kept/${kind}`)),
  ]);
}

const entry = (name: string, login: object, more = {}): [string, unknown] => [
  name,
  { app_url: `https://${name}.acme.test/`, listed: false, may_assert: { email_domains: 'any' }, login, ...more },
];

const session = (name: string, origin: string, timeout: string | undefined): [string, unknown] =>
  entry(
    name,
    {
      protocol: 'session',
      url: `https://${name}.acme.test/login`,
      session_url: `${origin}/session/${name}`,
      cookies: ['sid'],
      allow_private: true,
    },
    { proxy: { host: `${name}.login.acme.test`, upstream: origin, paths: ['/'], ...(timeout && { timeout }) } },
  );

const provider = (name: string, token: string, jwks: string): [string, unknown] =>
  entry(name, {
    protocol: 'oidc',
    issuer: ISSUER,
    client_id: 'wayhome',
    endpoints: { authorization: `${ISSUER}/authorize`, token, jwks },
    iss_parameter: 'not_sent',
    algorithms: ['ES256'],
    allow_private: true,
  });

/** A login that has left for a provider: how it comes back with a code. A return that is refused uses nothing up. */
export async function leave(crowd: Crowd, environment: string): Promise<() => Promise<Told>> {
  const { headers } = await crowd.ask({ path: `${LOGIN}&env=${environment}` });
  const { searchParams } = new URL(headers.location ?? '');
  const cookie = (headers['set-cookie']?.[0] ?? '').split(';', 1)[0] ?? '';
  const path = `/return/${environment}?state=${searchParams.get('state')}&code=${searchParams.get('nonce')}`;
  return () => crowd.ask({ path, headers: { cookie } });
}

/** A login of somebody whose session cookie reaches the router: the environment is asked at once. */
export const atSession = (crowd: Crowd, environment: string): Promise<Told> =>
  crowd.ask({ path: `${LOGIN}&env=${environment}`, headers: { cookie: 'sid=ada' } });

export const forPage = (crowd: Crowd, environment: string): Promise<Told> =>
  crowd.ask({ host: `${environment}.login.acme.test`, path: '/' });

export const signedIn = ({ status, headers }: Told): boolean =>
  status === 302 && portalToken({ location: headers.location ?? '' }) !== '';

/** A page of the router's with a reference, and no way anywhere else. */
export const refused = ({ status, reference, headers, end }: Told): boolean =>
  status >= 400 && status < 600 && reference !== '' && headers.location === undefined && end === 'whole';
