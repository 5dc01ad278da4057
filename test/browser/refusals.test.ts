import t from 'tap';
import { counterparts, without } from '../support/counterparts.ts';
import { openChromium } from './chromium.ts';
import { inspect } from './looks.ts';
import { REFUSALS } from './pages.ts';
import { choose, follow, read, signedIn, signInAs } from './person.ts';
import { openStage } from './stage.ts';

const skip = without(counterparts.chromium);

t.test('every refusal says so plainly, under a reference that the log knows, and leads on', { skip }, async (t) => {
  const [chromium, stage] = [await openChromium(t), await openStage(t)];
  for (const { name, heading, routes = {}, reach, status, reason, leadsOn, mend } of REFUSALS) {
    await t.test(name, (t) =>
      chromium.visit(t, {}, async (person) => {
        const { page } = person;
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
        t.same(ways, leadsOn ? ['Start again', 'Choose another place to sign in'] : []);
        if (!leadsOn) return;
        await follow(page, 'Choose another place to sign in');
        await choose(page, 'Europe');
        await signInAs(page, 'Jonas Weber');
        await signedIn(page, 'jonas@werk.example');
      }),
    );
  }
});
