import { fill } from './fill.ts';
import { html } from './html.ts';
import { type Frame, layout, note, type Page } from './layout.ts';

export type EmailView = {
  readonly portal: string;
  /** What was typed just now, where it did not lead anywhere. */
  readonly typed?: string;
  /** What was typed earlier. */
  readonly known?: string;
  /** The login URL as it was called: the form posts to it, so that the portal's request travels along. */
  readonly action: string;
  /** Absent where discovery has no picker step. */
  readonly toPicker?: string;
  readonly formAction: string;
};

/** Somebody who is asked once more hears why as soon as the page is there. */
const AGAIN = html` aria-invalid="true" aria-describedby="note" autofocus`;

export function emailPage(frame: Frame, { portal, typed, known, action, toPicker, formAction }: EmailView): Page {
  const { speech } = frame;
  const words = speech.texts.email;
  const again = typed !== undefined;
  const body = html`${again ? note(words.unknown) : html`<p>${fill(words.lead, { portal }, speech)}</p>`}
<form method="post" action="${action}">
<label for="email">${words.label}</label>
<input id="email" name="email" type="email" dir="ltr" autocomplete="email" required maxlength="254" value="${typed ?? known ?? ''}"${again && AGAIN}>
<button class="button" type="submit">${words.submit}</button>
</form>
${toPicker !== undefined && html`<p><a href="${toPicker}">${words.to_picker}</a></p>`}`;
  return layout(frame, { title: words.title, body, formAction });
}
