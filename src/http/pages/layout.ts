import { type Html, html } from './html.ts';
import type { Look } from './look.ts';
import type { Script } from './script.ts';
import { type Speech, speechFor } from './speech.ts';

/** What a page is made in: a language, and the operator's look. */
export type Frame = { readonly speech: Speech; readonly look: Look };

/** The frame for somebody who prefers these languages (`Accept-Language`). */
export const frameFor = ({ look }: Pick<Frame, 'look'>, acceptLanguage: string | undefined): Frame => ({
  speech: speechFor(acceptLanguage),
  look,
});

export type Page = {
  readonly html: string;
  /** Content-Security-Policy of this page. */
  readonly policy: string;
};

export type PageParts = {
  readonly title: string;
  readonly body: Html;
  /** Where the page's form may lead, redirects included (CSP `form-action`); without it, nowhere. */
  readonly formAction?: string;
  readonly script?: Script;
  /** Where the page leads by itself, and at once, in a browser without scripts. */
  readonly leadsTo?: string;
  /** Most people are gone before they could read it: it shows after a moment only. */
  readonly passing?: boolean;
  /** What the body loads in frames. */
  readonly frames?: readonly string[];
  /** Whether the body may hold pictures (data: URIs), now or after a search. */
  readonly pictured?: boolean;
};

export function layout({ speech, look }: Frame, parts: PageParts): Page {
  const { title, body, script, leadsTo, passing = false } = parts;
  const page = html`<!doctype html>
<html lang="${speech.lang}" dir="${speech.dir}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
${look.style}
${leadsTo !== undefined && html`<noscript><meta http-equiv="refresh" content="0; url=${leadsTo}"></noscript>`}
</head>
<body>
<main${passing && html` class="passing"`}>
${look.brand}
<h1>${title}</h1>
${body}
</main>
${script?.element}
</body>
</html>
`;
  return { html: page.html, policy: policyOf(look, parts) };
}

const policyOf = (look: Look, { formAction = "'none'", script, pictured, frames = [] }: PageParts): string =>
  [
    "default-src 'none'",
    `style-src ${look.styleSource}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
    `form-action ${formAction}`,
    ...(frames.length > 0 ? [`frame-src ${[...new Set(frames.map((url) => new URL(url).origin))].join(' ')}`] : []),
    ...(script ? [`script-src ${script.source}`] : []),
    ...(script?.connects ? ["connect-src 'self'"] : []),
    ...(pictured || look.pictured ? ['img-src data:'] : []),
  ].join('; ');

/** A sentence that must not be missed; one a page at the most. */
export const note = (text: string): Html => html`<p class="note" role="status" id="note">${text}</p>`;
