import type { Departure } from '../../protocols/delegate.ts';
import { fill } from './fill.ts';
import { type Html, html } from './html.ts';
import { type Frame, layout, type Page } from './layout.ts';
import { LEAVES } from './script.ts';

export type LeavingView = {
  /** The environment's title. */
  readonly environment: string;
  readonly departure: Departure;
  /** Where the person goes on without it: a path of our own. */
  readonly without: string;
};

/**
 * Leaves for an environment that is to end its session, and goes on without it where it does not answer: by itself, or
 * by a link in browsers without scripts. Where the environment answers at once, nobody sees more of it than its colour.
 */
export function leavingPage(frame: Frame, { environment, departure, without }: LeavingView): Page {
  const { speech } = frame;
  const { leaving: words, hand_back: handBack } = speech.texts;
  const to = 'url' in departure ? departure.url : undefined;
  const body = html`<p>${fill(words.lead, { environment }, speech)}</p>
${'action' in departure && formOf(departure, handBack.submit)}
<p class="late"><a id="without" href="${without}"${to !== undefined && html` data-to="${to}"`}>${fill(words.without, { environment }, speech)}</a></p>`;
  return layout(frame, {
    title: handBack.title_out,
    body,
    script: LEAVES,
    passing: true,
    ...(to !== undefined && { leadsTo: to }),
    ...('action' in departure && { formAction: `'self' ${new URL(departure.action).protocol}` }),
  });
}

/** The button is for browsers without scripts; the others post at once. */
function formOf({ action, fields }: Extract<Departure, { action: string }>, submit: string): Html {
  const inputs = Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`,
  );
  return html`<form method="post" action="${action}">
${inputs}<noscript><button class="button" type="submit">${submit}</button></noscript>
</form>`;
}
