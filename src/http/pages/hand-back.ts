import { fill } from './fill.ts';
import { html } from './html.ts';
import { type Frame, layout, type Page } from './layout.ts';
import { SUBMITS } from './script.ts';

export type HandBackView = {
  /** Where the form leads, as the person reads it. */
  readonly place: string;
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
};

/** Posts a form to another party: a portal token to the portal's callback, or a request to an environment. */
export function handBackPage(frame: Frame, { place, action, fields }: HandBackView): Page {
  const { speech } = frame;
  const words = speech.texts.hand_back;
  const inputs = Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`,
  );
  const body = html`<p>${fill(words.lead, { portal: place }, speech)}</p>
<form method="post" action="${action}">
${inputs}<button class="button" type="submit">${words.submit}</button>
</form>`;
  return layout(frame, { title: words.title, body, formAction: new URL(action).origin, script: SUBMITS });
}
