/** What people do, by what they read on the pages: roles and names, never selectors. */
import type { Page } from 'playwright-core';

/** Titles of routes.yaml. */
export type Place = 'United States' | 'Europe';

export const read = (page: Page, heading: string | RegExp): Promise<void> =>
  page.getByRole('heading', { name: heading }).first().waitFor();

export const follow = (page: Page, name: string): Promise<void> =>
  page.getByRole('link', { name, exact: true }).click();

export const press = (page: Page, name: string | RegExp): Promise<void> => page.getByRole('button', { name }).click();

export async function logInAtPortal(page: Page, portal: string): Promise<void> {
  await page.goto(portal);
  await follow(page, 'Log in');
}

export async function choose(page: Page, place: Place): Promise<void> {
  await read(page, 'Where do you sign in?');
  await follow(page, place);
}

/** From the list to the email page, and on. */
export async function typeEmail(page: Page, email: string): Promise<void> {
  await follow(page, 'Find it by my email address');
  await page.getByLabel('Email address').fill(email);
  await press(page, 'Continue');
}

export const signInAs = (page: Page, name: string): Promise<void> => press(page, new RegExp(`^${name}`));

/** Waits until the portal says so; it does only after checking its token. */
export const signedIn = (page: Page, email: string): Promise<void> => read(page, `Signed in as ${email}`);

/** At an app's own front door, without the router. */
export async function signInToApp(page: Page, app: string, name: string): Promise<void> {
  await page.goto(`${app}/login`);
  await signInAs(page, name);
  await read(page, `Hello, ${name}`);
}

/** At the portal; ends where the router leads. */
export async function signOut(page: Page, app: string): Promise<void> {
  await press(page, 'Sign out');
  await page.waitForURL(`${app}/`);
  await read(page, 'You are signed out');
}

/** At the app itself, so that the router's visit stays. */
export async function signOutOfApp(page: Page, app: string): Promise<void> {
  await page.goto(app);
  await press(page, 'Sign out of this app');
  await read(page, 'You are signed out');
}

/** Signs in to the portal through Europe, and a second later through the United States. */
export async function visitUsAndEu(page: Page, stage: { readonly router: string; ahead: number }): Promise<void> {
  const { router } = stage;
  stage.ahead += 1;
  await page.goto(`${router}/enter/eu/support`);
  await signInAs(page, 'Léa Moreau');
  await signedIn(page, 'lea@boulangerie.example');
  stage.ahead += 1;
  await page.goto(`${router}/enter/us/support`);
  await signInAs(page, 'Ada Fields');
  await signedIn(page, 'ada@initech.example');
}
