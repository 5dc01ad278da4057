import { fill } from './fill.ts';
import { frameElements } from './frames.ts';
import { html } from './html.ts';
import { type Frame, layout, type Page } from './layout.ts';
import { SUBMITS, SUBMITS_LATER } from './script.ts';

export type HandBackView = {
  /** Where the form leads, as the person reads it. */
  readonly place: string;
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Whether this is on the way out. */
  readonly signsOut?: boolean;
  /** Pages of relying parties that end their sessions when they are loaded; the form waits for them. */
  readonly frames?: readonly string[];
};

/**
 * Posts a form to another party: a portal token to the portal's callback, or a request to an environment. Browsers hold
 * a form to its page's policy through every redirect that follows (CSP Level 3 §6.4.1), and what that party leads on to
 * only it knows: its own login page, the app, or back here.
 */
export function handBackPage(frame: Frame, view: HandBackView): Page {
  const { place, action, fields, signsOut = false, frames = [] } = view;
  const { speech } = frame;
  const words = speech.texts.hand_back;
  const inputs = Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`,
  );
  const body = html`<p>${fill(words.lead, { portal: place }, speech)}</p>
<form method="post" action="${action}">
${inputs}<button class="button" type="submit">${words.submit}</button>
</form>${frameElements(frames)}`;
  const title = signsOut ? words.title_out : words.title;
  const script = frames.length > 0 ? SUBMITS_LATER : SUBMITS;
  return layout(frame, { title, body, formAction: `'self' ${new URL(action).protocol}`, script, frames });
}
