import { createHash } from 'node:crypto';
import { type Html, html } from './html.ts';

const STYLE = `
:root{color-scheme:light dark;--ground:#f5f6f8;--card:#fff;--ink:#1b2430;--soft:#556070;--line:#d5dae2;--edge:#7d8896;--accent:#1f5fbf;--on-accent:#fff}
@media (prefers-color-scheme:dark){:root{--ground:#12161c;--card:#1b2129;--ink:#e8ecf2;--soft:#a9b4c2;--line:#38424f;--edge:#717d8c;--accent:#8ab8ff;--on-accent:#0c1a30}}
*{box-sizing:border-box;margin:0}
body{min-height:100vh;min-height:100dvh;display:grid;place-items:center;padding:1.5rem;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{width:100%;max-width:27rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:2rem}
main>*+*{margin-top:1.25rem}
h1{font-size:1.4rem;line-height:1.25;text-wrap:balance}
h1+p{margin-top:.5rem}
main>p+nav{margin-top:.75rem}
p{color:var(--soft)}
a{color:var(--accent);text-underline-offset:.15em}
ul{list-style:none;padding:0;display:grid;gap:.5rem}
.choice,.button{display:flex;align-items:center;justify-content:space-between;gap:1rem;width:100%;padding:.75rem 1rem;border:1px solid var(--edge);border-radius:.5rem;font:inherit;font-weight:600;color:var(--ink);background:transparent;text-decoration:none;cursor:pointer}
.choice::after{content:"›" / "";color:var(--soft)}
.choice:hover{border-color:var(--accent);background:var(--ground)}
.button{justify-content:center;text-align:center;border-color:var(--accent);background:var(--accent);color:var(--on-accent)}
.button:hover{background:color-mix(in srgb,var(--accent) 88%,var(--ink))}
label{display:block;margin-bottom:.35rem;font-weight:600}
input{width:100%;padding:.7rem .8rem;margin-bottom:1rem;font:inherit;color:inherit;background:var(--card);border:1px solid var(--edge);border-radius:.5rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
h1+.note{margin-top:1rem}
.note{padding:.6rem .8rem;border-inline-start:.25rem solid var(--accent);color:var(--ink)}
.reference{padding-top:1rem;border-top:1px solid var(--line);font-size:.875rem}
code{font:600 1.1em ui-monospace,monospace;color:var(--ink);user-select:all}
@media (max-width:30rem){body{padding:0;place-items:start stretch;background:var(--card)}main{border:0;border-radius:0;max-width:none;padding:1.5rem}}
`;

/** Posts the one form of a page as soon as it is read; a button does the same without JavaScript. */
const SUBMIT_SCRIPT = 'document.forms[0].submit()';

const sourceHash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const POLICY = `default-src 'none'; style-src ${sourceHash(STYLE)}; base-uri 'none'; frame-ancestors 'none'`;
const SCRIPT_SOURCE = `; script-src ${sourceHash(SUBMIT_SCRIPT)}`;

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
  readonly submitsItself?: boolean;
};

const HEAD_STYLE: Html = { html: `<style>${STYLE}</style>` };
const SUBMIT: Html = { html: `<script>${SUBMIT_SCRIPT}</script>` };

export function layout({ title, body, formAction = "'none'", submitsItself = false }: PageParts): Page {
  const page = html`<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
${HEAD_STYLE}
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
${submitsItself && SUBMIT}
</body>
</html>
`;
  return { html: page.html, policy: `${POLICY}; form-action ${formAction}${submitsItself ? SCRIPT_SOURCE : ''}` };
}

/** A sentence that must not be missed; one a page at the most. */
export const note = (text: string): Html => html`<p class="note" role="status" id="note">${text}</p>`;
