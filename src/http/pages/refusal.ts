import { REASONS, type Reason } from '../../core/reason.ts';
import { fill, isolate } from './fill.ts';
import { html } from './html.ts';
import { type Frame, layout, type Page } from './layout.ts';

export type RefusalView = {
  readonly reason: Reason;
  readonly reference: string;
  /** The login URL with the portal's request, where it is known. */
  readonly startAgain?: string;
  /** The same, asking for the picker or the email page. */
  readonly chooseAnother?: string;
  /** Environments where the person may belong instead, likeliest first. */
  readonly next?: readonly { readonly title: string; readonly url: string }[];
  /** The portal, without signing in. */
  readonly asGuest?: string;
  /** Where the portal wants people whose login failed. */
  readonly backTo?: { readonly title: string; readonly url: string };
};

/** A plain no. It says what the reason's `says` says, so that it tells an attacker nothing more. */
export function refusalPage(frame: Frame, view: RefusalView): Page {
  const { reason, reference, startAgain, chooseAnother, asGuest, backTo, next = [] } = view;
  const { texts, dir } = frame.speech;
  const words = texts.refusal;
  const { title, text } = texts.says[REASONS[reason].says];
  const links = next.map((to) => html`<li><a class="choice" href="${to.url}">${isolate(to.title, dir)}</a></li>\n`);
  const body = html`<p>${text}</p>
${
  next.length > 0 &&
  html`<p id="next">${words.next}</p>
<nav aria-labelledby="next"><ul>
${links}</ul></nav>`
}
${startAgain !== undefined ? html`<a class="button" href="${startAgain}">${words.start_again}</a>` : html`<p>${words.go_back}</p>`}
${chooseAnother !== undefined && html`<p><a href="${chooseAnother}">${words.choose_another}</a></p>`}
${asGuest !== undefined && html`<p><a href="${asGuest}">${texts.as_guest}</a></p>`}
${backTo && html`<p><a href="${backTo.url}">${fill(texts.signed_out.back, { environment: backTo.title }, frame.speech)}</a></p>`}
<p class="reference">${words.reference} <code>${reference}</code><br>${words.reference_hint}</p>`;
  return layout(frame, { title, body });
}
