import { fill } from './fill.ts';
import { html } from './html.ts';
import { type Frame, layout, type Page } from './layout.ts';

export type SignedOutView = {
  readonly portal: string;
  /** Whether there was a visit to end. */
  readonly knew: boolean;
  /** Pages of relying parties that end their sessions when they are loaded. */
  readonly frames?: readonly string[];
  readonly apps: readonly { readonly title: string; readonly url: string }[];
};

export function signedOutPage(frame: Frame, { portal, knew, apps, frames = [] }: SignedOutView): Page {
  const { speech } = frame;
  const words = speech.texts.signed_out;
  const links = apps.map(
    ({ title, url }) =>
      html`<li><a class="choice" href="${url}">${fill(words.back, { environment: title }, speech)}</a></li>\n`,
  );
  const hidden = frames.map((url) => html`<iframe src="${url}" title="" hidden></iframe>\n`);
  const body = html`<p>${fill(knew ? words.lead : words.unknown_lead, { portal }, speech)}</p>
${apps.length > 0 && html`<nav aria-label="${words.apps}"><ul>\n${links}</ul></nav>`}
${hidden}`;
  return layout(frame, { title: words.title, body, frames });
}
