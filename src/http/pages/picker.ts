import type { Environment } from '../../core/environment.ts';
import { type Html, html } from './html.ts';
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
  const body = html`${emailUnknown && note(words.email_unknown)}
${suggested ? suggestion(suggested, links) : !emailUnknown && html`<p>${fill(words.lead, { portal })}</p>`}
${suggested && others.length > 0 && html`<p>${words.suggested_other}</p>`}
${others.length > 0 && list(others, links)}
${links.toEmail !== undefined && html`<p><a href="${links.toEmail}">${words.to_email}</a></p>`}`;
  return layout({ title: words.title, body });
}

function suggestion(suggested: Environment, { choose }: PickerLinks): Html {
  const words = texts.picker;
  const environment = suggested.title;
  return html`<p>${fill(words.suggested_lead, { environment })}</p>
<a class="button" href="${choose(suggested)}">${fill(words.suggested, { environment })}</a>`;
}

const list = (environments: readonly Environment[], { choose }: PickerLinks): Html =>
  html`<nav aria-label="${texts.picker.list}"><ul>
${environments.map((environment) => html`<li><a class="choice" href="${choose(environment)}">${environment.title}</a></li>\n`)}</ul></nav>`;
