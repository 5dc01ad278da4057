/** What a login leaves in the router's memory. */
import { writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { startServe } from '../support/process.ts';
import {
  departure,
  environmentToken,
  LOGIN,
  ORIGIN,
  portalToken,
  ROUTES,
  SECRETS,
  temporaryFolder,
} from '../support/world.ts';

const PROBE = new URL('../support/old-objects.ts', import.meta.url).href;

const LOGINS = 500;

/** Bytes of a login: two claims of the memory store, what compiled code still learns, and room. 60 KB are made. */
const MOST = 2_000;

t.test('what a login makes dies young: next to nothing of it waits for a full collection', async (t) => {
  const file = join(temporaryFolder(t), 'routes.yaml');
  writeFileSync(file, ROUTES);
  const serving = await startServe(t, file, { ...SECRETS, NODE_OPTIONS: `--import=${PROBE}` });
  // Each new connection would leave something of its own.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const visit = (address: string, cookie = '') =>
    new Promise<{ status: number; location: string; cookie: string }>((resolve, reject) => {
      const headers = { host: new URL(ORIGIN).host, cookie };
      get(`${serving.localUrl}${address.replace(ORIGIN, '')}`, { agent, headers }, (answer) => {
        const { location = '', 'set-cookie': cookies = [] } = answer.headers;
        const seen = { status: answer.statusCode ?? 0, location, cookie: cookies[0]?.split(';', 1)[0] ?? '' };
        answer.resume().once('end', () => resolve(seen));
      }).once('error', reject);
    });

  const login = async () => {
    const left = await visit(`${LOGIN}&env=us`);
    const { redirectUri, nonce } = departure(left);
    const token = await environmentToken('us', Math.floor(Date.now() / 1000), nonce);
    const home = await visit(`${redirectUri}&access_token=${token}`, left.cookie);
    if (portalToken(home) === '') throw new Error(`no portal token: ${home.status}`);
  };
  const oldBytes = async () => {
    const after = serving.lines.length;
    serving.process.kill('SIGUSR2');
    return Number((await serving.heard('test.old_objects', after)).bytes);
  };
  // Code that is compiled, and what it learns, grow old first.
  for (let count = 0; count < 2 * LOGINS; count++) await login();
  const before = await oldBytes();
  for (let count = 0; count < LOGINS; count++) await login();
  const each = ((await oldBytes()) - before) / LOGINS;
  t.ok(each < MOST, `${each} bytes a login`);
});
