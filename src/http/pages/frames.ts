import { type Html, html } from './html.ts';

/** How long the pages of relying parties may take. Seconds. */
export const FRAMES_SECONDS = 2;

/** Pages of others that nobody looks at; they do their work when they are loaded. The page's policy has to name them. */
export const frameElements = (urls: readonly string[]): Html[] =>
  urls.map((url) => html`<iframe src="${url}" title="" hidden></iframe>\n`);
