/** HelpCenter.io's widget in Chromium, with the snippet of its article, and what pages of other sites can do. */
import t, { type Test } from 'tap';
import { counterparts, without } from '../support/counterparts.ts';
import { fieldsOf } from '../support/exchange.ts';
import { type Chromium, openChromium, type Person } from './chromium.ts';
import { press, read } from './person.ts';
import { openWidgetStage } from './widget-stage.ts';

t.test('HelpCenter.io’s widget in Chromium', { skip: without(counterparts.chromium) }, async (t) => {
  const chromium = await openChromium(t);
  const stage = await openWidgetStage(t);
  const { router, us, eu, foreign } = stage;
  let told = 0;
  /** Since the last time it was asked. */
  const since = () => {
    const traded = stage.traded().slice(told);
    told += traded.length;
    return { verdicts: stage.verdicts.splice(0), traded };
  };
  const MINTED = 'token.minted ok';

  const rides: readonly (readonly [path: string, what: string])[] = [
    ['/by-backend', 'the documented snippet: the app’s backend trades for it'],
    ['/by-page', 'the callback asks the router itself'],
  ];
  for (const [path, what] of rides) {
    await t.test(`a token that expired is replaced without a reload; ${what}`, (t) =>
      chromium.visit(t, {}, async ({ page }) => {
        await page.goto(`${us}/sign-in`);
        await page.goto(us + path);
        await press(page, 'Help');
        await read(page, 'Articles for ada@us.example');
        t.same(since(), { verdicts: ['ok'], traded: [MINTED] });
        await press(page, 'Help');
        await read(page, 'Articles for ada@us.example');
        t.same(since(), { verdicts: ['ok'], traded: [] }, 'one token for several calls');
        stage.ahead += 151;
        await press(page, 'Help');
        await read(page, 'Articles for ada@us.example');
        t.same(since(), { verdicts: ['jwt_expired', 'ok'], traded: [MINTED] }, 'one that expired is replaced');
      }),
    );
  }

  await t.test('each app’s page gets tokens for its own people', (t) =>
    chromium.visit(t, {}, async ({ page }) => {
      await page.goto(`${eu}/sign-in`);
      await page.goto(`${eu}/by-page`);
      await press(page, 'Help');
      await read(page, 'Articles for ada@eu.example');
      t.same(since(), { verdicts: ['ok'], traded: [MINTED] });
    }),
  );

  await t.test('pages of other origins read nothing, and use nothing up', async (t) => {
    const token = stage.handoffToken('us');
    const asked = [`${router}/api/auth/jwt`, fieldsOf(token, 'docs')] as const;
    for (const [what, from] of [
      ['somebody else’s site', `${foreign}/`],
      ['another environment’s app', `${eu}/plain`],
    ] as const) {
      await t.test(what, (t) =>
        visitRefused(chromium, t, async ({ page }) => {
          await page.goto(from);
          t.equal(await page.evaluate(tradeInPage, [...asked, 'cors'] as const), 'TypeError');
          t.same(since().traded, ['token.refused origin_not_allowed']);
          t.equal(await page.evaluate(tradeInPage, [...asked, 'no-cors'] as const), '0 ', 'opaque');
          t.same(since().traded, ['token.refused origin_not_allowed']);
        }),
      );
    }
    await t.test('a form that a foreign page posts leads to a no', (t) =>
      chromium.visit(t, {}, async ({ page }) => {
        await page.goto(`${foreign}/?${new URLSearchParams(fieldsOf(token, 'docs'))}`);
        await press(page, 'Win');
        await page.waitForURL(`${router}/api/auth/jwt`);
        t.notMatch(await page.content(), /eyJ/);
        t.same(since().traded, ['token.refused origin_not_allowed']);
      }),
    );
    await t.test('what is no token at all, a page of any app is told about, and no other page', async (t) => {
      const broken = [`${router}/api/auth/jwt`, fieldsOf('no-token', 'docs'), 'cors'] as const;
      for (const from of [us, eu])
        await chromium.visit(t, {}, async ({ page }) => {
          await page.goto(`${from}/plain`);
          t.match(await page.evaluate(tradeInPage, broken), /^401 .*"error":"invalid_request"/, from);
        });
      await visitRefused(chromium, t, async ({ page }) => {
        await page.goto(`${foreign}/`);
        t.equal(await page.evaluate(tradeInPage, broken), 'TypeError');
      });
      t.same(since().traded, Array(3).fill('token.refused jwt_malformed'));
    });
    await t.test('the token still works for the app’s own page, once; and that page can read why not', (t) =>
      chromium.visit(t, {}, async ({ page }) => {
        await page.goto(`${us}/plain`);
        const ask = () => page.evaluate(tradeInPage, [...asked, 'cors'] as const);
        t.match(await ask(), /^200 .*"jwt":"eyJ/);
        t.match(await ask(), /^401 .*"error":"invalid_request"/);
        t.same(since().traded, [MINTED, 'token.refused jwt_replayed']);
      }),
    );
  });
});

/** Runs in the page: status and text of the answer, or the name of what fetch threw. */
async function tradeInPage([url, fields, mode]: readonly [
  string,
  Record<string, string>,
  'cors' | 'no-cors',
]): Promise<string> {
  try {
    const answer = await fetch(url, { method: 'POST', mode, body: new URLSearchParams(fields) });
    return `${answer.status} ${await answer.text()}`;
  } catch (error) {
    return (error as Error).name;
  }
}

/** A visit in which the browser complains that CORS forbids something, and about nothing else. */
function visitRefused({ visit }: Chromium, t: Test, act: (person: Person) => Promise<void>): Promise<void> {
  const same = (complaints: readonly string[]) => {
    t.match(complaints[0], 'blocked by CORS policy');
    for (const complaint of complaints) t.match(complaint, /blocked by CORS policy|net::ERR_FAILED/);
  };
  return visit({ same } as unknown as Test, {}, act);
}
