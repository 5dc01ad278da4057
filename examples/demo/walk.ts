/** The steps that journeys are made of, and what must be seen at their ends. */
import assert from 'node:assert/strict';
import type { Browser, Page } from './browser.ts';
import { readCode, readForms, readLinks, readTable, readTitle } from './markup.ts';
import type { Demo } from './start.ts';

export async function logInAtPortal(browser: Browser, demo: Demo): Promise<void> {
  await browser.open(demo.portal);
  await browser.click(({ text }) => text === 'Log in', '“Log in”');
}

/** From either of the router's questions to the list, and to that environment. */
export async function chooseFromList(browser: Browser, environment: string): Promise<void> {
  const isChoice = (href: string): boolean =>
    new URL(href, browser.shown().url).searchParams.get('choose') === environment;
  if (!readLinks(browser.shown().body).some(({ href }) => isChoice(href))) {
    await browser.click(({ href }) => href.includes('ask=picker'), 'to the list');
  }
  await browser.click(({ href }) => isChoice(href), `to ${environment}`);
}

/** From either of the router's questions to the email form, and on with this address. */
export async function typeEmail(browser: Browser, email: string): Promise<void> {
  if (!readForms(browser.shown().body).some(({ fields }) => fields.has('email'))) {
    await browser.click(({ href }) => href.includes('ask=email'), 'to the email form');
  }
  await browser.submit(({ fields }) => fields.has('email'), { email }, 'for an email address');
}

/** Presses the first button whose text begins so. */
export function press(browser: Browser, text: string): Promise<Page> {
  const button = readForms(browser.shown().body)
    .flatMap(({ buttons }) => buttons)
    .find((each) => each.text.startsWith(text));
  return browser.submit(
    ({ buttons }) => buttons.some((each) => each.text.startsWith(text)),
    button?.name ? { [button.name]: button.value } : {},
    `with a button “${text}”`,
  );
}

/** On an environment's login page. */
export const signInAs = (browser: Browser, person: string): Promise<Page> => press(browser, person);

/** Signs in to the app itself, without a portal in sight. */
export async function signInToApp(browser: Browser, app: string, person: string): Promise<void> {
  await browser.open(app);
  await browser.click(({ text }) => text === 'Sign in', '“Sign in”');
  await signInAs(browser, person);
}

export function expectAt(browser: Browser, origin: string): void {
  const { url, status, body } = browser.shown();
  assert.equal(url.origin, origin, `ended at ${url.origin}${url.pathname} (“${readTitle(body)}”) instead of ${origin}`);
  assert.equal(status, 200, `${url.origin}${url.pathname} answered ${status} (“${readTitle(body)}”)`);
}

const PROTOCOL_CLAIMS = ['iss', 'aud', 'iat', 'exp', 'jti', 'email'];
const ACCOUNT_CLAIMS = ['account_id', 'account_external_id'];

/** The portal shows a signed-in person with these claims, and with no claim that is not Pylon's. */
export function expectSignedIn(browser: Browser, demo: Demo, expected: Readonly<Record<string, string>>): void {
  expectAt(browser, demo.portal);
  const claims = readTable(browser.shown().body);
  for (const [name, value] of Object.entries(expected)) {
    assert.equal(claims.get(name), value, `the portal was told ${name}=${claims.get(name)}, not ${value}`);
  }
  const odd = [...claims.keys()].filter((name) => ![...PROTOCOL_CLAIMS, ...ACCOUNT_CLAIMS].includes(name));
  assert.deepEqual(odd, [], 'claims that Pylon does not list');
  const missing = PROTOCOL_CLAIMS.filter((name) => !claims.has(name));
  assert.deepEqual(missing, [], 'claims that are not there');
  assert.equal(claims.get('iss'), `${demo.router}/`);
  assert.doesNotMatch(browser.shown().url.search, /access_token|jwt/, 'the token stayed in the address');
}

/** Neither the portal nor an environment knows this browser. */
export async function expectSignedOut(browser: Browser, origin: string): Promise<void> {
  const { body } = await browser.open(origin);
  const links = readLinks(body).map(({ text }) => text);
  assert.ok(
    links.includes('Log in') || links.includes('Sign in'),
    `still signed in at ${origin}: “${readTitle(body)}”`,
  );
}

/** The router's own no: one of these statuses, a reference, no redirect, and no token anywhere on the page. */
export function expectRefusal(browser: Browser, demo: Demo, statuses: readonly number[]): void {
  const { url, status, body } = browser.shown();
  assert.equal(url.origin, demo.router, `ended at ${url.origin}${url.pathname} instead of being refused`);
  assert.ok(statuses.includes(status), `answered ${status} (“${readTitle(body)}”), not ${statuses.join(' or ')}`);
  assert.equal(browser.hops.at(-1)?.location, undefined, 'refused, and sent on all the same');
  assert.ok(readCode(body), 'the refusal has no reference');
  assert.doesNotMatch(body, /access_token|eyJ/, 'a token on the page');
}
