import { fill } from './fill.ts';
import { frameElements } from './frames.ts';
import { html } from './html.ts';
import { type Frame, layout, type Page } from './layout.ts';

export type SignedOutView = {
  readonly portal: string;
  /** Whether there was a visit to end. */
  readonly knew: boolean;
  /** Titles of environments whose sessions may live on: nobody could tell them. */
  readonly untold?: readonly string[];
  /** Pages of relying parties that end their sessions when they are loaded. */
  readonly frames?: readonly string[];
  readonly apps: readonly { readonly title: string; readonly url: string }[];
};

export function signedOutPage(frame: Frame, { portal, knew, untold = [], apps, frames = [] }: SignedOutView): Page {
  const { speech } = frame;
  const words = speech.texts.signed_out;
  const links = apps.map(
    ({ title, url }) =>
      html`<li><a class="choice" href="${url}">${fill(words.back, { environment: title }, speech)}</a></li>\n`,
  );
  const warnings = untold.map((environment) => html`<p>${fill(words.untold, { environment }, speech)}</p>\n`);
  const body = html`<p>${fill(knew ? words.lead : words.unknown_lead, { portal }, speech)}</p>
${warnings}
${apps.length > 0 && html`<nav aria-label="${words.apps}"><ul>\n${links}</ul></nav>`}
${frameElements(frames)}`;
  return layout(frame, { title: words.title, body, frames });
}
