import { html } from './html.ts';
import { layout, type Page } from './layout.ts';
import { fill, texts } from './texts.ts';

export type SignedOutView = {
  readonly portal: string;
  /** Whether there was a visit to end. */
  readonly knew: boolean;
  readonly apps: readonly { readonly title: string; readonly url: string }[];
};

export function signedOutPage({ portal, knew, apps }: SignedOutView): Page {
  const words = texts.signed_out;
  const links = apps.map(
    ({ title, url }) =>
      html`<li><a class="choice" href="${url}">${fill(words.back, { environment: title })}</a></li>\n`,
  );
  const body = html`<p>${fill(knew ? words.lead : words.unknown_lead, { portal })}</p>
${apps.length > 0 && html`<nav aria-label="${words.apps}"><ul>\n${links}</ul></nav>`}`;
  return layout({ title: words.title, body });
}
