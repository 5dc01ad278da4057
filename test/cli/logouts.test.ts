/** `wayhome logouts`, beside a running router and without one, and the same on the admin listener. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import t, { type Test } from 'tap';
import { logouts } from '../../src/cli/logouts.ts';
import { serve } from '../outbound/servers.ts';
import { changedRoutes, comeBack, openWorld, SECRETS, temporaryFolder, type World } from '../support/world.ts';

function sink() {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  return { stream, text: () => chunks.join('') };
}

/** Applications that can be told, and a router on an SQLite file whose routes file stands beside it. */
async function openPlace(t: Test) {
  const folder = temporaryFolder(t);
  const answers: Record<string, number> = { us: 503, eu: 400, globex: 200 };
  const asked: string[] = [];
  const { url } = await serve(t, (request, response) => {
    const name = (request.url ?? '').slice(1);
    asked.push(name);
    request.resume().on('end', () => response.writeHead(answers[name] ?? 404).end());
  });
  const routes = changedRoutes((tree) => {
    for (const name of Object.keys(answers)) {
      const environment = tree.environments[name];
      if (!environment) continue;
      environment.login.allow_private = true;
      environment.logout = { back: { url: `${url}${name}`, algorithm: 'ES256' } };
    }
    Object.assign(tree, { logout: { fan_out: 'visited' }, store: `sqlite:${join(folder, 'wayhome.db')}` });
  });
  const file = join(folder, 'routes.yaml');
  writeFileSync(file, routes);
  const open = () => openWorld(t, { file, routes });
  const run = async (...args: string[]) => {
    const [out, err] = [sink(), sink()];
    const code = await logouts([...args, '--routes', file], {
      stdout: out.stream,
      stderr: err.stream,
      env: SECRETS,
    });
    return { code, out: out.text(), err: err.text(), json: () => JSON.parse(out.text()) };
  };
  return { open, run, answers, asked, folder };
}

/** A person who was everywhere signs out; the reference of the sign-out. */
async function signOut(world: World): Promise<string> {
  const browser = world.browser();
  for (const name of ['us', 'eu', 'globex'] as const) await comeBack(world, browser, name);
  await browser.get('/logout');
  return String(world.events().findLast(({ event }) => event === 'logout.started')?.reference);
}

t.test('list and show tell who knows, who does not and why; nobody’s name is in it', async (t) => {
  const place = await openPlace(t);
  const world = await place.open();
  const reference = await signOut(world);

  const listed = await place.run('list', '--json');
  t.equal(listed.code, 0);
  const { notices, counts } = listed.json();
  t.same(
    notices
      .map(({ environment, state, receipt, run, attempts }: Record<string, unknown>) => [
        environment,
        state,
        receipt,
        run,
        attempts,
      ])
      .sort(),
    [
      ['eu', 'dead', 'answered 400', reference, 1],
      ['globex', 'delivered', 'answered 200', reference, 1],
      ['us', 'waiting', 'answered 503', reference, 1],
    ],
  );
  t.equal(counts.length, 3);
  t.notMatch(listed.out, /ada|kim|acme\.test|eyJ/);

  const text = await place.run('list');
  t.match(text.out, new RegExp(`waiting\\s+us\\s+1 attempt\\s+run ${reference}\\s+us\\.[\\w-]{16}\\s+answered 503\n`));
  t.match(text.out, /\n1 \w+, 1 \w+, 1 \w+\n$/);
  for (const [args, environments] of [
    [['--dead'], ['eu']],
    [['--state', 'waiting'], ['us']],
    [['--environment', 'globex'], ['globex']],
    [['--environment', 'globex', '--dead'], []],
    [['--most', '1', '--before', String(notices[0].cursor)], [notices[1].environment]],
  ] as const) {
    const found = (await place.run('list', '--json', ...args)).json().notices;
    t.same(
      found.map(({ environment }: { environment: string }) => environment),
      environments,
      args.join(' '),
    );
  }

  const shown = await place.run('show', reference);
  t.equal(shown.code, 0);
  t.match(shown.out, /us: waiting since .*, 1 attempt\n {2}at last: answered 503\n {2}tried again at .*, given up at /);
  const none = await place.run('show', 'nosuchrun0', '--json');
  t.same([none.code, none.json().notices], [1, []]);

  const admin = async (path: string) => {
    const answer = await fetch(world.running.adminUrl + path);
    return [answer.status, await answer.json()];
  };
  t.same(await admin(`/logouts/${reference}`), [200, (await place.run('show', reference, '--json')).json()]);
  t.same(await admin('/logouts'), [200, listed.json()]);
  t.match(await admin('/logouts?state=dead&most=1'), [200, { notices: [{ environment: 'eu' }] }]);
  t.equal((await admin('/logouts/nosuchrun0'))[0], 404);
  for (const query of ['state=lost', 'most=-1', 'most=x', 'before=0', 'environment=a&environment=b'])
    t.equal((await admin(`/logouts?${query}`))[0], 400, query);
  const posted = await fetch(`${world.running.adminUrl}/logouts`, { method: 'POST' });
  t.equal(posted.status, 404, 'nothing is changed there');
});

