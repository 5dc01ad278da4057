/** Environments whose pages people see through the router: out of reach, of an older time, and hostile. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { counterparts, without } from '../support/counterparts.ts';
import { openBehind } from './behind.ts';
import { openChromium } from './chromium.ts';
import { install, SECRETS } from './installed.ts';
import { eventsOf, overhear } from './overheard.ts';
import { press, read, signedIn } from './person.ts';
import { openStage } from './stage.ts';

const skip = without(counterparts.chromium);

t.test(
  'an installation on a machine that only the router’s has a link to',
  {
    skip: skip || without(counterparts.namespaces),
  },
  async (t) => {
    const email = 'tony@stark.example';
    const chromium = await openChromium(t);
    const { router, portal, network, serving, port, heard } = await openBehind(t, email);
    const app = `${router.replace('localhost', 'stark.localhost')}/app`;

    await t.test('the router’s machine gets there, a machine without the link and the browser do not', async (t) => {
      const { address } = network.environment;
      t.equal(await dial(network.router.within, address, port), 'connected');
      t.equal(await dial(network.stranger.within, address, port), 'ENETUNREACH');
      await chromium.visit(t, {}, async ({ page }) => {
        // Chromium gives up anew where another test sets up a network of its own at this moment.
        await t.rejects(page.goto(`http://${address}:${port}/app`), /ERR_ADDRESS_UNREACHABLE|ERR_NETWORK_CHANGED/);
      });
      t.same(heard, []);
    });

    await t.test('people sign in and out there, its WebSocket included', async (t) => {
      await chromium.visit(t, {}, async ({ page, context }) => {
        const overheard = overhear(context);
        const logIn = async () => {
          await page.goto(`${portal}/login?env=stark`);
          await read(page, 'Sign in here');
          // The form opens with the first word over the WebSocket.
          await press(page, `I am ${email}`);
          await signedIn(page, email);
        };
        await logIn();
        await press(page, 'Sign out');
        await page.waitForURL(app);
        await read(page, 'You are signed out');
        await logIn();
        const completed = ['login.completed', 'stark', 'hint_names_environment'];
        t.same(eventsOf(serving.lines, 'login.completed', 'login.refused', 'logout.completed'), [
          completed,
          ['logout.completed', 'stark', 'visit_ended'],
          completed,
        ]);
        t.same(await overheard.foundIn(serving.lines, serving.variables), [], 'the log holds nothing of it');
        t.same(overheard.requestsTo('http://10.'), []);
      });
      t.same([...new Set(heard.map(({ from }) => from))], [network.router.inside], 'nobody but the router has called');
      t.ok(heard.some(({ path }) => path === '/live'));
      t.same([...new Set(heard.flatMap(({ cookies }) => cookies))], ['installation'], 'no cookie of the router’s came');
    });
  },
);

/** `connected`, or the error's code. */
async function dial([command = '', ...within]: readonly string[], address: string, port: number): Promise<string> {
  const script = `require('node:net').connect(${port}, '${address}').on('connect', () => { console.log('connected'); process.exit(); }).on('error', ({ code }) => console.log(code))`;
  const { stdout } = await promisify(execFile)(command, [...within, process.execPath, '-e', script]);
  return stdout.trim();
}

/** What an integration with Pylon cannot do, in the words of routes.yaml. */
const AS_PYLON = {
  audience: 'https://portal.usepylon.com',
  nonce: 'not_echoed',
  jti: 'not_sent',
  max_lifetime: '10h',
};

t.test('an integration with Pylon, unchanged', { skip }, async (t) => {
  const email = 'robert@soylent.example';
  const [chromium, stage] = [await openChromium(t), await openStage(t, { clock: 'runs', variables: SECRETS })];
  const { router, portal } = stage;

  for (const [title, manner, words] of [
    ['that takes no return address but the portal’s', 'pylon', { sends_to: 'portal' }],
    ['that goes to the portal whatever it was asked', 'stubborn_pylon', {}],
  ] as const) {
    await t.test(`${title}: its token is caught on the way, and the portal gets the router’s`, async (t) => {
      const { origin, callback, environment, heard } = await install(t, stage, 'soylent.localhost', { email, manner });
      const soylent = { ...environment, login: { ...environment.login, ...AS_PYLON, ...words } };
      await stage.serve({ environments: { soylent } });
      const since = stage.log.length;
      await chromium.visit(t, {}, async ({ page, context }) => {
        const overheard = overhear(context);
        await page.goto(`${portal}/login?env=soylent`);
        await press(page, `I am ${email}`);
        await signedIn(page, email);
        t.same(
          overheard.tokensAt(`${router}/return/soylent`).map(({ iss, aud }) => ({ iss, aud })),
          [{ iss: `${origin}/`, aud: AS_PYLON.audience }],
          'theirs comes to the router',
        );
        t.same(
          overheard.tokensAt(portal).map(({ iss, email }) => ({ iss, email })),
          [{ iss: `${router}/`, email }],
          'and ours goes to the portal',
        );
        await press(page, 'Sign out');
        await read(page, 'You are signed out');
        t.equal(page.url(), `${origin}/app`);

        // As its own page links to Pylon.
        await page.goto(`${origin}/sso/support?redirect_uri=${encodeURIComponent(callback)}`);
        await press(page, `I am ${email}`);
        await signedIn(page, email);
        t.same(
          overheard.tokensAt(portal).map(({ iss }) => iss),
          [`${router}/`, `${router}/`],
          'the same where it begins by itself',
        );
        t.same(overheard.tokensAt(`${router}/enter/`), [], 'and a token that nobody asked for is dropped');
        t.same(eventsOf(stage.log.slice(since), 'login.completed', 'login.refused'), [
          ['login.completed', 'soylent', 'hint_names_environment'],
          ['login.completed', 'soylent', 'address_names_environment'],
        ]);
        t.same(await overheard.foundIn(stage.log.slice(since), stage.variables), []);
      });
      t.same([...new Set(heard.flatMap(({ cookies }) => cookies))], ['installation']);
    });
  }
});
