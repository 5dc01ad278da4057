import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { diff } from '../../src/cli/diff.ts';
import type { CheckedRoutes } from '../../src/config/checked.ts';
import { readRoutes } from '../../src/config/read.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import {
  changedRoutes,
  LOGIN,
  openWorld,
  ROUTES,
  type RoutesTree,
  SECRETS,
  temporaryFolder,
} from '../support/world.ts';
import { type Kind, type Random, recordDay } from './recorded-day.ts';

async function run(...args: string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  // No variable is set: secrets are not needed.
  const texts = [stdout, stderr].map(async (stream) => (await stream.setEncoding('utf8').toArray()).join(''));
  const status = await diff(args, { stdout, stderr, env: {} });
  stdout.end();
  stderr.end();
  const [out = '', err = ''] = await Promise.all(texts);
  return { status, stdout: out, stderr: err };
}

/** The usual routes with a store of their own, changed, as a file. */
function write(folder: string, name: string, change: (routes: RoutesTree) => void = () => {}): string {
  const file = join(folder, name);
  const text = changedRoutes((tree) => {
    Object.assign(tree, { store: 'sqlite:wayhome.db', record: { keep: 50_000 } });
    change(tree);
  }, ROUTES);
  writeFileSync(file, text);
  return file;
}

async function readGood(file: string): Promise<CheckedRoutes> {
  const outcome = await readRoutes(file, {}, { secrets: 'not_needed' });
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.problems));
  return outcome.routes;
}

/** The world's steps, by position: hint, source, login_hint, remembered, rule (country), email, picker. */
const RULE = 4;
const COUNTRY = 'cf-ipcountry';
const handoff = (host: string, secret: string) => ({
  app_url: `https://${host}/`,
  login: {
    protocol: 'handoff',
    url: `https://${host}/sso`,
    issuer: host,
    algorithms: ['HS256'],
    secret: { env: secret },
  },
  may_assert: { email_domains: ['initech.example'], claims: [] },
});

/** What somebody plans: Austria is served by nobody in particular, memory is shorter, Initech has moved in. */
function plan(tree: RoutesTree): void {
  const [hint, source, loginHint, remembered, rule, ...asks] = tree.discovery;
  Object.assign(tree.environments, { initech: handoff('wayhome.initech.example', 'INITECH') });
  tree.discovery = [
    { ...hint },
    { ...source },
    { ...loginHint },
    { ...remembered, for: '14d' },
    { ...rule, when: { header: { name: COUNTRY, in: ['DE', 'FR'] } } },
    ...asks,
  ];
}

const one = <T>(random: Random, ...of: T[]): T => of[random(of.length)] as T;
const person = (random: Random) => `person${random(100_000)}`;
const country = (random: Random) => ({ [COUNTRY]: one(random, 'US', 'GB', 'BR', 'JP') });

/** Each kind is led by one thing; `moves` are the planted ones. */
const KINDS: readonly Kind[] = [
  { name: 'hint', share: 300, login: (r) => ({ query: { env: one(r, 'us', 'eu', 'globex') }, headers: country(r) }) },
  {
    name: 'source',
    share: 150,
    login: (r) => ({ headers: { referer: `https://${one(r, 'us', 'eu')}.acme.test/t/${r(10_000)}`, [COUNTRY]: 'AT' } }),
  },
  { name: 'login hint', share: 100, login: (r) => ({ query: { login_hint: `${person(r)}@globex.example` } }) },
  {
    name: 'remembered lately',
    share: 200,
    login: (r) => ({ remembered: { environment: one(r, 'us', 'eu'), days: r(13) }, headers: { [COUNTRY]: 'AT' } }),
  },
  { name: 'Germany and France', share: 100, login: (r) => ({ headers: { [COUNTRY]: one(r, 'DE', 'FR') } }) },
  { name: 'nothing', share: 80, login: (r) => ({ headers: country(r) }) },
  { name: 'unknown email', share: 20, login: (r) => ({ typed: `${person(r)}@nobody.test` }) },
  { name: 'chosen', share: 30, login: (r) => ({ choice: one(r, 'us', 'eu'), headers: { [COUNTRY]: 'AT' } }) },
  { name: 'Austria', share: 9, login: () => ({ headers: { [COUNTRY]: 'AT' } }) },
  { name: 'Initech hint', share: 5, login: (r) => ({ query: { login_hint: `${person(r)}@initech.example` } }) },
  { name: 'Initech typed', share: 3, login: (r) => ({ typed: `${person(r)}@initech.example` }) },
  {
    name: 'remembered long ago',
    share: 3,
    login: (r) => ({ remembered: { environment: 'us', days: 15 + r(14) }, headers: country(r) }),
  },
];

