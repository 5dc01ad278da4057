/** Full logins and logouts through environments that speak their own protocols, each to its own people. */
import type { Page, Route } from 'playwright-core';
import t, { type Test } from 'tap';
import { counterparts, without } from '../support/counterparts.ts';
import { PASSWORD } from '../support/saml/simplesaml.ts';
import { openChromium, type Person } from './chromium.ts';
import { type Kind, openDelegations } from './delegations.ts';
import { inspect } from './looks.ts';
import { eventsOf, overhear } from './overheard.ts';
import { press, read, signedIn, signInAs } from './person.ts';

type Manner = {
  readonly what: string;
  readonly email: string;
  /** What the portal token says beside the email. */
  readonly account: Readonly<Record<string, string>>;
  /** The claim, as the environment's own login page takes it. */
  signIn(page: Page): Promise<void>;
  /** What the environment wants to be told before its session ends. */
  confirm?(page: Page): Promise<void>;
};

async function signInAtProvider(page: Page, account: string): Promise<void> {
  await page.waitForURL(/\/interaction\//);
  await page.getByRole('textbox').fill(account);
  await press(page, 'Sign in');
}

const confirmAtProvider = (page: Page): Promise<void> => press(page, 'Sign out');

const MANNERS: Readonly<Record<Kind, Manner>> = {
  wonka: {
    what: 'an OpenID provider that answers in the address',
    email: 'charlie@wonka.example',
    account: { account_id: 'wonka-eu' },
    signIn: (page) => signInAtProvider(page, 'charlie'),
    confirm: confirmAtProvider,
  },
  slugworth: {
    what: 'an OpenID provider that answers by a form and takes a signature for a secret',
    email: 'arthur@slugworth.example',
    account: { account_id: 'slugworth-eu' },
    signIn: (page) => signInAtProvider(page, 'arthur'),
    confirm: confirmAtProvider,
  },
  oscorp: {
    what: 'a SAML identity provider',
    email: 'norman@oscorp.example',
    account: { account_id: 'oscorp-us' },
    async signIn(page) {
      await page.getByLabel('Username').fill('norman');
      await page.getByLabel('Password').fill(PASSWORD);
      await press(page, 'Login');
    },
  },
  account: {
    what: 'a session below the router’s domain',
    email: 'nina@acme.example',
    account: { account_external_id: 'acme' },
    signIn: (page) => signInAs(page, 'Nina Okafor'),
  },
};

const skip = without(counterparts.chromium) || without(counterparts.simpleSaml);

t.test('environments that speak their own protocols', { skip }, async (t) => {
  const chromium = await openChromium(t);
  const { stage, environments, oscorpByForms, apps, oscorp } = await openDelegations(t);
  const { portal, router } = stage;

  // What is met on the way may lead on before it has loaded.
  const logIn = (page: Page, kind: Kind | 'us') => page.goto(`${portal}/login?env=${kind}`, { waitUntil: 'commit' });
  /** Where a sign-out ends. */
  const atApp = async (t: Test, page: Page, kind: Kind) => {
    await read(page, kind === 'account' ? 'You are signed out' : `The app of ${kind}`);
    t.equal(page.url(), apps[kind]);
  };
  /** Events since a line of the log. */
  const events = (since: number, ...names: string[]) => eventsOf(stage.log.slice(since), ...names);

  for (const [kind, { what, email, account, signIn, confirm }] of Object.entries(MANNERS) as [Kind, Manner][]) {
    await t.test(`${what}: in, in again without a question, out, and its session is gone`, async (t) => {
      await stage.serve({ environments });
      const since = stage.log.length;
      await chromium.visit(t, {}, async ({ page, context }) => {
        const overheard = overhear(context);
        await logIn(page, kind);
        await signIn(page);
        await signedIn(page, email);
        const [token, ...more] = overheard.tokensAt(`${portal}/callback/`);
        t.same(more, []);
        const { iat, exp, jti, ...said } = token ?? {};
        t.same(said, { iss: `${router}/`, aud: 'https://portal.usepylon.com', email, ...account });
        t.equal(Number(exp) - Number(iat), 60);

        await logIn(page, kind);
        await signedIn(page, email);
        const again = ['login.completed', kind, 'hint_names_environment'];
        t.same(events(since, 'login.completed', 'login.refused'), [again, again]);

        await press(page, 'Sign out');
        await confirm?.(page);
        await atApp(t, page, kind);
        t.same(events(since, 'logout.leg', 'logout.completed'), [
          ['logout.leg', kind, 'leg_departed'],
          ['logout.leg', kind, 'leg_returned'],
          ['logout.completed', kind, 'visit_ended'],
        ]);
        await logIn(page, kind);
        await signIn(page);
        await signedIn(page, email);
        t.same(await overheard.foundIn(stage.log.slice(since), stage.variables), [], 'the log holds nothing of it');
      });
    });
  }

  await t.test('a session that is there already needs no page: the browser never leaves for its app', async (t) => {
    await stage.serve({ environments });
    await chromium.visit(t, {}, async ({ page, context }) => {
      await page.goto(`${apps.account}login`);
      await signInAs(page, 'Nina Okafor');
      await read(page, 'Hello, Nina Okafor');
      const overheard = overhear(context);
      await logIn(page, 'account');
      await signedIn(page, MANNERS.account.email);
      t.same(overheard.visited(), [`${portal}/login`, `${router}/callback`, `${portal}/callback/jwt`, `${portal}/`]);
    });
  });

  await t.test('a SAML answer counts in the browser that asked, and in no other one', async (t) => {
    await stage.serve({ environments });
    const since = stage.log.length;
    const address = `${router}/return/oscorp`;
    /** From a page of no site, as the provider's would. */
    const post = async ({ page }: Person, fields: URLSearchParams) => {
      const inputs = [...fields].map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`);
      await page.goto('about:blank');
      await page.setContent(`<form method="post" action="${address}">${inputs.join('')}<button>Post</button></form>`);
      await press(page, 'Post');
    };
    await chromium.visit(t, {}, async (person) => {
      const { page, context } = person;
      const { promise: posted, resolve: keep } = Promise.withResolvers<string | null>();
      const catchOne = async (route: Route) => {
        // An answer without content: the browser stays where it is.
        await route.fulfill({ status: 204 });
        keep(route.request().postData());
      };
      await context.route(address, catchOne, { times: 1 });
      await logIn(page, 'oscorp');
      await MANNERS.oscorp.signIn(page);
      const fields = new URLSearchParams((await posted) ?? '');
      t.same([...fields.keys()].sort(), ['RelayState', 'SAMLResponse']);

      await chromium.visit(t, {}, async (other) => {
        await post(other, fields);
        await read(other.page, 'Please start in this browser');
      });
      await post(person, fields);
      await signedIn(page, MANNERS.oscorp.email);
      await chromium.visit(t, {}, async (other) => {
        await post(other, fields);
        await read(other.page, 'Please start in this browser');
      });
      await post(person, fields);
      await read(page, 'Already signed in');
      t.same(events(since, 'login.completed', 'login.refused'), [
        ['login.refused', 'oscorp', 'login_not_from_this_browser'],
        ['login.completed', 'oscorp', 'hint_names_environment'],
        ['login.refused', 'oscorp', 'login_not_from_this_browser'],
        ['login.refused', 'oscorp', 'login_already_used'],
      ]);
    });
  });

  await t.test('one browser visits all of them, and one sign-out ends all of them, the last one’s first', async (t) => {
    await stage.serve({ environments, logout: { fan_out: 'visited' } });
    const since = stage.log.length;
    await chromium.visit(t, {}, async ({ page, context }) => {
      const overheard = overhear(context);
      await logIn(page, 'us');
      await signInAs(page, 'Ada Fields');
      await signedIn(page, 'ada@initech.example');
      for (const kind of ['oscorp', 'wonka', 'account'] as const) {
        // Which visit was the last one is told by the second.
        stage.ahead += 1;
        await logIn(page, kind);
        await MANNERS[kind].signIn(page);
        await signedIn(page, MANNERS[kind].email);
      }
      await press(page, 'Sign out');
      await confirmAtProvider(page);
      await atApp(t, page, 'account');
      t.same(events(since, 'logout.leg', 'logout.completed'), [
        ...['account', 'us', 'oscorp', 'wonka'].flatMap((kind) => [
          ['logout.leg', kind, 'leg_departed'],
          ['logout.leg', kind, 'leg_returned'],
        ]),
        ['logout.completed', 'account', 'visit_ended'],
      ]);
      const kept = (await context.cookies(router)).map(({ name }) => name);
      t.same(
        kept.filter((name) => /^__Host-wayhome-(?:visit|leaving)/.test(name)),
        [],
        'no visit is left, and nothing of the sign-out',
      );
      for (const kind of ['oscorp', 'wonka', 'account'] as const) {
        await logIn(page, kind);
        await MANNERS[kind].signIn(page);
        await signedIn(page, MANNERS[kind].email);
      }
      t.same(await overheard.foundIn(stage.log.slice(since), stage.variables), []);
    });
  });

  await t.test('a provider that is asked by a form: its page is in order', async (t) => {
    await stage.serve({ environments: { ...environments, oscorp: oscorpByForms } });
    await chromium.visit(t, {}, async ({ page, context }) => {
      await context.route(`${oscorp}/**`, (route) => route.fulfill({ status: 204 }));
      await logIn(page, 'oscorp');
      await read(page, 'Signing you in');
      await inspect(t, page, 'departing');
    });
  });

  for (const javaScriptEnabled of [true, false]) {
    const title = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript';
    await t.test(`${title}, a provider that is asked by forms: in and out`, async (t) => {
      await stage.serve({ environments: { ...environments, oscorp: oscorpByForms } });
      const since = stage.log.length;
      await chromium.visit(t, { javaScriptEnabled }, async ({ page, context }) => {
        const overheard = overhear(context);
        const carryOn = async (button: string) => {
          if (!javaScriptEnabled) await press(page, button);
        };
        const { signIn, email } = MANNERS.oscorp;
        await logIn(page, 'oscorp');
        await carryOn('Continue');
        await signIn(page);
        await carryOn('Submit');
        await signedIn(page, email);
        await press(page, 'Sign out');
        if (!javaScriptEnabled) await read(page, 'Signing you out');
        await carryOn('Continue');
        await atApp(t, page, 'oscorp');
        await logIn(page, 'oscorp');
        await carryOn('Continue');
        await page.getByLabel('Password').waitFor();
        t.same(events(since, 'login.completed', 'logout.leg'), [
          ['login.completed', 'oscorp', 'hint_names_environment'],
          ['logout.leg', 'oscorp', 'leg_departed'],
          ['logout.leg', 'oscorp', 'leg_returned'],
        ]);
        t.same(await overheard.foundIn(stage.log.slice(since), stage.variables), []);
      });
    });
  }
});
