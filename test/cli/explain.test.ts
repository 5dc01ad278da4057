import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import t from 'tap';
import { explain } from '../../src/cli/explain.ts';
import type { Explanation } from '../../src/cli/explain-request.ts';
import type { EnvironmentName } from '../../src/core/names.ts';
import { openState } from '../../src/http/state.ts';
import { randomBytes } from '../../src/keys/random.ts';
import { openSealer } from '../../src/keys/seal.ts';
import { readKeptValue } from '../../src/store/kept-value.ts';
import { authorizeUrl, VARIABLES as PARTY_VARIABLES, partyRoutes } from '../provider/party-world.ts';
import type { Browser, Seen } from '../support/browser.ts';
import {
  changedRoutes,
  comeBack,
  departure,
  LOGIN,
  ORIGIN,
  openWorld,
  ROUTES,
  SECRETS,
  temporaryFolder,
  type World,
} from '../support/world.ts';

class Sink extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

const run = (...args: string[]) => runWith(SECRETS, ...args);

async function runWith(env: Readonly<Record<string, string>>, ...args: string[]) {
  const stdout = new Sink();
  const stderr = new Sink();
  const status = await explain(args, { stdout, stderr, env });
  return { status, stdout: stdout.text, stderr: stderr.text };
}

/** The usual routes, with rules of every kind behind a proxy on loopback. */
const RULED = changedRoutes((tree) => {
  Object.assign(tree, { trusted_proxies: ['127.0.0.1'] });
  tree.portals.docs = {
    preset: 'pylon',
    login_path: '/docs',
    settings: { org_slug: 'acme' },
    signing: { algorithm: 'PS256' },
    environments: ['us', 'globex'],
  };
  const when = [
    [{ client_ip: ['198.51.100.0/24', '2001:db8::/32'] }, 'globex'],
    [{ any: [{ host: 'eu.login.acme.test' }, { query: { name: 'region', in: 'emea' } }] }, 'eu'],
    [{ language: ['de', 'fr'], not: { header: { name: 'cf-ipcountry', in: 'CA' } } }, 'eu'],
  ] as const;
  const rules = when.map(([condition, to]) => ({ by: 'rule', when: condition, to }));
  tree.discovery.splice(4, 0, ...rules);
});

type Sent = {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly email?: string;
};

/** What a browser experiences, in the words of `explain --json`. */
type Experienced = Pick<Explanation, 'environment' | 'next'> & Partial<Pick<Explanation, 'reason' | 'trail'>>;

const sealer = openSealer([Buffer.from(SECRETS.SEAL_KEY, 'base64url')], randomBytes);
const LOGIN_URLS = {
  us: 'https://us.acme.test/sso/support',
  eu: 'https://eu.acme.test/sso?lang=en',
  globex: 'https://acme.globex.example/sso',
};

async function experience(world: World, browser: Browser, { url, headers = {}, email }: Sent): Promise<Experienced> {
  let seen: Seen =
    email === undefined ? await browser.get(url, { headers }) : await browser.post(url, { email }, { headers });
  if (seen.status === 303 && seen.location.startsWith('/')) seen = await browser.get(seen.location, { headers });
  if (seen.status === 302 || seen.status === 303) return departed(browser, seen);
  if (seen.status === 200) {
    const to = /<input[^>]*type="email"/.test(seen.body) ? 'email' : 'picker';
    return { environment: null, next: { do: 'ask', to } };
  }
  const { reason, trail = [] } = world.events().at(-1) as Explanation;
  return { environment: null, reason, trail, next: { do: 'refuse', to: null, status: seen.status } };
}

