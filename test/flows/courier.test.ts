/** The process that tells environments of sign-outs: it may die, starve or outlive its router, and nothing is lost. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import t, { type Test } from 'tap';
import { serve } from '../outbound/servers.ts';
import { couriersOf } from '../support/couriers.ts';
import { type Serving, startServe } from '../support/process.ts';
import { canYield, processStat, SCHED_IDLE } from '../support/scheduling.ts';
import { changedRoutes, comeBack, temporaryFolder, type World } from '../support/world.ts';

/** An app of an environment that hears who signed out, and answers when it is let. */
async function openApp(t: Test) {
  const heard: string[] = [];
  let changed = () => {};
  let answers = Promise.resolve();
  const { url } = await serve(t, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { sub = '' } = decodeJwt(new URLSearchParams(Buffer.concat(chunks).toString()).get('logout_token') ?? '');
    heard.push(`${request.url} ${sub}`);
    changed();
    await answers;
    response.writeHead(200).end();
  });
  return {
    url,
    heard,
    async hears(count: number) {
      while (heard.length < count) await new Promise<void>((resolve) => (changed = resolve));
    },
    /** Nobody is answered until the returned function is called. */
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      answers = promise;
      return resolve;
    },
  };
}

const routesTo = (url: string, folder: string, path = 'us'): string =>
  changedRoutes((tree) => {
    const { us } = tree.environments;
    if (us) {
      us.login.allow_private = true;
      us.logout = { back: { url: `${url}${path}`, algorithm: 'ES256' } };
    }
    Object.assign(tree, { store: `sqlite:${join(folder, 'wayhome.db')}` });
  });

async function open(t: Test) {
  const folder = temporaryFolder(t);
  const app = await openApp(t);
  const file = join(folder, 'routes.yaml');
  writeFileSync(file, routesTo(app.url, folder));
  return { folder, file, app, router: await startServe(t, file) };
}

async function signInAndOut(router: Serving, sub: string): Promise<void> {
  const browser = router.browser();
  await comeBack({ now: Math.floor(Date.now() / 1000) } as World, browser, 'us', { claims: { sub } });
  await browser.get('/logout');
}

/** Resolves with another courier than these. */
async function anotherCourier(router: Serving, old: readonly number[]): Promise<number> {
  for (;;) {
    const found = couriersOf(router).find((pid) => !old.includes(pid));
    if (found !== undefined) return found;
    await pause(10);
  }
}

const gone = async (pid: number) => {
  while (existsSync(`/proc/${pid}`) && processStat(pid)?.state !== 'Z') await pause(10);
};

t.test('a courier that dies is followed by another, and what it had not begun is told', async (t) => {
  const { router, app } = await open(t);
  await signInAndOut(router, 'first');
  await app.hears(1);
  const [courier = 0] = couriersOf(router);
  process.kill(courier, 'SIGKILL');
  t.match(await router.heard('fault'), { reference: 'outbox', err: { message: 'the courier ended with SIGKILL' } });
  await signInAndOut(router, 'second');
  await app.hears(2);
  t.same(app.heard, ['/us first', '/us second']);
  t.not(await anotherCourier(router, []), courier);
  t.equal(await router.stop('SIGTERM'), 0);
});

t.test('a router that is killed leaves a courier that finishes what is under way, and ends', async (t) => {
  const { file, router, app } = await open(t);
  const letGo = app.hold();
  const leaving = signInAndOut(router, 'person').catch(() => 'cut off');
  await app.hears(1);
  const [courier = 0] = couriersOf(router);
  await router.stop('SIGKILL');
  t.equal(await leaving, 'cut off');
  letGo();
  await gone(courier);
  const next = await startServe(t, file);
  await signInAndOut(next, 'another');
  await app.hears(2);
  t.same(app.heard, ['/us person', '/us another'], 'nobody is told again of what was settled');
  t.equal(await next.stop('SIGTERM'), 0);
});

t.test('a signal to the whole group, as of Ctrl-C, lets the courier finish for its router', async (t) => {
  const { router, app } = await open(t);
  const letGo = app.hold();
  const leaving = signInAndOut(router, 'person');
  await app.hears(1);
  const [courier = 0] = couriersOf(router);
  process.kill(courier, 'SIGINT');
  const stopped = router.stop('SIGINT');
  letGo();
  await leaving;
  t.equal(await stopped, 0);
  await gone(courier);
  t.match(
    router.lines.filter((line) => line.includes('"event":"logout.leg"')).map((line) => JSON.parse(line).reason),
    ['notice_kept', 'notice_delivered'],
  );
  t.notOk(router.lines.some((line) => line.includes('"event":"fault"')));
});

t.test('new routes reach it', async (t) => {
  const { folder, file, router, app } = await open(t);
  await signInAndOut(router, 'first');
  await app.hears(1);
  writeFileSync(file, routesTo(app.url, folder, 'moved'));
  await router.heard('routes.applied');
  await signInAndOut(router, 'second');
  await app.hears(2);
  t.same(app.heard, ['/us first', '/moved second']);
});

t.test('it yields to everybody, until it starves', { skip: !canYield() && 'there is no chrt' }, async (t) => {
  const { router, app } = await open(t);
  await signInAndOut(router, 'first');
  await app.hears(1);
  const [yielding = 0] = couriersOf(router);
  while (processStat(yielding)?.policy !== SCHED_IDLE) await pause(10);
  const letGo = app.hold();
  const leaving = signInAndOut(router, 'held');
  await app.hears(2);
  // What nobody lets run cannot tell the time either.
  process.kill(yielding, 'SIGSTOP');
  await pause(10_500);
  process.kill(yielding, 'SIGCONT');
  const equal = await anotherCourier(router, [yielding]);
  letGo();
  await leaving;
  await gone(yielding);
  await signInAndOut(router, 'second');
  await app.hears(3);
  t.not(processStat(equal)?.policy, SCHED_IDLE);
  t.equal(await router.stop('SIGTERM'), 0);
});
