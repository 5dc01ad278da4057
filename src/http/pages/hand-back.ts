import { html } from './html.ts';
import { layout, type Page } from './layout.ts';
import { fill, texts } from './texts.ts';

export type HandBackView = {
  readonly portal: string;
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
};

/** Posts the portal token to the portal's callback (`form_post`). */
export function handBackPage({ portal, action, fields }: HandBackView): Page {
  const words = texts.hand_back;
  const inputs = Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`,
  );
  const body = html`<p>${fill(words.lead, { portal })}</p>
<form method="post" action="${action}">
${inputs}<button class="button" type="submit">${words.submit}</button>
</form>`;
  return layout({ title: words.title, body, formAction: new URL(action).origin, submitsItself: true });
}