/** The state that the browser carries away tells why it was sent there. */
function departed(browser: Browser, seen: Seen): Experienced {
  const { state, redirectUri } = departure(seen);
  const environment = redirectUri.slice(`${ORIGIN}/return/`.length).split('?', 1)[0] as EnvironmentName;
  const { trail } = openState(sealer, state, environment, cookiesOf(browser).join('; '));
  const reason = trail.at(-1)?.reason ?? 'internal';
  const to = LOGIN_URLS[environment as keyof typeof LOGIN_URLS];
  if (!seen.location.startsWith(to)) throw new Error(`${environment} is not at ${to}`);
  return { environment, reason, trail, next: { do: 'depart', to } };
}

const cookiesOf = ({ jar }: Browser): string[] => [...jar].map(([name, { value }]) => `${name}=${value}`);

const asArguments = (browser: Browser, world: World, { url, headers = {}, email }: Sent): string[] => [
  url,
  ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
  ...cookiesOf(browser).flatMap((cookie) => ['--cookie', cookie]),
  ...(email === undefined ? [] : ['--form', `email=${email}`]),
  ...['--client-ip', '127.0.0.1', '--at', new Date(world.now * 1000).toISOString()],
];

const AT_DOCS = LOGIN.replace('/callback?', '/docs?');

/** What was sent, with the cookies of a person who signed in to `eu` where said, and the outcome in one word. */
type Row = readonly [title: string, sent: Sent, outcome: string, remembers?: 'eu'];

// biome-ignore format: a table
const REQUESTS: readonly Row[] = [
  ['a link with a hint', { url: `${LOGIN}&env=eu` }, 'eu: hint_names_environment'],
  ['a hint that nobody knows, and a country', { url: `${LOGIN}&env=mars`, headers: { 'CF-IPCountry': 'AT' } }, 'eu: rule_holds'],
  ['a link on a page of an app', { url: LOGIN, headers: { Referer: 'https://us.acme.test/billing?invoice=7' } }, 'us: source_is_app'],
  ['an address that the portal passed on', { url: `${LOGIN}&login_hint=kim%40globex.example` }, 'globex: login_hint_domain'],
  ['a browser that signed in before', { url: LOGIN }, 'eu: remembered_choice', 'eu'],
  ['the same browser at another portal', { url: AT_DOCS }, 'email: email_asked', 'eu'],
  ['an office behind the proxy', { url: LOGIN, headers: { 'X-Forwarded-For': '10.9.9.9, 198.51.100.20' } }, 'globex: rule_holds'],
  ['an office that only says so', { url: LOGIN, headers: { 'X-Forwarded-For': '198.51.100.20, 192.0.2.1' } }, 'email: email_asked'],
  ['a host of the region, told by the proxy', { url: LOGIN, headers: { 'X-Forwarded-Host': 'EU.login.acme.test' } }, 'eu: rule_holds'],
  ['a parameter that a rule knows', { url: `${LOGIN}&region=emea` }, 'eu: rule_holds'],
  ['a German browser', { url: LOGIN, headers: { 'Accept-Language': 'de-AT,de;q=0.9,en;q=0.8' } }, 'eu: rule_holds'],
  ['a French browser in Canada', { url: LOGIN, headers: { 'Accept-Language': 'fr-CA', 'CF-IPCountry': 'CA' } }, 'email: email_asked'],
  ['a German browser where Europe is not offered', { url: AT_DOCS, headers: { 'Accept-Language': 'de' } }, 'email: email_asked'],
  ['a typed email of a customer', { url: LOGIN, email: ' Kim@Globex.Example' }, 'globex: email_domain'],
  ['a typed email of nobody', { url: `${LOGIN}&ask=email`, email: 'kim@nowhere.test' }, 'picker: picker_asked'],
  ['somebody who wants to choose', { url: `${LOGIN}&ask=picker` }, 'picker: picker_asked', 'eu'],
  ['a choice on the picker', { url: `${LOGIN}&choose=us` }, 'us: picker_chosen', 'eu'],
  ['a link in an app', { url: '/enter/us/support' }, 'us: address_names_environment'],
  ['a link in an app that the portal does not take', { url: '/enter/eu/docs' }, 'refused: environment_not_offered'],
  ['a token where none is taken', { url: '/enter/us/support?access_token=a.b.c' }, 'refused: unsolicited_not_allowed'],
  ['a return address of somebody else', { url: '/callback?redirect_uri=https%3A%2F%2Fevil.example%2F' }, 'refused: redirect_uri_not_listed'],
  ['a parameter twice', { url: `${LOGIN}&env=us&env=eu` }, 'refused: request_parameter_duplicated'],
  ['an address that is none', { url: '/nowhere' }, 'refused: address_unknown'],
];