t.test('of a recorded day of 50,000 decisions, exactly the planted moves are named, in seconds', async (t) => {
  const folder = temporaryFolder(t);
  const [old, next] = [write(folder, 'old.yaml'), write(folder, 'new.yaml', plan)];
  const { lines, counts } = recordDay(await readGood(old), KINDS, 50_000);
  const store = openSqliteStore(join(folder, 'wayhome.db'));
  for (const [index, line] of lines.entries()) {
    store.record(line, 50_000);
    if (index % 1_000 === 0) for await (const _ of store.recorded()) break;
  }
  await store.close();

  const began = performance.now();
  const { status, stdout, stderr } = await run(old, next, '--json');
  const seconds = (performance.now() - began) / 1000;
  t.comment(`50,000 decisions compared in ${seconds.toFixed(1)} s`);
  t.ok(seconds < 20, `${seconds} s`);
  t.equal(stderr, '');
  t.equal(status, 1);
  const result = JSON.parse(stdout);
  const planted = ['Austria', 'Initech hint', 'Initech typed', 'remembered long ago'];
  const amount = planted.reduce((sum, name) => sum + (counts.get(name) ?? 0), 0);
  t.match(result, {
    ok: false,
    decisions: 50_000,
    judged: 50_000,
    moved: amount,
    drifted: 0,
    unreadable: 0,
    unjudged: [],
  });
  t.same([result.first_day, result.last_day], ['2026-11-30', '2026-11-30']);

  type Row = { count: number; from: object; to: object; parting: { step: number; was: { by: string } } };
  const rows = (result.moves as Row[]).map(({ count, from, to, parting }) => ({
    count,
    from,
    to,
    parts: `${parting.step} ${parting.was.by}`,
  }));
  const emailPage = { page: 'email', by: 'email', reason: 'email_asked' };
  const pickerPage = { page: 'picker', by: 'picker', reason: 'picker_asked' };
  t.same(
    rows,
    [
      {
        count: counts.get('Austria'),
        from: { environment: 'eu', by: 'rule', reason: 'rule_holds' },
        to: emailPage,
        parts: '5 rule',
      },
      {
        count: counts.get('Initech hint'),
        from: emailPage,
        to: { environment: 'initech', by: 'login_hint', reason: 'login_hint_domain' },
        parts: '3 login_hint',
      },
      {
        count: counts.get('remembered long ago'),
        from: { environment: 'us', by: 'remembered', reason: 'remembered_choice' },
        to: emailPage,
        parts: '4 remembered',
      },
      {
        count: counts.get('Initech typed'),
        from: pickerPage,
        to: { environment: 'initech', by: 'email', reason: 'email_domain' },
        parts: '1 email',
      },
    ].sort((a, b) => (b.count ?? 0) - (a.count ?? 0)),
  );

  const same = await run(old, old);
  t.equal(same.status, 0);
  t.match(same.stdout, /^50,000 decisions of 2026-11-30\nNone would move\.\n$/);

  const exported = await run('--export', old);
  t.equal(exported.status, 0);
  const file = join(folder, 'day.jsonl');
  writeFileSync(file, exported.stdout);
  t.same(exported.stdout.trimEnd().split('\n'), lines);
  const fromFile = await run(old, next, '--decisions', file, '--json');
  t.same(JSON.parse(fromFile.stdout), result, 'a file that was exported answers the same');
});

