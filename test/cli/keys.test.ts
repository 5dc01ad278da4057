import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { keys } from '../../src/cli/keys.ts';
import { LEAD, overlapAfter } from '../../src/keys/overlap.ts';
import { partyRoutes } from '../provider/party-world.ts';
import { changedRoutes, openWorld, type RoutesTree, temporaryFolder } from '../support/world.ts';

const NOW = 1_764_000_000;
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

class Sink extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function run(args: readonly string[], now = NOW) {
  const stdout = new Sink();
  const stderr = new Sink();
  const status = await keys(args, { stdout, stderr, env: {} }, () => now);
  return { status, stdout: stdout.text, stderr: stderr.text };
}

type Document = {
  readonly changed?: boolean;
  readonly keys: readonly Readonly<Record<string, unknown>>[];
};

/** The document that a command printed, which is all that it printed. */
async function document(args: readonly string[], now = NOW): Promise<Document & Readonly<Record<string, unknown>>> {
  const { stdout, stderr } = await run([...args, '--json'], now);
  if (stderr !== '') throw new Error(stderr);
  return JSON.parse(stdout) as Document & Readonly<Record<string, unknown>>;
}

/** A routes file beside the store that it names. */
function place(t: Parameters<typeof temporaryFolder>[0], change: (routes: RoutesTree) => void, from?: string) {
  const folder = temporaryFolder(t);
  const file = join(folder, 'routes.yaml');
  const text = changedRoutes((routes) => {
    Object.assign(routes, { store: 'sqlite:./data/wayhome.db' });
    change(routes);
  }, from);
  writeFileSync(file, text);
  return { file, text, store: join(folder, 'data', 'wayhome.db') };
}

const ps256 = (routes: RoutesTree) => {
  Object.assign(routes.portals.support ?? {}, { signing: { algorithm: 'PS256' } });
};

const iso = (instant: number): string => new Date(instant * 1000).toISOString().replace('.000Z', 'Z');

t.test('a rotation, command by command, with the times that it plans', async (t) => {
  const { file } = place(t, ps256);
  const asked = [file, '--portal', 'support'];
  const [first] = (await document(['make', ...asked])).keys;
  t.match(
    first,
    { state: 'active', signs_from: iso(NOW), leaves_at: null },
    'the first key is there with the first question',
  );

  const made = await document(['make', ...asked]);
  t.match(made, { ok: true, changed: false, portal: 'support', algorithm: 'PS256', kept: 'store' });
  t.match(made.keys, [{ state: 'active' }, { state: 'made', published_from: null }]);
  t.match(made.keys[1]?.public_key, /^-----BEGIN PUBLIC KEY-----/);

  const staged = await document(['stage', ...asked]);
  t.match(staged, { changed: true, lead_seconds: LEAD, overlap_seconds: overlapAfter(60) });
  t.match(staged.keys[1], { kid: made.keys[1]?.kid, state: 'staged', published_from: iso(NOW), signs_from: null });

  const switched = await document(['switch', ...asked]);
  t.match(switched.keys, [{ state: 'active' }, { state: 'staged', signs_from: iso(NOW + LEAD) }]);
  const retired = await document(['retire', ...asked]);
  t.match(retired.keys[0], { state: 'active', leaves_at: iso(NOW + LEAD + overlapAfter(60)) });

  for (const verb of ['make', 'stage', 'switch', 'retire']) {
    const again = await document([verb, ...asked], NOW + 1);
    t.equal(again.changed, false, `${verb} again`);
    t.same(again.keys, retired.keys);
  }
  const later = await document(['switch', ...asked, '--at', iso(NOW + 86_400)], NOW + 2);
  t.match(later.keys, [{ leaves_at: iso(NOW + 86_400 + overlapAfter(60)) }, { signs_from: iso(NOW + 86_400) }]);
  t.match((await document(['list', ...asked], NOW + 86_400)).sets, [
    { keys: [{ state: 'retiring' }, { state: 'active' }] },
  ]);
  const after = await document(['list', ...asked], NOW + 86_400 + overlapAfter(60));
  t.match(after.sets, [{ keys: [{ kid: made.keys[1]?.kid, state: 'active', leaves_at: null }] }]);
});

