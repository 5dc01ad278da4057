import type { Environment } from '../../core/environment.ts';
import { html } from './html.ts';
import { layout, note, type Page } from './layout.ts';
import { fill, texts } from './texts.ts';

/** Where the person's answer goes: links, so that it works without JavaScript and without a form. */
export type PickerLinks = {
  readonly choose: (environment: Environment) => string;
  /** Absent where discovery has no email step. */
  readonly toEmail?: string;
};

export type PickerView = {
  readonly portal: string;
  readonly offered: readonly Environment[];
  readonly suggested?: Environment;
  readonly emailUnknown?: boolean;
};

export function pickerPage({ portal, offered, suggested, emailUnknown }: PickerView, links: PickerLinks): Page {
  const words = texts.picker;
  const others = offered.filter((environment) => environment !== suggested);
  const environment = suggested?.title ?? '';
  const body = html`${emailUnknown && note(words.email_unknown)}
${
  suggested
    ? html`<p>${fill(words.suggested_lead, { environment })}</p>
<a class="button" href="${links.choose(suggested)}">${fill(words.suggested, { environment })}</a>
${others.length > 0 && html`<p>${words.suggested_other}</p>`}`
    : !emailUnknown && html`<p>${fill(words.lead, { portal })}</p>`
}
${others.length > 0 && html`<nav aria-label="${words.list}"><ul>\n${others.map((other) => html`<li><a class="choice" href="${links.choose(other)}">${other.title}</a></li>\n`)}</ul></nav>`}
${links.toEmail !== undefined && html`<p><a href="${links.toEmail}">${words.to_email}</a></p>`}`;
  return layout({ title: words.title, body });
}
