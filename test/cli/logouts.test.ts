/** `wayhome logouts`, beside a running router and without one, and the same on the admin listener. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { decodeJwt } from 'jose';
import t, { type Test } from 'tap';
import { logouts } from '../../src/cli/logouts.ts';
import { serve } from '../outbound/servers.ts';
import {
  authorizeUrl,
  codeOf,
  openPartyWorld,
  partyRoutes,
  redeem,
  signIn,
  tokenRequest,
  VARIABLES,
} from '../provider/party-world.ts';
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

/** `us` may end visits and can be told, `eu` can be told, `globex` cannot; `help` is a relying party that can be told. */
async function openEndable(t: Test) {
  const folder = temporaryFolder(t);
  const posted: string[] = [];
  const { url } = await serve(t, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const claims = decodeJwt(new URLSearchParams(body).get('logout_token') ?? '');
    posted.push(`${request.url} ${request.url === '/help' ? 'somebody' : claims.sub}`);
    response.end();
  });
  const routes = partyRoutes((tree) => {
    const { us, eu } = tree.environments;
    for (const [name, environment] of Object.entries({ us, eu })) {
      if (!environment) continue;
      environment.login.allow_private = true;
      environment.logout = { back: { url: `${url}${name}` }, ...(name === 'us' && { receive: 'back_channel' }) };
    }
    const oidc = tree.portals.help?.oidc as Record<string, unknown>;
    Object.assign(oidc, { backchannel_logout_uri: `${url}help`, allow_private: true });
    Object.assign(tree, { logout: { fan_out: 'visited' }, store: `sqlite:${join(folder, 'wayhome.db')}` });
  });
  const file = join(folder, 'routes.yaml');
  writeFileSync(file, routes);
  const world = await openPartyWorld(t, { file, routes });
  const run = async (...args: string[]) => {
    const [out, err] = [sink(), sink()];
    const io = { stdout: out.stream, stderr: err.stream, env: { ...SECRETS, ...VARIABLES } };
    const code = await logouts([...args, '--routes', file], io, () => world.now);
    return { code, out: out.text(), err: err.text() };
  };
  const delivered = async (count: number) => {
    // Routers look every two seconds what others have posted, and at once when they read their routes.
    await world.running.reload();
    const known = () => world.events().filter(({ reason }) => reason === 'notice_delivered').length;
    for (const end = Date.now() + 5_000; known() < count && Date.now() < end; ) await new Promise(setImmediate);
    return posted.splice(0).sort();
  };
  return { world, run, posted, delivered };
}

t.test('end: an operator ends what somebody has, and the running router tells whoever has to know', async (t) => {
  const { world, run, posted, delivered } = await openEndable(t);
  const [first, second, stranger] = [world.browser(), world.browser(), world.browser()];
  for (const name of ['us', 'eu', 'globex'] as const) await comeBack(world, first, name);
  const { body } = await redeem(world, codeOf(await signIn(world, second, 'us')));
  await comeBack(world, stranger, 'us', { claims: { email: 'bob@acme.test' } });
  const asked = async (browser: typeof second) => (await browser.get(authorizeUrl({ prompt: 'none' }))).location;
  t.match(await asked(second), /code=/);

  const ada = ['end', '--environment', 'us', '--subject', 'ada@acme.test'];
  const would = await run(...ada, '--dry-run', '--json');
  t.equal(would.code, 0);
  const planned = JSON.parse(would.out);
  t.same(planned.visits.map((one: Record<string, string>) => `${one.portal} ${one.environment}`).sort(), [
    'help us',
    'support eu',
    'support globex',
    'support us',
  ]);
  t.same(
    [planned.dry_run, planned.run, planned.told, planned.not_told],
    [true, undefined, [{ environment: 'us' }, { environment: 'eu' }, { portal: 'help' }], [{ environment: 'globex' }]],
  );
  t.match((await run(...ada, '--dry-run')).out, /^4 visits would end\n {2}/);
  t.match(await run('list'), { out: 'none\n' }, 'nothing has happened');
  t.match(await asked(second), /code=/);

  const ended = await run(...ada);
  t.equal(ended.code, 0);
  t.match(ended.out, /^4 visits ended, run [\w-]{10}\n/);
  t.match(ended.out, /\nwill be told: us, eu, portal help\nwill not be told, since only a browser could: globex\n$/);
  t.notMatch(ended.out, 'ada');
  t.same(await delivered(3), ['/eu ada@acme.test', '/help somebody', '/us ada@acme.test']);
  t.match(await asked(second), /error=login_required/);
  const trade = { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) };
  t.match((await tokenRequest(world, trade)).body, { error: 'invalid_grant' });

  const shown = await run('show', ended.out.split(/[ \n]/)[4] ?? '');
  t.equal(shown.out.match(/: delivered since/g)?.length, 3);
  t.match(await run('list', '--portal', 'help'), { code: 0, out: /delivered {2}portal:help {2}.*answered 200\n/ });
  const admin = async (query: string) => (await fetch(`${world.running.adminUrl}/logouts?${query}`)).json();
  t.match(await admin('portal=help'), { notices: [{ portal: 'help', environment: undefined, state: 'delivered' }] });
  t.match(await admin('environment=help'), { notices: { length: 0 } }, 'a portal is no environment');

  t.match(await run(...ada), { code: 1, err: 'nobody of that name has a visit through us on record\n' });
  t.match(await run('end', '--environment', 'eu', '--subject', 'ada@acme.test'), {
    code: 1,
    err: /no logout\.receive/,
  });
  t.match(await run('end', '--environment', 'us', '--sid', 'nowhere'), { code: 1 });
  await delivered(3);
  t.same(posted, []);
  t.match(await run('end', '--environment', 'us', '--subject', 'bob@acme.test'), { code: 0, out: /^1 visit ended/ });
  t.same(await delivered(4), ['/us bob@acme.test']);
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
    ['drain', '--portal', 'support'],
    ['list', '--environment', 'us', '--portal', 'support'],
    ['list', '--environment', 'portal:help'],
    ['end'],
    ['end', 'ada'],
    ['end', '--subject', 'ada'],
    ['end', '--environment', 'us'],
    ['end', '--environment', 'us', '--sid', ''],
    ['end', '--environment', 'nowhere', '--sid', 's1'],
    ['end', '--portal', 'support', '--sid', 's1'],
    ['list', '--whatever'],
  ]) {
    const { code, out, err } = await place.run(...args);
    t.same([code, out], [2, ''], args.join(' '));
    t.match(err, /^wayhome logouts: /, args.join(' '));
  }
  t.match(await place.run('list'), { code: 2, err: /there is no store at / });
  t.match(await place.run('--help'), { code: 0, out: /^usage: / });
});
