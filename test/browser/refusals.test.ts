import t from 'tap';
import { counterparts, without } from '../support/counterparts.ts';
import { openChromium } from './chromium.ts';
import { inspect } from './looks.ts';
import { REFUSALS } from './pages.ts';
import { choose, follow, read, signInAs } from './person.ts';
import { openStage } from './stage.ts';

const START_AGAIN = 'Start again';
const CHOOSE_ANOTHER = 'Choose another place to sign in';

const skip = without(counterparts.chromium);

t.test('every refusal says so plainly, under a reference that the log knows, and leads on', { skip }, async (t) => {
  const [chromium, stage] = [await openChromium(t), await openStage(t)];
  for (const {
    name,
    heading,
    status,
    reason,
    routes = {},
    reach,
    mend,
    next = [],
    startAgain,
    chooseAnother,
  } of REFUSALS) {
    await t.test(`${name}: ${reason}`, (t) =>
      chromium.visit(t, {}, async (person) => {
        const { page, context } = person;
        const statuses: number[] = [];
        page.on('response', (response) => statuses.push(response.status()));
        await stage.serve(routes);
        try {
          await reach(person, stage);
          await read(page, heading);
        } finally {
          mend?.(stage);
        }
        t.equal(statuses.at(-1), status);
        t.equal(stage.reasonOf((await page.locator('code').textContent()) ?? ''), reason);
        await inspect(t, page, name);

        const ways = await page.getByRole('main').getByRole('link').allTextContents();
        t.same(ways, [...next, ...(startAgain ? [START_AGAIN] : []), ...(chooseAnother ? [CHOOSE_ANOTHER] : [])]);
        if (startAgain) {
          const opening = context.waitForEvent('page');
          await page.getByRole('link', { name: START_AGAIN }).click({ modifiers: ['ControlOrMeta'] });
          await read(await opening, startAgain);
        }
        if (chooseAnother) {
          await follow(page, CHOOSE_ANOTHER);
          await choose(page, 'Europe');
          await signInAs(page, 'Jonas Weber');
          await read(page, chooseAnother);
        }
      }),
    );
  }
});
