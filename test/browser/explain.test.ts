import t, { type Test } from 'tap';
import type { Explanation } from '../../src/cli/explain-request.ts';
import { counterparts, without } from '../support/counterparts.ts';
import type { RoutesTree } from '../support/world.ts';
import { openChromium, type Person } from './chromium.ts';
import { type Crossroads, openCrossroads, UNTIL_APAC } from './crossroads.ts';
import { experienced, type Start, watch } from './login-starts.ts';
import {
  choose,
  follow,
  logInAtPortal,
  read,
  signedIn,
  signInAs,
  signInToApp,
  signOutOfApp,
  typeEmail,
} from './person.ts';

/** `outcomes`: what explain says of every request that starts a login or answers on a page, in order. */
type Journey = {
  readonly title: string;
  readonly outcomes: readonly string[];
  walk(person: Person, crossroads: Crossroads): Promise<void>;
};

const JONAS = ['Jonas Weber', 'jonas@werk.example'] as const;
const ADA = ['Ada Fields', 'ada@initech.example'] as const;
const HANK = ['Hank Scorpio', 'hank@globex.example'] as const;

async function signIn({ page }: Person, [name, email]: readonly [name: string, email: string]): Promise<void> {
  await signInAs(page, name);
  await signedIn(page, email);
}

/** At Europe, by a link that says so; the browser remembers it. */
async function signInAtEurope(person: Person, { loginUrl }: Crossroads): Promise<void> {
  await person.page.goto(loginUrl('&env=eu'));
  await signIn(person, JONAS);
}

const BY_LINK = 'eu: hint_names_environment';
const PICKER = 'Where do you sign in?';

const confirming = ({ discovery }: RoutesTree): void => {
  Object.assign(discovery.find(({ by }) => by === 'remembered') ?? {}, { confirm: true });
};