t.test('explain agrees with what a browser then experiences, step by step', async (t) => {
  const file = join(temporaryFolder(t), 'routes.yaml');
  writeFileSync(file, RULED);
  const world = await openWorld(t, { routes: RULED });
  for (const [title, sent, outcome, remembers] of REQUESTS) {
    const browser = world.browser();
    if (remembers) {
      await comeBack(world, browser, remembers);
      world.now += 60;
    }
    const told = await run('--json', '--routes', file, ...asArguments(browser, world, sent));
    const { portal, ...explained } = JSON.parse(told.stdout) as Explanation;
    const experienced = await experience(world, browser, sent);

    const { environment, reason, trail, next } = explained;
    const where = environment ?? (next.do === 'ask' ? next.to : 'refused');
    t.equal(`${where}: ${reason}`, outcome, title);
    t.strictSame({ environment, next }, { environment: experienced.environment, next: experienced.next }, title);
    if (experienced.reason) t.equal(reason, experienced.reason, title);
    if (experienced.trail) t.strictSame(trail.map(carried), experienced.trail.map(carried), title);
    t.equal(trail.at(-1)?.reason ?? reason, reason, 'the last step decided');
    t.equal(told.status, next.do === 'refuse' ? 1 : 0, title);
    t.equal(told.stderr, '');
    t.equal(
      portal,
      reason === 'address_unknown' || reason === 'request_parameter_duplicated' ? null : portalOf(sent),
      title,
    );
  }
});

/** A state carries the beginning of what a step saw. */
const carried = ({ by, saw, outcome, reason }: Explanation['trail'][number]) => ({
  by,
  saw: saw.slice(0, 40),
  outcome,
  reason,
});

const portalOf = ({ url }: Sent): string => (url.includes('docs') ? 'docs' : 'support');

t.test('explain agrees at every address that a failed login goes on to, with what was sealed into it', async (t) => {
  const file = join(temporaryFolder(t), 'routes.yaml');
  writeFileSync(file, RULED);
  const world = await openWorld(t, { routes: RULED });
  const browser = world.browser();
  const typed = await browser.post(LOGIN, { email: 'kim@globex.example' });
  const { redirectUri } = departure(await browser.get(typed.location));
  const failed = await browser.get(`${redirectUri}&error=unknown_user`);
  const links = [...failed.body.matchAll(/href="([^"]*[?;]again=[^"]*)"/g)].map(([, href = '']) =>
    href.replaceAll('&amp;', '&'),
  );
  t.ok(links.length > 1, `${links.length} ways on`);
  const seen = new Set<string>();
  for (const url of [typed.location, ...links, `${links[0]?.replace(/&(?:choose|ask)=[^&]*/, '')}&env=globex`]) {
    const sent = { url };
    const told = await run('--json', '--routes', file, ...asArguments(browser, world, sent));
    const { environment, trail, next } = JSON.parse(told.stdout) as Explanation;
    const experienced = await experience(world, browser, sent);
    t.strictSame({ environment, next }, { environment: experienced.environment, next: experienced.next });
    if (experienced.trail) t.strictSame(trail.map(carried), experienced.trail.map(carried));
    for (const { reason } of trail) seen.add(reason);
    t.equal(told.stderr, '');
  }
  for (const reason of ['email_domain', 'picker_chosen', 'tried_before']) t.ok(seen.has(reason), reason);

  const elsewhere = changedRoutes((tree) => Object.assign(tree, { seal_keys: [{ env: 'OTHER_KEY' }] }), RULED);
  writeFileSync(file, elsewhere);
  const env = { ...SECRETS, OTHER_KEY: Buffer.alloc(32, 1).toString('base64url') };
  const blind = await runWith(env, '--json', '--routes', file, typed.location);
  t.match(JSON.parse(blind.stdout), { reason: 'email_asked' });
  t.match(blind.stderr, /^sealed cookies and parameters cannot be read: altered, or sealed with another key\n$/);
});