t.test('what must not be done is refused with its reason and what helps', async (t) => {
  const { file } = place(t, ps256);
  const asked = [file, '--portal', 'support'];
  const refused = async (args: readonly string[], now = NOW) => {
    const { status, stdout } = await run([...args, '--json'], now);
    t.equal(status, 1, args.join(' '));
    return JSON.parse(stdout) as unknown;
  };
  t.match(await refused(['retire', ...asked]), { ok: false, fault: 'last_key' });
  t.match(await refused(['retire', ...asked, '--at-once']), { fault: 'last_key' });
  t.match(await refused(['switch', ...asked]), { fault: 'nothing_staged', message: /wayhome keys stage/ });
  t.match(await refused(['retire', ...asked, '--key', 'nobody']), { fault: 'unknown_key' });
  await run(['stage', ...asked]);
  t.match(await refused(['switch', ...asked, '--at', iso(NOW + 60)]), {
    fault: 'too_early',
    earliest: iso(NOW + LEAD),
  });
  t.match(await refused(['retire', ...asked]), { fault: 'last_key' }, 'staged is not signing');

  const spoken = await run(['switch', ...asked, '--at', iso(NOW + 60)]);
  t.equal(spoken.stdout, '');
  t.match(spoken.stderr, /^wayhome keys switch: not before 2025-11-24T16:06:05Z: not everybody/);

  const [, mistaken] = (await document(['stage', ...asked])).keys;
  const calledOff = await document(['retire', ...asked, '--key', String(mistaken?.kid)]);
  t.match(calledOff, { changed: true, keys: { length: 1 } }, 'one that does not sign yet may go at any time');
  await run(['stage', ...asked]);
  const stolen = await document(['switch', ...asked, '--at-once'], NOW + 5);
  t.match(stolen.keys, [{ state: 'retiring' }, { state: 'active' }]);
  t.match(await document(['retire', ...asked, '--at-once'], NOW + 5), {
    keys: [{ state: 'gone' }, { state: 'active' }],
  });
  t.match(await refused(['retire', ...asked], NOW + 5), { fault: 'last_key' });
});

t.test('keys are listed for all who are signed for, private halves never', async (t) => {
  const pem = (key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey) =>
    key.export({ type: 'pkcs8', format: 'pem' }) as string;
  const { file, store } = place(
    t,
    (routes) => {
      ps256(routes);
      const { support } = routes.portals;
      const other = (loginPath: string, signing: object) => ({
        ...support,
        login_path: loginPath,
        logout_path: `${loginPath}/out`,
        signing,
      });
      Object.assign(routes.portals, {
        shared: other('/shared', {
          algorithm: 'HS256',
          secret: { env: 'A' },
          next: { secret: { env: 'B' }, at: iso(NOW + 60) },
        }),
        own: other('/own', { algorithm: 'PS256', private_key: { file: 'own.pem' } }),
        help2: { oidc: { client_id: 'help2', client_auth: 'none', redirect_uris: ['https://help2.test/cb'] } },
      });
      Object.assign(routes.environments.us ?? {}, { logout: { back: { url: 'https://us.acme.test/gone' } } });
    },
    partyRoutes(),
  );
  writeFileSync(join(file, '..', 'own.pem'), pem());
  const { sets } = await document(['list', file]);
  t.match(sets, [
    { portal: 'support', algorithm: 'PS256', kept: 'store', shared_with: [], keys: [{ state: 'active' }] },
    { portal: 'shared', algorithm: 'HS256', kept: 'file', next_at: iso(NOW + 60) },
    { portal: 'own', algorithm: 'PS256', kept: 'file', next_at: null },
    { portal: 'help', algorithm: 'RS256', shared_with: ['help2', 'us'], overlap_seconds: overlapAfter(3_600) },
    { portal: 'docs', algorithm: 'ES256', shared_with: [] },
    { portal: 'help2', algorithm: 'RS256', shared_with: ['help', 'us'] },
    { environment: 'us', algorithm: 'RS256', shared_with: ['help', 'help2'], overlap_seconds: overlapAfter(3_600) },
  ]);
  t.ok(existsSync(store));
  await document(['stage', file, '--environment', 'us']);
  const spoken = await run(['list', file, '--portal', 'help']);
  t.match(
    spoken.stdout,
    /^help: RS256, the same as for help2, us\n {2}active {4}\S{43} {2}signs from the beginning\n {2}staged {4}\S{43} {2}published \S+, may sign from \S+\n$/,
  );
  t.match(
    (await run(['list', file, '--portal', 'shared'])).stdout,
    /^shared: HS256, as routes.yaml says; the next one signs from /,
  );
  const { status, stderr } = await run(['stage', file, '--portal', 'own']);
  t.equal(status, 1);
  t.match(stderr, /signing\.next/);

  const all = await Promise.all(
    [
      ['list', file],
      ['list', file, '--json'],
      ['make', file, '--portal', 'support'],
      ['stage', file, '--portal', 'docs', '--json'],
    ].map((args) => run(args)),
  );
  for (const { stdout } of all) t.notMatch(stdout, /PRIVATE|"d":/);
  t.match(
    all[2]?.stdout,
    /-----BEGIN PUBLIC KEY-----\n[\s\S]+-----END PUBLIC KEY-----\n$/,
    'what make made can be pasted',
  );
});

