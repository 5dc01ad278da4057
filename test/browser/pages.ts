/** Every page that the router shows, and how a person comes to see it. */
import type { Reason } from '../../src/core/reason.ts';
import type { Person } from './chromium.ts';
import { choose, follow, logInAtPortal, press, read, signedIn, signInAs, signOutOfApp, typeEmail } from './person.ts';
import type { Changes, Stage } from './stage.ts';

export type Shown = {
  /** Begins the names of its screenshots. */
  readonly name: string;
  readonly heading: string;
  /** Changes to routes.yaml that the page needs. */
  readonly routes?: Changes;
  reach(person: Person, stage: Stage): Promise<void>;
};

export type ShownRefusal = Shown & {
  readonly status: number;
  readonly reason: Reason;
  /** Titles of the places that it offers instead. */
  readonly next?: readonly string[];
  /** Where its ways on lead, by heading; absent where the page has none. */
  readonly startAgain?: string;
  /** After choosing Europe, and signing in there as Jonas Weber. */
  readonly chooseAnother?: string;
  /** Puts the stage right again. */
  mend?(stage: Stage): void;
};

const PICKER = 'Where do you sign in?';
const SIGNED_IN = 'Signed in as jonas@werk.example';

export const PAGES: readonly Shown[] = [
  {
    name: 'picker',
    heading: PICKER,
    reach: ({ page }, { portal }) => logInAtPortal(page, portal),
  },
  {
    name: 'picker-suggesting',
    heading: PICKER,
    reach: (person, stage) => leaveUnfinished(person, stage, 5),
  },
  {
    name: 'picker-after-email',
    heading: PICKER,
    async reach({ page }, { portal }) {
      await logInAtPortal(page, portal);
      await typeEmail(page, 'someone@nowhere.example');
      await page.getByRole('status').waitFor();
    },
  },
  {
    name: 'email',
    heading: 'What is your work email?',
    async reach({ page }, { portal }) {
      await logInAtPortal(page, portal);
      await follow(page, 'Find it by my email address');
    },
  },
  {
    name: 'email-unknown',
    heading: 'What is your work email?',
    routes: { discovery: [{ by: 'email' }] },
    async reach({ page }, { portal }) {
      await logInAtPortal(page, portal);
      await page.getByLabel('Email address').fill('someone@nowhere.example');
      await page.keyboard.press('Enter');
      await page.getByRole('status').waitFor();
    },
  },
  {
    name: 'hand-back',
    heading: 'Signing you in',
    routes: { portals: { support: { delivery: { mode: 'form_post' } } } },
    async reach({ page, context }, { portal }) {
      // An answer without content: the browser stays where it is.
      await context.route(`${portal}/callback/**`, (route) => route.fulfill({ status: 204 }));
      await goToPlace({ page }, portal);
      await signInAs(page, 'Ada Fields');
    },
  },
  {
    name: 'signed-out',
    heading: 'You are signed out',
    // biome-ignore lint/suspicious/noThenProperty: the file’s word; this is never awaited
    routes: { logout: { then: 'page' } },
    async reach({ page }, { portal, router }) {
      await goToPlace({ page }, portal);
      await signInAs(page, 'Ada Fields');
      await signedIn(page, 'ada@initech.example');
      await press(page, 'Sign out');
      await page.waitForURL(`${router}/logout/**`);
    },
  },
  {
    name: 'signed-out-before',
    heading: 'You are signed out',
    async reach({ page }, { router }) {
      await page.goto(`${router}/logout`);
    },
  },
];