t.test('a page that follows an email of nobody, and an end without a page, are told as they are', async (t) => {
  const rows = [
    [['hint', 'email'], { url: LOGIN, email: 'kim@nowhere.test' }, 'email_unknown'],
    [['hint'], { url: LOGIN }, 'environment_not_found'],
    [['remembered', 'hint'], { url: LOGIN }, 'environment_not_found'],
  ] as const;
  for (const [steps, sent, reason] of rows) {
    const routes = changedRoutes((tree) => {
      tree.discovery = tree.discovery.filter(({ by }) => (steps as readonly unknown[]).includes(by));
    });
    const file = join(temporaryFolder(t), 'routes.yaml');
    writeFileSync(file, routes);
    const world = await openWorld(t, { routes });
    const browser = world.browser();
    const told = await run('--json', '--routes', file, ...asArguments(browser, world, sent));
    const explained = JSON.parse(told.stdout) as Explanation;
    t.match(await experience(world, browser, sent), { environment: null, next: explained.next });
    t.equal(explained.reason, reason);
  }
});

t.test('people read every step in words; what came from outside cannot steer their terminal', async (t) => {
  const file = join(temporaryFolder(t), 'routes.yaml');
  writeFileSync(file, RULED);
  const told = await run(
    `${ORIGIN}${LOGIN}&env=%F0%9F%91%BB%C2%9B2J`,
    '--routes',
    file,
    '--header',
    'cf-ipcountry: DE',
  );
  t.equal(told.status, 0);
  t.equal(
    told.stdout,
    `portal         support (Acme Support)
1. hint        passed    no environment or domain has this name: env=👻\ufffd2J
2. source      passed    the browser does not say where the person came from
3. login_hint  passed    the portal passed on no email address
4. remembered  passed    this browser has not signed in to this portal before
5. rule        passed    the rule’s condition does not hold: client_ip=
6. rule        passed    the rule’s condition does not hold: host=login.acme.test region=
7. rule        passed    the rule’s condition does not hold: language=
8. rule        answered  the rule’s condition holds: cf-ipcountry=DE
environment    eu (Europe)
reason         rule_holds
next           the browser goes to https://eu.acme.test/sso?lang=en
`,
  );
  const refused = await run(
    '/callback',
    '--portal',
    'docs',
    '--routes',
    file,
    '--header',
    'Accept: text/html',
    '--form',
    'a=b',
    '--form',
    'a=c',
  );
  t.match(
    refused.stdout,
    /^reason {2}request_parameter_duplicated \(a\)\nremedy {2}A parameter stands twice\..*\nnext {4}.* 400\n$/s,
  );
});

t.test('with --portal, the query of any URL is read as if that portal had sent it', async (t) => {
  const file = join(temporaryFolder(t), 'routes.yaml');
  writeFileSync(file, RULED);
  const query = LOGIN.slice(LOGIN.indexOf('?'));
  for (const url of [`https://portal.example/signin${query}&env=us`, `${query}&env=us`, `/callback${query}&env=us`]) {
    const told = await run(url, '--portal', 'docs', '--json', '--routes', file);
    t.match(JSON.parse(told.stdout), { portal: 'docs', environment: 'us', reason: 'hint_names_environment' }, url);
  }
});