t.test('wrong words, faulty files and stores out of reach are usage', async (t) => {
  const { file } = place(t, ps256);
  for (const [args, message] of [
    [[], /say what is to be done/],
    [['rotate', file], /there is no keys "rotate"/],
    [['stage', file], /--portal is missing/],
    [['stage', file, file, '--portal', 'support'], /one routes file/],
    [['stage', file, '--portal', 'support', '--at', iso(NOW)], /acts now/],
    [['switch', file, '--portal', 'support', '--at', 'tomorrow'], /--at takes/],
    [['switch', file, '--portal', 'support', '--at', '2026-12-01T10:00'], /--at takes/],
    [['switch', file, '--portal', 'support', '--at', iso(NOW), '--at-once'], /--at takes/],
    [['switch', file, '--portal', 'support', '--key', 'x'], /--key is for retire/],
    [['stage', file, '--portal', 'support', '--environment', 'us'], /one portal or one/],
    [['stage', file, '--portal', 'nobody'], /nothing is signed for the portal "nobody"/],
    [['stage', file, '--environment', 'us'], /nothing is signed for the environment "us"/],
    [['stage', `${file}.not`, '--portal', 'support'], /cannot be read/],
    [['stage', file, '--odd'], /--odd/],
  ] as const) {
    const { status, stdout, stderr } = await run(args);
    t.equal(status, 2, args.join(' '));
    t.equal(stdout, '');
    t.match(stderr, message);
  }
  const memory = place(t, (routes) => Object.assign(routes, { store: 'memory:' }));
  t.match(await run(['list', memory.file]), { status: 0, stdout: 'support: HS256, as routes.yaml says\n' });
  const unread = place(t, (routes) => {
    ps256(routes);
    Object.assign(routes, { store: 'memory:' });
  });
  t.match(await run(['list', unread.file]), { status: 2, stderr: /memory:/ });
  const named = place(t, () => {});
  t.match(await run(['stage', named.file, '--portal', 'support']), { status: 1, stderr: /routes\.yaml names/ });
  t.equal(existsSync(named.store), false, 'no store is made where nothing is kept in one');
  writeFileSync(join(file, '..', 'data'), 'in the way');
  t.match(await run(['list', file]), { status: 2, stderr: /cannot be opened/ });
  t.match(await run(['--help']), { status: 0, stdout: /^usage: wayhome keys list/ });
});

t.test('a running router takes over what another process has changed', async (t) => {
  const { file, text, store } = place(t, ps256);
  const routes = changedRoutes((tree) => Object.assign(tree, { store: `sqlite:${store}` }), text);
  const world = await openWorld(t, { routes, file });
  const published = async () => {
    const { body } = await world.browser().get('/oidc/jwks');
    return (JSON.parse(body) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
  };
  const command = async (...args: readonly string[]) => {
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'keys', ...args, '--json'], { env: {} });
    return JSON.parse(stdout) as Document;
  };
  const [first] = await published();
  const [, next] = (await command('stage', file, '--portal', 'support')).keys;
  t.same(await published(), [first], 'not before it looks again');
  world.now += 5;
  t.same(await published(), [first, next?.kid]);
});