const JOURNEYS: readonly Journey[] = [
  {
    title: 'a link to the router names the place',
    outcomes: [BY_LINK],
    walk: signInAtEurope,
  },
  {
    title: 'a link to the portal names the place, and the portal passes it on in its return address',
    outcomes: [BY_LINK],
    async walk(person, { portal }) {
      await person.page.goto(`${portal}/login?env=eu`);
      await signIn(person, JONAS);
    },
  },
  {
    title: 'a link names a place that nobody knows, and the person picks one',
    outcomes: ['picker: picker_asked', 'us: picker_chosen'],
    async walk(person, { portal }) {
      await person.page.goto(`${portal}/login?env=mars`);
      await choose(person.page, 'United States');
      await signIn(person, ADA);
    },
  },
  {
    title: 'a link to the portal stands on a page of an app',
    outcomes: ['us: source_is_app'],
    async walk({ page }, { apps }) {
      await signInToApp(page, apps.us, ADA[0]);
      await page.goto(apps.us);
      await follow(page, 'Support portal');
      await signedIn(page, ADA[1]);
    },
  },
  {
    title: 'the portal knows the person’s email address',
    outcomes: ['globex: login_hint_domain'],
    async walk(person, { loginUrl }) {
      await person.page.goto(loginUrl('&login_hint=Hank%40Globex.Example'));
      await read(person.page, 'Sign in to globex');
      await signIn(person, HANK);
    },
  },
  {
    title: 'the place is remembered, and nothing is asked',
    outcomes: [BY_LINK, 'eu: remembered_choice'],
    async walk(person, crossroads) {
      await signInAtEurope(person, crossroads);
      await person.page.goto(`${crossroads.portal}/login`);
      await signedIn(person.page, JONAS[1]);
    },
  },
  {
    title: 'the place is remembered at one portal, and the other asks',
    outcomes: [BY_LINK, 'picker: picker_asked'],
    async walk(person, crossroads) {
      await signInAtEurope(person, crossroads);
      await person.page.goto(crossroads.loginUrl('', 'docs'));
      await read(person.page, PICKER);
    },
  },
  {
    title: 'the remembered place is suggested where the file asks for that, and can be changed',
    outcomes: [
      BY_LINK,
      'picker: remembered_confirm',
      'eu: picker_chosen',
      'picker: remembered_confirm',
      'us: picker_chosen',
      'picker: remembered_confirm',
    ],
    async walk(person, crossroads) {
      const { page } = person;
      const { portal } = crossroads;
      await crossroads.serve(confirming);
      await signInAtEurope(person, crossroads);
      await page.goto(`${portal}/login`);
      await follow(page, 'Continue to Europe');
      await signedIn(page, JONAS[1]);
      crossroads.ahead += 60;
      await page.goto(`${portal}/login`);
      await choose(page, 'United States');
      await signIn(person, ADA);
      await page.goto(`${portal}/login`);
      await page.getByRole('link', { name: 'Continue to United States', exact: true }).waitFor();
    },
  },
  {
    title: 'the remembered place has been disabled since',
    outcomes: [BY_LINK, 'picker: picker_asked'],
    async walk(person, crossroads) {
      await signInAtEurope(person, crossroads);
      await crossroads.serve(({ environments }) => Object.assign(environments.eu ?? {}, { disabled: true }));
      await person.page.goto(`${crossroads.portal}/login`);
      await read(person.page, PICKER);
    },
  },
  {
    title: 'somebody left for the remembered place and did not come back',
    outcomes: [BY_LINK, 'eu: remembered_choice', 'picker: remembered_left_unfinished', 'eu: picker_chosen'],
    async walk(person, crossroads) {
      const { page } = person;
      await signInAtEurope(person, crossroads);
      await signOutOfApp(page, crossroads.apps.eu);
      crossroads.ahead += 60;
      await page.goto(`${crossroads.portal}/login`);
      await read(page, 'Sign in to eu');
      crossroads.ahead += 60;
      await page.goto(`${crossroads.portal}/login`);
      await follow(page, 'Continue to Europe');
      await signIn(person, JONAS);
    },
  },
  {
    title: 'a rule about the country that a proxy in front tells',
    outcomes: ['eu: rule_holds'],
    async walk(person, { portal }) {
      await person.context.setExtraHTTPHeaders({ 'CF-IPCountry': 'AT' });
      await person.page.goto(`${portal}/login`);
      await signIn(person, JONAS);
    },
  },
  {
    title: 'a rule about the browser’s language',
    outcomes: ['eu: rule_holds'],
    async walk(person, { portal }) {
      await person.context.setExtraHTTPHeaders({ 'Accept-Language': 'fr-CH, fr;q=0.9, de;q=0.7, *;q=0.5' });
      await person.page.goto(`${portal}/login`);
      await signIn(person, JONAS);
    },
  },
  {
    title: 'a rule about a parameter',
    outcomes: ['us: rule_holds'],
    async walk(person, { loginUrl }) {
      await person.page.goto(loginUrl('&plan=trial'));
      await signIn(person, ADA);
    },
  },
  {
    title: 'a typed email address belongs to a place that no list shows',
    outcomes: ['picker: picker_asked', 'email: email_asked', 'globex: email_domain', 'globex: email_domain'],
    async walk(person, { portal }) {
      await logInAtPortal(person.page, portal);
      await typeEmail(person.page, HANK[1]);
      await signIn(person, HANK);
    },
  },
  {
    title: 'a typed email address belongs to nobody',
    outcomes: [
      'picker: picker_asked',
      'email: email_asked',
      'picker: picker_asked',
      'picker: picker_asked',
      'eu: picker_chosen',
    ],
    async walk(person, { portal }) {
      await logInAtPortal(person.page, portal);
      await typeEmail(person.page, 'someone@nowhere.example');
      await person.page.getByRole('status').waitFor();
      await choose(person.page, 'Europe');
      await signIn(person, JONAS);
    },
  },
  {
    title: 'somebody cancels at one place and goes on to another',
    outcomes: ['eu: rule_holds', 'picker: picker_asked', 'us: picker_chosen'],
    async walk(person, { portal }) {
      await person.context.setExtraHTTPHeaders({ 'CF-IPCountry': 'DE' });
      await person.page.goto(`${portal}/login`);
      await follow(person.page, 'Cancel');
      await follow(person.page, 'Choose another place to sign in');
      await choose(person.page, 'United States');
      await signIn(person, ADA);
    },
  },
  {
    title: 'a link in an app leads to the portal',
    outcomes: ['us: address_names_environment'],
    async walk(person, { router }) {
      await person.page.goto(`${router}/enter/us/support`);
      await signIn(person, ADA);
    },
  },
  {
    title: 'a link in an app leads to a portal that does not take its people',
    outcomes: ['refused: environment_not_offered'],
    async walk({ page }, { router }) {
      await page.goto(`${router}/enter/eu/docs`);
      await read(page, 'You cannot sign in here');
    },
  },
  {
    title: 'the return address is somebody else’s',
    outcomes: ['refused: redirect_uri_not_listed'],
    async walk({ page }, { router }) {
      await page.goto(`${router}/callback?redirect_uri=${encodeURIComponent('https://portal.example/callback')}`);
      await read(page, 'This link does not work');
    },
  },
  {
    title: 'a planned place is passed over until it opens',
    outcomes: ['picker: picker_asked', 'apac: hint_names_environment'],
    async walk(person, crossroads) {
      await person.page.goto(crossroads.loginUrl('&env=apac'));
      await read(person.page, PICKER);
      crossroads.ahead += UNTIL_APAC;
      await person.page.goto(crossroads.loginUrl('&env=apac'));
      await read(person.page, 'Sign in to apac');
      await signIn(person, ADA);
    },
  },
];