t.test('moves are told in words, a few examples each, and whatever came from outside is printed plainly', async (t) => {
  const folder = temporaryFolder(t);
  const old = write(folder, 'old.yaml');
  const next = write(folder, 'new.yaml', (tree) => {
    plan(tree);
    (tree.discovery[RULE] as { when: object }).when = { header: { name: 'x-plan', in: ['gold'] } };
  });
  const { lines } = recordDay(
    await readGood(old),
    [{ name: 'hint', share: 1, login: () => ({ query: { env: 'eu', login_hint: 'a@initech.example' } }) }],
    2,
  );
  const edited = lines.map((line) =>
    line.replace('"env":"eu"', '"env":"n\\u001b[31mo\\u202ewhere"').replace('"to":"eu"', '"to":"us"'),
  );
  const file = join(folder, 'edited.jsonl');
  writeFileSync(
    file,
    [
      ...edited,
      lines[0]?.replace('"env":"eu"', '"env":null').replace(',"login_hint":"@initech.example"', ''),
      'x',
    ].join('\n'),
  );
  const { status, stdout } = await run(old, next, '--decisions', file);
  t.equal(status, 1);
  t.match(stdout, /^ {7}2 {2}the email page → initech$/m);
  t.match(stdout, /because of login_hint \(login_hint_domain\); it was email \(email_asked\)/);
  t.match(stdout, /first difference at step 3: login_hint passed \(login_hint_unknown\) → login_hint answered/);
  t.match(stdout, /e\.g\. 2026-11-30 support: env=n\ufffd\[31mo\ufffdwhere, login_hint=@initech\.example$/m);
  t.match(stdout, /Not judged: 1 decision, because parameter login_hint was not recorded\.$/m);
  t.match(stdout, /2 decisions came out otherwise when recorded: the old file has changed since\.$/m);
  t.match(stdout, /1 line could not be read as a recorded decision\.$/m);
});

t.test('without files, decisions or a right file there is no answer, and the status is 2', async (t) => {
  const folder = temporaryFolder(t);
  const old = write(folder, 'old.yaml');
  const off = write(folder, 'off.yaml', (tree) => Object.assign(tree, { record: undefined }));
  const memory = write(folder, 'memory.yaml', (tree) => Object.assign(tree, { store: 'memory:' }));
  const faulty = write(folder, 'faulty.yaml', (tree) =>
    Object.assign(tree, { recrod: { keep: 1 }, record: { keep: 0 } }),
  );
  const junk = join(folder, 'junk.jsonl');
  writeFileSync(junk, 'one\ntwo\n');
  const rows: [string, string[], RegExp][] = [
    ['no files', [], /two routes files are compared\nusage:/],
    ['one file', [old], /two routes files are compared/],
    ['an unknown option', [old, old, '--force'], /Unknown option '--force'/],
    ['two files to export', ['--export', old, old], /--export takes one routes file/],
    ['nothing recorded yet', [old, old], /holds no recorded decisions\. Let people log in first\./],
    ['nothing to export', ['--export', old], /holds no recorded decisions/],
    ['recording is off', [off, old], /Write record: \{ keep: 50000 \} in .*off\.yaml/],
    ['a store in memory', [memory, old], /use sqlite:<path>/],
    ['a faulty new file', [old, faulty], /recrod: unknown key\. Did you mean "record"\?/],
    ['a limit of nothing', [old, faulty], /record\.keep/],
    ['a file that is missing', [old, old, '--decisions', join(folder, 'none')], /cannot be read: ENOENT/],
    ['a file of something else', [old, old, '--decisions', junk], /none of the 2 lines is a recorded decision/],
  ];
  for (const [what, args, says] of rows) {
    const { status, stdout, stderr } = await run(...args);
    t.equal(status, 2, what);
    t.match(stderr, says, what);
    t.equal(stdout, '', what);
  }
  t.match(await run('--help'), { status: 0, stdout: /^usage: wayhome diff/, stderr: '' });
});

t.test('secrets that are not needed are not read, and what stands for them is known to nobody', async (t) => {
  const file = write(temporaryFolder(t), 'old.yaml');
  const secretsOf = ({ portals, environments, sealKeys }: CheckedRoutes) => {
    const signing = [...portals.values()].map((portal) => ('secret' in portal.signing ? portal.signing.secret : ''));
    const keys = [...environments.values()].map(({ login }) =>
      login.protocol === 'handoff' && login.key.kind === 'secret' ? login.key.secret : '',
    );
    return [...signing, ...keys, ...sealKeys].map(String);
  };
  const given = await readRoutes(file, SECRETS, { secrets: 'not_needed' });
  if (!given.ok) throw new Error('refused');
  const [first, second] = [secretsOf(given.routes), secretsOf(await readGood(file))];
  t.equal(new Set([...first, ...second, ...Object.values(SECRETS)]).size, 5 + 5 + 5, 'all of them differ');
  t.equal((await readRoutes(file, {})).ok, false, 'they are needed unless said otherwise');
});

/** Each would be a person's, if it were found. */
const CANARY = {
  email: 'canary.person@nobody.test',
  typed: 'canary.typed@nobody.test',
  client: '203.0.113.207',
  proxied: '203.0.113.208',
  cookie: 'canarycookie',
  agent: 'CanaryBrowser/7.1',
  path: 'canarypath',
  token: 'canarytoken'.repeat(8),
};

t.test('what is stored of logins holds no email, no address, no cookie, no page and no browser', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'wayhome.db');
  const change = (tree: RoutesTree) => {
    Object.assign(tree, { record: { keep: 1_000 }, trusted_proxies: ['127.0.0.1'], store: `sqlite:${path}` });
    const watched = [
      { header: { name: 'user-agent', in: ['curl'] } },
      { header: { name: 'x-client', in: ['office'] } },
      { query: { name: 'session', in: ['none'] } },
      { client_ip: ['203.0.113.0/28', CANARY.client] },
      { language: ['fr'] },
    ];
    tree.discovery.splice(RULE, 0, ...watched.map((when) => ({ by: 'rule', when, to: 'eu' })));
  };
  const world = await openWorld(t, { routes: changedRoutes(change), sqlite: path });
  const headers = {
    'x-forwarded-for': CANARY.client,
    'x-client': `for=${CANARY.proxied}`,
    'user-agent': CANARY.agent,
    referer: `https://us.acme.test.mail.test/${CANARY.path}?to=${CANARY.email}`,
    'accept-language': 'nl-NL,nl;q=0.9,en;q=0.8',
  };
  const search = `&login_hint=${encodeURIComponent(CANARY.email)}&env=${CANARY.email}&session=${CANARY.token}`;
  const cookie = `session=${CANARY.cookie}; __Host-wayhome-visit.support.eu=${CANARY.cookie}`;
  const send = { headers, cookies: 'none' } as const;
  t.equal((await world.browser().get(`${LOGIN}${search}`, { ...send, headers: { ...headers, cookie } })).status, 302);
  const posted = await world.browser().post(`${LOGIN}&ask=email`, { email: CANARY.typed }, send);
  t.ok([200, 302, 303].includes(posted.status));
  if (posted.location !== '') await world.browser().get(posted.location, send);
  await world.browser().get(`${LOGIN}&choose=${CANARY.path}`, send);
  await world.browser().get(`${LOGIN}&env=us`, { ...send, method: 'HEAD' });
  await world.close();

  const kept = [];
  const old = join(folder, 'old.yaml');
  writeFileSync(old, changedRoutes(change));
  for (const line of (await run('--export', old)).stdout.trimEnd().split('\n')) kept.push(JSON.parse(line));
  t.equal(kept.length, 3, 'one a decision; a HEAD request decides nothing');
  t.match(kept[0], {
    query: { env: '@nobody.test', login_hint: '@nobody.test', session: '…' },
    headers: { referer: 'https://us.acme.test.mail.test/', 'x-client': '…' },
    language: 'nl-nl',
    client: '203.0.113.0/24',
    remembered: null,
    decided: { environment: 'eu', by: 'rule', reason: 'rule_holds' },
  });
  t.match(kept[1], { email: '@nobody.test', decided: { environment: 'eu', by: 'rule' } });
  t.match(kept[2], { choice: '…' });
  for (const file of readdirSync(folder).filter((name) => name.startsWith('wayhome.db'))) {
    const bytes = readFileSync(join(folder, file)).toString('latin1');
    for (const [what, canary] of Object.entries(CANARY)) t.notOk(bytes.includes(canary), `${what} in ${file}`);
  }
  // A rule about one address is finer than what is kept of it.
  const { status, stdout } = await run(old, old);
  t.equal(status, 0);
  t.match(stdout, /Not judged: 2 decisions, because header user-agent was not recorded\./);
  t.match(stdout, /Not judged: 2 decisions, because client_ip within \/24 was not recorded\./);
});