t.test('a key that the store keeps opens the cookies of a real login, and nothing is written', async (t) => {
  const folder = temporaryFolder(t);
  const unsealed = changedRoutes((tree) => {
    delete tree.seal_keys;
    Object.assign(tree, { store: 'sqlite:./data/wayhome.db' });
  });
  const file = join(folder, 'routes.yaml');
  const data = join(folder, 'data');
  writeFileSync(file, unsealed);
  const cookie = ['--cookie', '__Host-wayhome-visit.support.eu=x'];
  const told = async (cookies: string[]) => {
    const { stdout, stderr, status } = await run(LOGIN, '--json', '--routes', file, ...cookies);
    t.equal(status, 0);
    return { reason: (JSON.parse(stdout) as Explanation).reason, stderr };
  };

  t.match(await told(cookie), {
    reason: 'email_asked',
    stderr: /^sealed cookies and parameters cannot be read: there is no key in .*wayhome\.db yet\n$/,
  });
  t.strictSame(readdirSync(folder), ['routes.yaml'], 'no database is made');
  t.strictSame(await told([]), { reason: 'email_asked', stderr: '' }, 'nothing sealed, nothing said');

  const world = await openWorld({ teardown: () => {} }, { routes: unsealed, file });
  const browser = world.browser();
  await comeBack(world, browser, 'eu');
  const cookies = cookiesOf(browser).flatMap((pair) => ['--cookie', pair]);
  t.strictSame(await told(cookies), { reason: 'remembered_choice', stderr: '' }, 'while the router runs');
  await world.close();
  const files = readdirSync(data);
  t.strictSame(await told(cookies), { reason: 'remembered_choice', stderr: '' }, 'and after it');
  t.strictSame(readdirSync(data), files, 'no log or lock file is left behind');
  t.match(await told(cookie), { reason: 'email_asked', stderr: /altered, or sealed with another key/ });

  writeFileSync(join(data, 'wayhome.db'), 'not a database at all');
  t.match(await told(cookie), { reason: 'email_asked', stderr: /wayhome\.db cannot be read/ });
  t.equal(readKeptValue(join(folder, 'elsewhere.db'), 'seal-key'), undefined);
});

t.test('what starts no login is an error of its own', async (t) => {
  const file = join(temporaryFolder(t), 'routes.yaml');
  const allowed = changedRoutes((tree) => {
    const { support } = tree.portals;
    const { us } = tree.environments;
    if (support && us) [support.metadata_at_login_path, us.login.unsolicited] = [true, 'allowed'];
  });
  writeFileSync(file, allowed);
  const rows = [
    [['/logout'], 'starts_no_login'],
    [['/return/us?state=x'], 'starts_no_login'],
    [['/.well-known/jwks.json'], 'starts_no_login'],
    [['/callback', '--header', 'Accept: application/json'], 'starts_no_login'],
    [[LOGIN, '--header', 'Sec-Purpose: prefetch'], 'only_looks'],
    [[LOGIN, '--header', 'Sec-Fetch-Dest: iframe'], 'only_looks'],
    [['/enter/us/support?access_token=a.b.c'], 'token_not_judged'],
  ] as const;
  for (const [args, error] of rows) {
    const { status, stdout, stderr } = await run(...args, '--json', '--routes', file);
    t.equal(JSON.parse(stdout).error, error, args.join(' '));
    t.equal(status, 1);
    t.equal(stderr, '');
  }
});

t.test('a faulty routes file is told on standard error, and as one document', async (t) => {
  const file = join(temporaryFolder(t), 'routes.yaml');
  writeFileSync(file, ROUTES.replace('- by: source', '- by: sorce'));
  const plain = await run(LOGIN, '--routes', file);
  t.match(plain, { status: 1, stdout: '', stderr: /discovery\[1\]\.by: "sorce" is not known here/ });
  const json = await run(LOGIN, '--routes', file, '--json');
  t.equal(json.status, 1);
  t.match(JSON.parse(json.stdout), {
    error: 'routes_faulty',
    problems: [{ severity: 'notice' }, { path: 'discovery[1].by', severity: 'fault' }],
  });
});

