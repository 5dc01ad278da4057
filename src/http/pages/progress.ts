import { fill } from './fill.ts';
import { frameElements } from './frames.ts';
import { html } from './html.ts';
import { type Frame, layout, type Page } from './layout.ts';

/**
 * How far one environment has come to know of a sign-out, from what is sure to what is not: it knows; its page was
 * shown, but it did not say that its session ended; the browser waited for it in vain; it will ask; it is told now; it did not answer, and will be told
 * again; nobody can say; it was not told, and never will be.
 */
export const LEG_STATES = [
  'told',
  'not_confirmed',
  'no_answer',
  'fetched',
  'under_way',
  'retried',
  'unknown',
  'not_told',
] as const;
export type LegState = (typeof LEG_STATES)[number];

export type ProgressView = {
  readonly portal: string;
  /** By title. */
  readonly legs: readonly { readonly environment: string; readonly state: LegState }[];
  /** Whether more may be known soon. */
  readonly open: boolean;
  /** Where the person goes from here. */
  readonly onward?: { readonly place: string; readonly url: string };
  readonly frames?: readonly string[];
};

/** How far a sign-out has come. It needs no script: the answer around it says when it is looked at again. */
export function progressPage(frame: Frame, { portal, legs, open, onward, frames = [] }: ProgressView): Page {
  const { speech } = frame;
  const { progress: words, signed_out: signedOut, hand_back: handBack } = speech.texts;
  const items = legs.map(({ environment, state }) => {
    const text = state === 'not_told' ? signedOut.untold : words[state];
    return html`<li>${fill(text, { environment }, speech)}</li>\n`;
  });
  const link = onward && html`<p><a class="button" href="${onward.url}">${fill(words.onward, onward, speech)}</a></p>`;
  const body = html`<p>${fill(signedOut.lead, { portal }, speech)}</p>
<ul class="legs" aria-label="${words.legs}">
${items}</ul>
${link}
${frameElements(frames)}`;
  return layout(frame, { title: open ? handBack.title_out : signedOut.title, body, frames });
}