t.test('resend makes dead and waiting ones due at once, and the running router takes them up', async (t) => {
  const place = await openPlace(t);
  const world = await place.open();
  await signOut(world);
  place.answers.eu = 200;
  place.answers.us = 200;
  t.match(await place.run('resend', '--dead', '--environment', 'us'), { code: 0, out: '0 are due at once\n' });
  t.match(await place.run('resend', '--dead'), { code: 0, out: '1 is due at once\n' });
  const { notices } = (await place.run('list', '--json', '--environment', 'us')).json();
  t.match(await place.run('resend', notices[0].id), { code: 0 });
  t.match(await place.run('resend', 'us.nothing', '--json'), { code: 1, out: '{\n  "resent": 0\n}\n' });
  world.now += 60;
  while (world.events().filter(({ reason }) => reason === 'notice_delivered').length < 3)
    await new Promise(setImmediate);
  t.same((await place.run('list', '--json', '--state', 'delivered')).json().notices.length, 3);
});

t.test('drain delivers what waits without a router, and says what is left', async (t) => {
  const place = await openPlace(t);
  const world = await place.open();
  await signOut(world);
  await world.close();
  t.match(await place.run('drain', '--json', '--environment', 'us'), { code: 1 });
  t.same((await place.run('list', '--json', '--environment', 'us')).json().notices[0].state, 'waiting');
  place.answers.us = 200;
  const drained = await place.run('drain', '--json');
  t.same(drained.json(), { delivered: 1, dead: 0, waiting: 0 });
  t.equal(drained.code, 0);
  t.match(await place.run('drain'), { code: 0, out: '0 delivered, 0 dead, 0 still wait\n' });
  t.same(place.asked.filter((name) => name === 'us').length, 3);
});

t.test('wrong usage is said, and a store that is not there is not made', async (t) => {
  const place = await openPlace(t);
  for (const args of [
    [],
    ['lost'],
    ['list', 'us'],
    ['list', '--state', 'lost'],
    ['list', '--most', '0'],
    ['show'],
    ['show', 'a', 'b'],
    ['resend'],
    ['resend', 'a', '--dead'],
    ['drain', '--within', '5'],
    ['drain', '--environment', 'nowhere'],
    ['list', '--whatever'],
  ]) {
    const { code, out, err } = await place.run(...args);
    t.same([code, out], [2, ''], args.join(' '));
    t.match(err, /^wayhome logouts: /, args.join(' '));
  }
  t.match(await place.run('list'), { code: 2, err: /there is no store at / });
  t.match(await place.run('--help'), { code: 0, out: /^usage: / });
});