t.test('wrong usage is told on standard error with status 2', async (t) => {
  const file = join(temporaryFolder(t), 'routes.yaml');
  writeFileSync(file, ROUTES);
  const rows = [
    [[], /one URL/],
    [[LOGIN, LOGIN], /one URL/],
    [[LOGIN, '--jsno'], /jsno/],
    [['https://elsewhere.test/callback'], /no address of https:\/\/login\.acme\.test/],
    [['//elsewhere.test/callback'], /no address of/],
    [['http://['], /not a URL/],
    [[LOGIN, '--portal', 'suport'], /there is no portal suport; there are: support/],
    [[LOGIN, '--header', 'no colon'], /--header/],
    [[LOGIN, '--header', 'X: a\r\nY: b'], /--header/],
    [[LOGIN, '--cookie', 'a=b; c=d'], /--cookie/],
    [[LOGIN, '--form', 'email'], /--form/],
    [[LOGIN, '--client-ip', 'localhost'], /--client-ip/],
    [[LOGIN, '--at', 'tomorrow'], /--at/],
    [[LOGIN, '--at', '2026-11-20'], /--at/],
  ] as const;
  for (const [args, message] of rows) {
    const { status, stdout, stderr } = await run(...args, '--routes', file);
    t.equal(status, 2, args.join(' '));
    t.equal(stdout, '');
    t.match(stderr.split('\n')[0], message);
  }
});

t.test('an authorization request of a relying party is explained as the login that it leads to', async (t) => {
  const file = join(temporaryFolder(t), 'routes.yaml');
  writeFileSync(file, partyRoutes());
  const env = { ...SECRETS, ...PARTY_VARIABLES };
  const asked = async (...args: string[]) => {
    const { stdout } = await runWith(env, ...args, '--routes', file, '--json');
    return JSON.parse(stdout) as Explanation;
  };
  const url = (params: Record<string, string>) => `${ORIGIN}${authorizeUrl(params)}`;
  t.match(await asked(url({ domain_hint: 'eu' })), {
    portal: 'help',
    environment: 'eu',
    reason: 'hint_names_environment',
    next: { do: 'depart' },
  });
  t.match(await asked(url({ prompt: 'select_account', domain_hint: 'eu' })), { reason: 'picker_asked' });
  t.match(await asked(url({ client_id: 'docs', domain_hint: 'us' })), { portal: 'docs', next: { do: 'ask' } });
  t.match(await asked('?env=us', '--portal', 'help'), { portal: 'help', environment: 'us' });
  t.match(await asked(url({ client_id: 'nobody' })), { portal: null, reason: 'client_refused_here' });
  t.match(await asked(`${ORIGIN}/oidc/token`), { error: 'starts_no_login' });
});

t.test('the command opens no socket', async (t) => {
  const file = join(temporaryFolder(t), 'routes.yaml');
  writeFileSync(file, RULED);
  const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;
  const forbid = `data:text/javascript,${encodeURIComponent(
    `import net from 'node:net'; import dgram from 'node:dgram'; import dns from 'node:dns';
     const no = () => { throw new Error('a socket was opened'); };
     net.Socket.prototype.connect = net.Server.prototype.listen = dgram.createSocket = dns.lookup = no;`,
  )}`;
  const args = ['--import', forbid, main, 'explain', `${LOGIN}&env=us`, '--json', '--routes', file];
  const told = execFileSync(process.execPath, args, { env: { ...process.env, ...SECRETS }, encoding: 'utf8' });
  t.match(JSON.parse(told), { environment: 'us', next: { do: 'depart', to: LOGIN_URLS.us } });
});
