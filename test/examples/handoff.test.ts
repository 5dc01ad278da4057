/** The handoff endpoint in five languages: each is started as its README says, and a person signs in and out. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeJwt, jwtVerify } from 'jose';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { counterparts, GO, GOLANG_JWT, PHP, PYTHON, RUBY, without } from '../support/counterparts.ts';
import {
  CALLBACK,
  changedRoutes,
  ISSUER,
  LOGIN,
  ORIGIN,
  openWorld,
  portalToken,
  temporaryFolder,
} from '../support/world.ts';

const HANDOFF_SECRET = 'canary-secret-of-a-handoff-example-0123456789abcdef0123456789abcd';
const EXAMPLES = fileURLToPath(new URL('../../examples/handoff/', import.meta.url));

type Example = {
  readonly skip: string | false;
  /** The README's start command. */
  readonly command: (t: Test, folder: string, port: number) => readonly [command: string, ...args: string[]];
};

const examples: Readonly<Record<string, Example>> = {
  node: { skip: false, command: () => [process.execPath, 'app.js'] },
  php: {
    skip: without(counterparts.php),
    command: (_t, _folder, port) => [PHP, '-S', `127.0.0.1:${port}`, 'index.php'],
  },
  ruby: { skip: without(counterparts.webrick), command: () => [RUBY, 'app.rb'] },
  python: { skip: without(counterparts.pyjwt), command: () => [PYTHON, 'app.py'] },
  go: { skip: without(counterparts.golangJwt), command: buildGo },
};

