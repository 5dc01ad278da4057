/** `wayhome serve` as a process: signals, and a file that changes under it. */
import { renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { leaksOf } from '../support/leaks.ts';
import { type Serving, startServe } from '../support/process.ts';
import {
  changedRoutes,
  departure,
  environmentToken,
  LOGIN,
  ORIGIN,
  portalToken,
  temporaryFolder,
} from '../support/world.ts';

/** Routes in which the United States are called so. */
const titled = (title: string, folder: string): string =>
  changedRoutes((routes) => {
    Object.assign(routes, { store: `sqlite:${join(folder, 'wayhome.db')}` });
    Object.assign(routes.environments.us ?? {}, { title });
  });

async function startTitled(t: Test, title: string): Promise<{ folder: string; file: string; serving: Serving }> {
  const folder = temporaryFolder(t);
  const file = join(folder, 'routes.yaml');
  writeFileSync(file, titled(title, folder));
  return { folder, file, serving: await startServe(t, file) };
}

const now = () => Math.floor(Date.now() / 1000);
const picker = async (serving: Serving): Promise<string> => (await serving.browser().get(`${LOGIN}&ask=picker`)).body;

t.test('SIGHUP and a changed file read the routes again; a broken file leaves the old ones in force', async (t) => {
  const { folder, file, serving } = await startTitled(t, 'First Place');
  t.match(await picker(serving), 'First Place');

  let after = serving.lines.length;
  serving.process.kill('SIGHUP');
  await serving.heard('routes.applied', after);

  after = serving.lines.length;
  writeFileSync(file, titled('Second Place', folder));
  await serving.heard('routes.applied', after);
  t.match(await picker(serving), 'Second Place');

  after = serving.lines.length;
  writeFileSync(file, titled('Third Place', folder).slice(0, 900));
  const refused = await serving.heard('routes.refused', after);
  t.equal(refused.reason, 'routes_faulty');
  t.match(await picker(serving), 'Second Place');

  after = serving.lines.length;
  writeFileSync(`${file}.new`, titled('Fourth Place', folder));
  renameSync(`${file}.new`, file);
  await serving.heard('routes.applied', after);
  t.match(await picker(serving), 'Fourth Place', 'a file that was replaced, as editors do');

  t.equal(await serving.stop('SIGTERM'), 0);
  t.same(leaksOf(serving), []);
});

t.test('SIGTERM finishes the login that is under way, takes nothing new, and ends with 0', async (t) => {
  const { serving } = await startTitled(t, 'United States');
  const browser = serving.browser();
  const { redirectUri, nonce } = departure(await browser.get(`${LOGIN}&env=us`));
  const body = `access_token=${await environmentToken('us', now(), nonce)}`;
  const cookie = [...browser.jar].map(([name, { value }]) => `${name}=${value}`).join('; ');
  const { hostname, port } = new URL(serving.localUrl);
  const socket = connect(Number(port), hostname).setEncoding('latin1');
  let answer = '';
  socket.on('data', (text: string) => {
    answer += text;
  });
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.write(
    `POST ${redirectUri.slice(ORIGIN.length)} HTTP/1.1\r\nHost: login.acme.test\r\nCookie: ${cookie}\r\n` +
      `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 20)}`,
  );
  // The other side has to have read the beginning of the request before the signal arrives.
  await serving.browser().get('/nowhere');
  const ended = serving.stop('SIGTERM');
  while (await reachable(serving)) await sleep(20);
  socket.write(body.slice(20));
  await closed;
  t.match(answer, /^HTTP\/1\.1 303 /);
  t.not(portalToken({ location: /^location: (.*)\r$/im.exec(answer)?.[1] ?? 'about:blank' }), '');
  t.equal(await ended, 0);
  t.match(JSON.parse(serving.lines.at(-1) ?? '{}'), { event: 'router.stopped', reason: 'ok' });
});

const reachable = (serving: Serving): Promise<boolean> =>
  serving
    .browser()
    .get('/nowhere')
    .then(
      ({ status }) => status === 404,
      () => false,
    );

t.test('a file with a fault is not served: every fault is on standard error, and the exit code is 1', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'routes.yaml');
  writeFileSync(file, titled('x', folder).replace('"pylon"', '"pylom"'));
  await t.rejects(startServe(t, file), { message: /ended with 1 .*routes\.yaml:1:\d+[\s\S]*pylom/ });
});
