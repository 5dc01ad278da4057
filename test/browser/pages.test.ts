import t from 'tap';
import { counterparts, without } from '../support/counterparts.ts';
import { openChromium } from './chromium.ts';
import { inspect } from './looks.ts';
import { PAGES } from './pages.ts';
import { read } from './person.ts';
import { openStage } from './stage.ts';

t.test(
  'every page is readable in any colours and at any width',
  { skip: without(counterparts.chromium) },
  async (t) => {
    const [chromium, stage] = [await openChromium(t), await openStage(t)];
    for (const { name, heading, routes = {}, reach } of PAGES) {
      await t.test(name, (t) =>
        chromium.visit(t, {}, async (person) => {
          await stage.serve(routes);
          await reach(person, stage);
          await read(person.page, heading);
          await inspect(t, person.page, name);
        }),
      );
    }
  },
);