t.test('who searches the list has decided nothing yet, so a search is no recorded decision', async (t) => {
  const path = join(temporaryFolder(t), 'wayhome.db');
  const routes = changedRoutes((tree) => Object.assign(tree, { store: `sqlite:${path}`, record: { keep: 100 } }));
  const world = await openWorld(t, { routes, sqlite: path });
  const browser = world.browser();
  const typing = { headers: { 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' } };
  for (const find of ['', 'e', 'eu', 'eur', 'nowhere'])
    t.equal((await browser.get(`${LOGIN}&find=${find}`, typing)).status, 200, `a search for “${find}”`);
  t.equal((await browser.get(`${LOGIN}&find=eu&ask=picker`)).status, 200, 'by the form');
  t.equal((await browser.get(`${LOGIN}&ask=picker`)).status, 200, 'the list itself');
  t.equal((await browser.get(`${LOGIN}&choose=eu`)).status, 302, 'what was found and chosen');
  await world.close();
  const store = openSqliteStore(path);
  const kept = (await Array.fromAsync(store.recorded())).map((line) => JSON.parse(line).decided);
  await store.close();
  t.same(kept, [
    { page: 'picker', by: 'picker', reason: 'picker_asked' },
    { environment: 'eu', by: 'picker', reason: 'picker_chosen' },
  ]);
});

t.test('nothing is recorded unless the file says so, and a reload begins and ends it', async (t) => {
  const path = join(temporaryFolder(t), 'wayhome.db');
  const recording = (keep?: number) =>
    changedRoutes((tree) => Object.assign(tree, { store: `sqlite:${path}`, ...(keep && { record: { keep } }) }));
  const world = await openWorld(t, { routes: recording(), sqlite: path });
  const logIn = () => world.browser().get(`${LOGIN}&env=eu`);
  await logIn();
  t.ok(await world.running.reload(recording(10)));
  for (let login = 0; login < 12; login++) await logIn();
  t.ok(await world.running.reload(recording()));
  await logIn();
  await world.close();
  const store = openSqliteStore(path);
  t.equal((await Array.fromAsync(store.recorded())).length, 10);
  await store.close();
});

t.test('the command stands in the command line', async (t) => {
  const folder = temporaryFolder(t);
  const old = write(folder, 'old.yaml');
  const file = join(folder, 'day.jsonl');
  const { lines } = recordDay(await readGood(old), KINDS, 200);
  writeFileSync(file, `${lines.join('\n')}\n`);
  const main = join(import.meta.dirname, '../../src/cli/main.ts');
  const printed = execFileSync(process.execPath, [main, 'diff', old, old, '--decisions', file], { encoding: 'utf8' });
  t.equal(printed, '200 decisions of 2026-11-30\nNone would move.\n');
});