/** A login carries the beginning of what a step saw. */
const carried = (trail: Explanation['trail']) =>
  trail.map(({ by, saw, outcome, reason }) => ({ by, saw: saw.slice(0, 40), outcome, reason }));

const summary = ({ environment, next, reason }: Explanation): string =>
  `${environment ?? (next.do === 'ask' ? next.to : 'refused')}: ${reason}`;

/** As `recordOf` puts it; entrances, and what was refused before anything was decided, are not recorded. */
function decided({ request }: Start, { environment, next, trail, reason }: Explanation): object[] {
  if (request.method() === 'POST' || new URL(request.url()).pathname.startsWith('/enter/') || next.do === 'refuse') {
    return [];
  }
  const where = next.do === 'ask' ? { page: next.to } : { environment };
  return [{ ...where, by: trail.at(-1)?.by, reason }];
}

t.test(
  'explain agrees with what a person in Chromium then experiences',
  { skip: without(counterparts.chromium) },
  async (t) => {
    const [chromium, crossroads] = [await openChromium(t), await openCrossroads(t)];
    const decisions: object[] = [];
    let trails = 0;

    async function compare(t: Test, starts: readonly Start[], outcomes: readonly string[]): Promise<void> {
      const told: string[] = [];
      for (const [index, start] of starts.entries()) {
        const { request, at, file } = start;
        const body = request.postData();
        const headers = await request.allHeaders();
        const explanation = await crossroads.explain({
          url: request.url(),
          headers,
          at,
          file,
          ...(body !== null && { body }),
        });
        const { environment, next, trail, reason } = explanation;
        const { reference, ...felt } = await experienced(starts.slice(index), crossroads.router);
        const outcome = summary(explanation);
        told.push(outcome);
        decisions.push(...decided(start, explanation));
        t.strictSame({ environment, next }, felt, `${outcome}: the browser goes where explain says`);
        const line = reference === undefined ? undefined : crossroads.lineOf(reference);
        if (next.do === 'refuse') t.equal(line?.reason, reason, `${outcome}: the log says why`);
        if (!line?.trail) continue;
        trails += 1;
        t.strictSame(carried(trail), line.trail, `${outcome}: the log has the same steps`);
      }
      t.strictSame(told, outcomes);
    }

    for (const { title, outcomes, walk } of JOURNEYS) {
      await t.test(title, (t) =>
        chromium.visit(t, {}, async (person) => {
          await crossroads.serve();
          const starts = watch(person.context, crossroads);
          await walk(person, crossroads);
          await compare(t, starts, outcomes);
        }),
      );
    }

    t.ok(trails >= JOURNEYS.length, `${trails} trails stood in the log`);
    t.strictSame(await crossroads.recorded(), decisions, 'every decision was recorded as it was explained');
  },
);
