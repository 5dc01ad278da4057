/**
 * `/logout/<run>` for people: what it says of each environment, where it leads, and that it claims nothing it cannot
 * know.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import { serve } from '../outbound/servers.ts';
import { altered } from '../support/altered.ts';
import type { Browser, Seen } from '../support/browser.ts';
import { leaksOf } from '../support/leaks.ts';
import { changedRoutes, comeBack, openWorld, temporaryFolder, type World } from '../support/world.ts';

const APP = 'https://globex.acme.test/';

/** Environments whose back channel answers so; `pull`: they fetch. */
async function openTold(t: Test, then: 'app' | 'page', answers: Record<string, number | 'pull'>, sqlite?: string) {
  const state = new Map(Object.entries(answers));
  const { url } = await serve(t, async (request, response) => {
    for await (const _ of request);
    response.writeHead(Number(state.get((request.url ?? '').slice(1)))).end();
  });
  const routes = changedRoutes((tree) => {
    for (const [name, answer] of Object.entries(answers)) {
      const environment = tree.environments[name];
      if (!environment) continue;
      environment.login.allow_private = true;
      const pull = { secret: { env: 'PULL_SECRET' } };
      environment.logout = answer === 'pull' ? { pull } : { back: { url: `${url}${name}` } };
    }
    Object.assign(tree.environments.globex ?? {}, { app_url: APP });
    tree.logout = { then, fan_out: 'visited' };
  });
  const variables = { PULL_SECRET: 'canary-pull-secret-0123456789abcdef0123456789abcdef0123' };
  const world = await openWorld(t, { routes, variables, ...(sqlite !== undefined && { sqlite }) });
  const browser = world.browser();
  for (const name of ['us', 'eu', 'globex'] as const) {
    await comeBack(world, browser, name);
    world.now += 1;
  }
  return { world, browser, state };
}

const linesOf = ({ body }: Seen): string[] => [...body.matchAll(/<li>([^<]*)<\/li>/g)].map(([, text]) => text ?? '');
const refreshOf = ({ headers }: Seen): string => String(headers.refresh ?? '');

async function signOut(browser: Browser): Promise<Seen> {
  const seen = await browser.get('/logout');
  return seen.status === 302 && seen.location.includes('/logout/') ? browser.get(seen.location) : seen;
}

const heading = ({ body }: Seen): string => /<h1>([^<]*)/.exec(body)?.[1] ?? '';

t.test('each environment has its line, and the page goes on to the right app by itself', async (t) => {
  const { world, browser } = await openTold(t, 'app', { us: 204, eu: 503, globex: 200 });
  const seen = await signOut(browser);
  t.equal(seen.status, 200);
  t.equal(heading(seen), 'Signing you out');
  t.same(linesOf(seen).sort(), [
    'Europe did not answer. It will be told again and again for three days.',
    'Globex was told that you signed out.',
    'United States was told that you signed out.',
  ]);
  t.match(seen.body, `<a class="button" href="${APP}">Continue to Globex</a>`);
  t.notOk(seen.body.includes('<script'), 'no script in it');
  t.match(refreshOf(seen), /^3; url=https:\/\/login\.acme\.test\/logout\/[\w-]+$/);
  world.now += 11;
  const later = await browser.get(refreshOf(seen).replace(/^.*url=/, ''));
  t.equal(refreshOf(later), `3; url=${APP}`, 'it does not keep them for ever');
  world.now += 600;
  t.equal((await browser.get(refreshOf(seen).replace(/^.*url=/, ''))).status, 404, 'and is gone after a while');
  t.same(leaksOf(world), []);
});

t.test('who may still be signed in somewhere stays on the page', async (t) => {
  const { browser } = await openTold(t, 'app', { us: 204, eu: 410, globex: 200 });
  const seen = await signOut(browser);
  t.equal(heading(seen), 'You are signed out');
  t.ok(linesOf(seen).some((line) => line.startsWith('Europe could not be told')));
  t.equal(refreshOf(seen), '');
});

t.test('an environment that fetches keeps nobody waiting, and all that were told lead straight on', async (t) => {
  const { browser } = await openTold(t, 'app', { us: 204, eu: 'pull', globex: 200 });
  t.equal((await browser.get('/logout')).location, APP);
  const { browser: other } = await openTold(t, 'page', { us: 204, eu: 'pull', globex: 200 });
  const seen = await signOut(other);
  t.equal(heading(seen), 'You are signed out');
  t.same(linesOf(seen).sort(), [
    'Europe will learn of it when it asks next.',
    'Globex was told that you signed out.',
    'United States was told that you signed out.',
  ]);
  t.equal(refreshOf(seen), '', 'then: page ends there');
});

t.test('with the store away it claims nothing', async (t) => {
  const sqlite = join(temporaryFolder(t), 'wayhome.db');
  const { browser } = await openTold(t, 'app', { us: 503, eu: 503, globex: 503 }, sqlite);
  const { location } = await browser.get('/logout');
  const rename = (from: string, to: string) => {
    const db = new DatabaseSync(`${sqlite}.notices`, { timeout: 5_000 });
    db.exec(`ALTER TABLE ${from} RENAME TO ${to}`);
    db.close();
  };
  rename('notices', 'away');
  const seen = await browser.get(location);
  t.equal(seen.status, 200);
  t.same(linesOf(seen).sort(), [
    'At the moment we cannot say whether Europe was told.',
    'At the moment we cannot say whether Globex was told.',
    'At the moment we cannot say whether United States was told.',
  ]);
  rename('away', 'notices');
  t.match(linesOf(await browser.get(location)), [/did not answer/, /did not answer/, /did not answer/]);
});

t.test('nobody makes up an address, and looking does nothing (case 32)', async (t) => {
  const { world, browser } = await openTold(t, 'app', { us: 503, eu: 204, globex: 204 });
  const { location } = await browser.get('/logout');
  const events = world.events().length;
  for (const headers of [{ 'sec-fetch-dest': 'image' }, { 'sec-fetch-dest': 'iframe' }, { 'sec-purpose': 'prefetch' }])
    t.equal((await browser.get(location, { headers: headers as Record<string, string> })).status, 204);
  t.equal((await browser.send(location, { method: 'HEAD' })).status, 204);
  t.equal((await browser.send(location, { method: 'POST' })).status, 405);
  t.equal((await browser.get(altered(location))).status, 404);
  t.equal((await browser.get('/logout/run')).status, 404);
  const another: World['browser'] = world.browser;
  t.equal((await another().get(location)).status, 200, 'it needs no cookie, and shows titles alone');
  const done = world
    .events()
    .slice(events)
    .filter(({ event }) => event !== 'logout.refused');
  t.same(
    done.filter(({ event }) => event === 'logout.started' || event === 'logout.completed'),
    [],
  );
});
