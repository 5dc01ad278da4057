import type { Environment } from '../../core/environment.ts';
import { fill, isolate } from './fill.ts';
import { type Html, html } from './html.ts';
import { type Frame, layout, note, type Page } from './layout.ts';
import { SEARCHES } from './script.ts';

/** Where the person's answer goes: links, so that it works without JavaScript and without a form. */
export type PickerLinks = {
  readonly choose: (environment: Environment) => string;
  /** Absent where discovery has no email step. */
  readonly toEmail?: string;
  /** Absent where the portal takes nobody without a name. */
  readonly asGuest?: string;
};

export type PickerView = {
  readonly portal: string;
  /** Those that are shown, the suggested one not among them. */
  readonly listed: readonly Environment[];
  /** How many more there are. */
  readonly more: number;
  readonly suggested?: Environment;
  readonly emailUnknown?: boolean;
  /** Present where there are too many to read through. */
  readonly search?: SearchView;
  /** The picture beside a title, as a data: URI. */
  readonly iconOf: (environment: Environment) => string | undefined;
  /** Whether any environment has a picture, those included that a search may show. */
  readonly pictured: boolean;
};

export type SearchView = {
  /** The login path; the form comes back to it. */
  readonly action: string;
  /** What else stands in the query, the portal's own request above all. */
  readonly kept: Iterable<readonly [name: string, value: string]>;
  /** What was typed, and how many it found. */
  readonly typed?: string;
  readonly found?: number;
};

export function pickerPage(frame: Frame, view: PickerView, links: PickerLinks): Page {
  const { portal, listed, suggested, emailUnknown, search, pictured } = view;
  const { speech } = frame;
  const words = speech.texts.picker;
  const body = html`${emailUnknown && note(words.email_unknown)}
${suggested ? suggestion(frame, suggested, links) : !emailUnknown && html`<p>${fill(words.lead, { portal }, speech)}</p>`}
${suggested && listed.length > 0 && html`<p>${words.suggested_other}</p>`}
${search ? html`${searchForm(frame, search)}\n<div id="found">${results(frame, view, links)}</div>` : results(frame, view, links)}
${links.toEmail !== undefined && html`<p><a href="${links.toEmail}">${words.to_email}</a></p>`}
${links.asGuest !== undefined && html`<p><a href="${links.asGuest}">${speech.texts.as_guest}</a></p>`}`;
  return layout(frame, {
    title: words.title,
    body,
    pictured,
    ...(search && { formAction: "'self'", script: SEARCHES }),
  });
}

function suggestion({ speech }: Frame, suggested: Environment, { choose }: PickerLinks): Html {
  const words = speech.texts.picker;
  const environment = suggested.title;
  return html`<p>${fill(words.suggested_lead, { environment }, speech)}</p>
<a class="button" href="${choose(suggested)}">${fill(words.suggested, { environment }, speech)}</a>`;
}

/** What is said of a search stands in a place that stays, so that it is read out when it changes (WCAG 2.2 §4.1.3). */
function searchForm({ speech }: Frame, { action, kept, typed, found }: SearchView): Html {
  const words = speech.texts.picker;
  const inputs = [...kept].map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`);
  const count = found === undefined ? '' : fill(words.found, { count: speech.number(found) }, speech);
  return html`<form id="search" role="search" method="get" action="${action}">
${inputs}<label for="find">${words.find}</label>
<div class="find"><input id="find" name="find" type="search" dir="auto" autocomplete="off" maxlength="100" value="${typed ?? ''}">
<button class="button" type="submit">${words.find_submit}</button></div>
<p class="count" role="status" id="count">${count}</p>
</form>`;
}

function results(frame: Frame, { listed, more, search, iconOf }: PickerView, links: PickerLinks): Html {
  const { speech } = frame;
  const words = speech.texts.picker;
  if (listed.length === 0) {
    return html`${search?.typed && html`<p>${fill(words.none, { find: search.typed }, speech)}</p>`}`;
  }
  const groups = Map.groupBy(listed, ({ group }) => group ?? '');
  const alone = groups.get('') ?? [];
  groups.delete('');
  const list = (
    environments: readonly Environment[],
    heading?: string,
  ) => html`<ul${heading && html` aria-labelledby="${heading}"`}>
${environments.map((environment) => html`<li>${choice(frame, environment, iconOf(environment), links)}</li>\n`)}</ul>`;
  const sections = [...groups].map(
    ([group, environments], index) =>
      html`<h2 id="group-${index}">${isolate(group, speech.dir)}</h2>\n${list(environments, `group-${index}`)}\n`,
  );
  return html`<nav aria-label="${words.list}">${alone.length > 0 && list(alone)}
${sections}</nav>
${more > 0 && html`<p>${fill(words.more, { count: speech.number(more) }, speech)}</p>`}`;
}

function choice({ speech }: Frame, environment: Environment, icon: string | undefined, { choose }: PickerLinks): Html {
  const title = isolate(environment.title, speech.dir);
  const shown = icon === undefined ? html`${title}` : html`<img alt="" src="${icon}"><span>${title}</span>`;
  return html`<a class="choice" href="${choose(environment)}">${shown}</a>`;
}