for (const [language, { skip, command }] of Object.entries(examples)) {
  t.test(`a person signs in and out through the example in ${language}`, { skip }, async (t) => {
    const folder = join(EXAMPLES, language);
    const port = await freePort();
    const app = await start(t, folder, port, command(t, folder, port));
    const world = await openWorld(t, {
      variables: { US_SECRET: HANDOFF_SECRET },
      routes: changedRoutes(({ environments }) => {
        Object.assign(environments, { us: environmentOf(folder, port) });
      }),
    });
    world.now = Math.floor(Date.now() / 1000);

    await t.test('in', async (t) => {
      const wayhome = world.browser();
      const person = new Person(app);
      const login = await person.get((await wayhome.get(`${LOGIN}&env=us`)).location);
      t.match(login, { status: 303, location: /^\/login\?next=/ }, 'whoever is not signed in does that first');
      const page = await person.get(login.location);
      t.match(page.body, /<form method="post" action="\/login\?next=/);
      t.equal((await person.post(login.location, { email: 'ada@acme.example', password: 'wrong' })).status, 200);
      const loggedIn = await person.post(login.location, { email: 'ada@acme.example', password: 'wayhome' });
      t.match(loggedIn, { status: 303, location: /^\/sso\/support\?/ }, 'and goes on where they were');

      const handedOff = await person.get(loggedIn.location);
      t.match(handedOff.headers, { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
      const token = new URL(handedOff.location).searchParams.get('access_token') ?? '';
      const { payload } = await jwtVerify(token, new TextEncoder().encode(HANDOFF_SECRET), {
        issuer: `${app}/`,
        audience: ISSUER,
        typ: 'JWT',
      });
      t.match(payload, { email: 'ada@acme.example', name: 'Ada Byron', jti: /.{16}/ });
      t.equal((payload.exp ?? 0) - (payload.iat ?? 0), 60);

      const home = await wayhome.get(handedOff.location);
      t.ok(home.location.startsWith(CALLBACK), `back at the portal: ${world.lines.at(-1)}`);
      t.equal(decodeJwt(portalToken(home)).email, 'ada@acme.example');

      const again = await person.get((await wayhome.get(`${LOGIN}&env=us`)).location);
      t.ok(again.location.startsWith(`${ORIGIN}/return/us?`), 'who is signed in is not asked again');

      const out = await wayhome.get('/logout');
      t.ok(out.location.startsWith(`${app}/logout?return_to=`));
      const followed = await person.get(out.location);
      t.ok(followed.location.startsWith(`${ORIGIN}/logout/`), 'the sign-out goes on at the router');
      t.equal((await wayhome.get(followed.location)).location, `${app}/`, 'and ends at the app');
      t.match(await person.get('/'), { status: 200, body: /href="\/login"/ }, 'where nobody is signed in any more');
    });

    await t.test('a token leaves for the router’s return address and nowhere else', async (t) => {
      const person = new Person(app);
      await person.post('/login', { email: 'grace@acme.example', password: 'wayhome' });
      t.match(await person.get('/'), { body: /Signed in as Grace Hopper/ });
      const right = `${ORIGIN}/return/us?state=a.b`;
      const ask = (redirectUri: string, nonce = 'n') =>
        person.get(`/sso/support?${new URLSearchParams({ redirect_uri: redirectUri, nonce })}`);
      t.ok((await ask(right)).location.startsWith(`${right}&access_token=eyJ`));
      const wrong = [
        '',
        'https://evil.test/return/us?state=a.b',
        `${ORIGIN}.evil.test/return/us?state=a.b`,
        `${ORIGIN}@evil.test/return/us?state=a.b`,
        `${ORIGIN}:8443/return/us?state=a.b`,
        `http${ORIGIN.slice(5)}/return/us?state=a.b`,
        `${ORIGIN}/return/eu?state=a.b`,
        `${ORIGIN}/return/us/../eu?state=a.b`,
        `${ORIGIN}/return/us`,
        `${ORIGIN}/return/us?state=`,
        `${right}&access_token=x`,
        `${right}#`,
        `${right}\r\nx: y`,
        `${right}\n`,
        ` ${right}`,
      ];
      for (const redirectUri of wrong) {
        const { status, location } = await ask(redirectUri);
        t.same({ status, location }, { status: 400, location: '' }, JSON.stringify(redirectUri));
      }
      t.equal((await ask(right, '')).status, 400, 'without a nonce');
      const elsewhere = [
        'https://evil.test/',
        '//evil.test/',
        '/\\evil.test',
        '/sso/support?a\r\nx: y',
        '/sso/supporter',
      ];
      for (const next of elsewhere) {
        const to = `/login?${new URLSearchParams({ next })}`;
        const { location } = await person.post(to, { email: 'ada@acme.example', password: 'wayhome' });
        t.equal(location, '/', `a login does not go on at ${JSON.stringify(next)}`);
      }
      for (const returnTo of [...elsewhere, `${ORIGIN}.evil.test/logout/x`, `${ORIGIN}/logout/x\r\nx: y`]) {
        const { location } = await person.get(`/logout?${new URLSearchParams({ return_to: returnTo })}`);
        t.equal(location, '/', `a sign-out does not go on at ${JSON.stringify(returnTo)}`);
      }
      const odd = await person.get('/login?next=%22%3E%3Cscript%3E');
      t.notMatch(odd.body, /<script>/);
    });
  });
}

/** The fragment of the README, with this port. */
function environmentOf(folder: string, port: number): unknown {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const fragment = /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  return parse(fragment.replaceAll('4501', String(port)).replace('US_HANDOFF_SECRET', 'US_SECRET')).environments.us;
}

/** A program of Go modules is built first; golang-jwt comes from the system in place of the network. */
function buildGo(t: Test, folder: string): [string] {
  const work = temporaryFolder(t);
  const modules = join(work, 'go.mod');
  writeFileSync(
    modules,
    `${readFileSync(join(folder, 'go.mod'), 'utf8')}\nreplace github.com/golang-jwt/jwt/v4 => ${GOLANG_JWT}\n`,
  );
  const program = join(work, 'app');
  const built = spawnSync(GO, ['build', `-modfile=${modules}`, '-o', program, '.'], {
    cwd: folder,
    encoding: 'utf8',
    env: { HOME: process.env.HOME, PATH: process.env.PATH, GOFLAGS: '-buildvcs=false', GOPROXY: 'off' },
  });
  if (built.status !== 0) throw new Error(`go build: ${built.stderr}`);
  return [program];
}

/** Starts an example and waits until it says where it is; it ends with its test. */
async function start(t: Test, folder: string, port: number, [command, ...args]: readonly [string, ...string[]]) {
  const app = `http://127.0.0.1:${port}`;
  const { PATH } = process.env;
  const settings = { PORT: String(port), APP_URL: app, WAYHOME_URL: ORIGIN, ENVIRONMENT: 'us', HANDOFF_SECRET };
  const child = spawn(command, args, { cwd: folder, env: { PATH, ...settings }, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes(app)) resolve();
      });
    }
    void ended.then(() => reject(new Error(`it ended: ${said}`)));
  });
  return app;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

type Page = {
  readonly status: number;
  /** Of an address of the application's own, what follows its origin: WEBrick writes them whole. */
  readonly location: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
};

/** Somebody's browser at the application. */
class Person {
  readonly #app: string;
  #cookie = '';

  constructor(app: string) {
    this.#app = app;
  }

  get(address: string): Promise<Page> {
    return this.#send(address);
  }

  post(address: string, form: Record<string, string>): Promise<Page> {
    return this.#send(address, { method: 'POST', body: new URLSearchParams(form) });
  }

  async #send(address: string, more: RequestInit = {}): Promise<Page> {
    const url = new URL(address, this.#app);
    if (url.origin !== this.#app) throw new Error(`not the application: ${url.origin}`);
    const headers = { cookie: this.#cookie, connection: 'close' };
    const response = await fetch(url, { redirect: 'manual', headers, ...more });
    for (const line of response.headers.getSetCookie()) this.#cookie = line.split(';', 1)[0] ?? '';
    const location = response.headers.get('location') ?? '';
    return {
      status: response.status,
      location: location.startsWith(`${this.#app}/`) ? location.slice(this.#app.length) : location,
      body: await response.text(),
      headers: Object.fromEntries(response.headers),
    };
  }
}
