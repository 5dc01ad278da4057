import { fill } from './fill.ts';
import { html } from './html.ts';
import { type Frame, layout, type Page } from './layout.ts';
import { SUBMITS } from './script.ts';

export type HandBackView = {
  readonly portal: string;
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
};

/** Posts the portal token to the portal's callback (`form_post`). */
export function handBackPage(frame: Frame, { portal, action, fields }: HandBackView): Page {
  const { speech } = frame;
  const words = speech.texts.hand_back;
  const inputs = Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`,
  );
  const body = html`<p>${fill(words.lead, { portal }, speech)}</p>
<form method="post" action="${action}">
${inputs}<button class="button" type="submit">${words.submit}</button>
</form>`;
  return layout(frame, { title: words.title, body, formAction: new URL(action).origin, script: SUBMITS });
}