export const REFUSALS: readonly ShownRefusal[] = [
  {
    name: 'refused-cancelled',
    heading: 'Sign-in was cancelled',
    status: 403,
    reason: 'access_denied',
    next: ['Europe'],
    startAgain: PICKER,
    chooseAnother: SIGNED_IN,
    async reach({ page }, { portal }) {
      await goToPlace({ page }, portal);
      await follow(page, 'Cancel');
    },
  },
  {
    name: 'refused-used',
    heading: 'Already signed in',
    status: 410,
    reason: 'login_already_used',
    // The portal takes one answer to a request, and it had one: this begins another.
    startAgain: 'Signed in as ada@initech.example',
    async reach({ page }, { portal }) {
      await goToPlace({ page }, portal);
      await signInAs(page, 'Ada Fields');
      await signedIn(page, 'ada@initech.example');
      // To the environment's login page, which knows the person by now and sends them on at once.
      await page.goBack();
    },
  },
  {
    name: 'refused-other-browser',
    heading: 'Please start in this browser',
    status: 403,
    reason: 'login_not_from_this_browser',
    async reach({ page, context }, { portal }) {
      await goToPlace({ page }, portal);
      await context.clearCookies();
      await signInAs(page, 'Ada Fields');
    },
  },
  {
    name: 'refused-expired',
    heading: 'That took too long',
    status: 410,
    reason: 'login_expired',
    startAgain: PICKER,
    chooseAnother: SIGNED_IN,
    async reach({ page }, stage) {
      await goToPlace({ page }, stage.portal);
      stage.ahead = 601;
      await signInAs(page, 'Ada Fields');
      await read(page, 'That took too long');
    },
    mend(stage) {
      stage.ahead = 0;
    },
  },
  {
    name: 'refused-not-accepted',
    heading: 'We could not sign you in',
    status: 403,
    reason: 'email_domain_not_allowed',
    next: ['United States', 'Europe'],
    // Globex still says that she is Mallory.
    startAgain: 'We could not sign you in',
    chooseAnother: SIGNED_IN,
    async reach({ page }, { portal }) {
      await logInAtPortal(page, portal);
      await typeEmail(page, 'hank@globex.example');
      await signInAs(page, 'Mallory');
    },
  },
  {
    name: 'refused-unknown-person',
    heading: 'Your account was not found there',
    status: 403,
    reason: 'unknown_user',
    next: ['Europe'],
    startAgain: PICKER,
    chooseAnother: SIGNED_IN,
    reach: (person, stage) => answerWith(person, stage, 'error=unknown_user'),
  },
  {
    name: 'refused-environment-trouble',
    heading: 'Your sign-in did not answer',
    status: 502,
    reason: 'environment_unavailable',
    next: ['Europe'],
    startAgain: PICKER,
    chooseAnother: SIGNED_IN,
    reach: (person, stage) => answerWith(person, stage, 'error=temporarily_unavailable'),
  },
  {
    name: 'refused-try-later',
    heading: 'Please try again in a moment',
    status: 503,
    reason: 'store_unavailable',
    startAgain: PICKER,
    chooseAnother: SIGNED_IN,
    async reach({ page }, stage) {
      await goToPlace({ page }, stage.portal);
      stage.store('spoiled');
      await signInAs(page, 'Ada Fields');
      await read(page, 'Please try again in a moment');
    },
    mend: (stage) => stage.store('mended'),
  },
  {
    name: 'refused-our-fault',
    heading: 'Something went wrong',
    status: 500,
    reason: 'token_too_large',
    startAgain: PICKER,
    chooseAnother: SIGNED_IN,
    routes: { environments: { us: { sets: { account_external_id: 'x'.repeat(9_000) } } } },
    async reach({ page }, { portal }) {
      await goToPlace({ page }, portal);
      await signInAs(page, 'Ada Fields');
    },
  },
  {
    name: 'refused-no-environment',
    heading: 'We do not know where you sign in',
    status: 404,
    reason: 'environment_not_found',
    routes: { discovery: [{ by: 'hint' }] },
    reach: ({ page }, { portal }) => logInAtPortal(page, portal),
  },
  {
    name: 'refused-not-allowed',
    heading: 'You cannot sign in here',
    status: 403,
    reason: 'unsolicited_not_allowed',
    async reach({ page }, { router }) {
      await page.goto(`${router}/enter/us/support?access_token=unasked`);
    },
  },
  {
    name: 'refused-request',
    heading: 'This link does not work',
    status: 400,
    reason: 'redirect_uri_not_listed',
    async reach({ page }, { router }) {
      await page.goto(`${router}/callback?redirect_uri=${encodeURIComponent('https://portal.evil.example/jwt')}`);
    },
  },
  {
    name: 'refused-address',
    heading: 'There is nothing here',
    status: 404,
    reason: 'address_unknown',
    async reach({ page }, { router }) {
      await page.goto(`${router}/somewhere`);
    },
  },
  {
    name: 'refused-too-many',
    heading: 'Too many attempts',
    status: 429,
    reason: 'rate_limited',
    routes: { rate_limit: { per_client: '1/m', burst: 1 } },
    async reach({ page }, { router }) {
      await page.goto(`${router}/logout`);
      await page.reload();
    },
  },
];

/** From the portal to the login page of the United States. */
async function goToPlace({ page }: Pick<Person, 'page'>, portal: string): Promise<void> {
  await logInAtPortal(page, portal);
  await choose(page, 'United States');
  await read(page, /^Sign in to/);
}

/** Plays an environment that answers so. */
async function answerWith({ page }: Person, { portal }: Stage, answer: string): Promise<void> {
  await goToPlace({ page }, portal);
  const redirectUri = new URL(page.url()).searchParams.get('redirect_uri');
  await page.goto(`${redirectUri}&${answer}`);
}

/**
 * Signs in through Europe, leaves by memory the next time, does not come back from there, and tries a third time
 * after so many seconds. From five on, the router is not sure of Europe any more.
 */
export async function leaveUnfinished({ page }: Person, stage: Stage, seconds: number): Promise<void> {
  const { portal, eu } = stage;
  await logInAtPortal(page, portal);
  await choose(page, 'Europe');
  await signInAs(page, 'Léa Moreau');
  await signedIn(page, 'lea@boulangerie.example');
  await signOutOfApp(page, eu);
  stage.ahead += 1;
  await page.goto(`${portal}/login`);
  await read(page, 'Sign in to eu');
  stage.ahead += seconds;
  await page.goto(`${portal}/login`);
}
