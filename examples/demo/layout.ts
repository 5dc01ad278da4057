/** The one look of all demo pages. Each party has a name and a colour, so that it is plain whose page one is on. */
import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';
import type { Reply } from './server.ts';

/** `accent` is the colour of the top band and the buttons; white text must be readable on it (WCAG 2.2 §1.4.3). */
export type Look = { readonly party: string; readonly role: string; readonly accent: string };

const STYLE = `
:root { color-scheme: light dark; --ground: #fbfaf8; --ink: #22262b; --soft: #575f68; --line: #d9d5ce; --card: #ffffff; --link: #1a4f8b }
@media (prefers-color-scheme: dark) {
  :root { --ground: #16181b; --ink: #e6e4e0; --soft: #a9afb6; --line: #3a3f45; --card: #1f2226; --link: #9cc7ff }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1.0625rem/1.6 system-ui, sans-serif; overflow-wrap: break-word }
header { background: var(--accent); color: #fff; padding: .75rem 0 }
header p { max-width: 44rem; margin: 0 auto; padding: 0 1.25rem; display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between }
main { max-width: 44rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem }
h1 { font-size: 1.75rem; line-height: 1.25; margin: .5rem 0 1rem }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem }
a { color: var(--link); text-underline-offset: .15em }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
.button, button { display: inline-block; margin: .25rem .5rem .25rem 0; padding: .55rem 1.1rem; border: 1px solid transparent; border-radius: .4rem;
  background: var(--accent); color: #fff; font: inherit; font-weight: 600; text-decoration: none; cursor: pointer }
button.person { display: block; width: 100%; margin: 0 0 .6rem; text-align: left; background: var(--card); color: var(--ink); border-color: var(--line) }
button.person small { display: block; color: var(--soft); font-weight: 400 }
button.person:hover { border-color: var(--link) }
table { width: 100%; border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; font-weight: 400 }
td { overflow-wrap: anywhere }
th { color: var(--soft) }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere }
.steps { padding-left: 1.5rem }
.steps > li { margin-bottom: 1.25rem }
.steps > li::marker { color: var(--soft) }
.soft { color: var(--soft) }
.note { padding: .75rem 1rem; border: 1px solid var(--line); border-left: 4px solid var(--accent); border-radius: .3rem; background: var(--card) }
`;

const accentRule = (look: Look): string => `:root { --accent: ${look.accent} }`;
const sha256 = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

export type PageOptions = {
  readonly status?: number;
  /** Inline; it may call its own origin, WebSockets included. */
  readonly script?: string;
  readonly snippet?: Snippet;
};

/** Markup that somebody else's documentation says to paste. `outside`: origins that it loads scripts from and calls. */
export type Snippet = { readonly text: string; readonly outside: readonly string[] };

/**
 * A whole page. Its policy allows this style, this script and nothing else: no frame, no outside resource.
 * There is no `form-action`: browsers apply it to the redirects after a form too, and a sign-out visits every party.
 */
export function page(look: Look, title: string, body: Html, options: PageOptions = {}): Reply {
  const { status = 200, script, snippet } = options;
  const style = `${accentRule(look)}${STYLE}`;
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · ${look.party}</title>
<style>${new Html(style)}</style>
</head>
<body>
<header><p><strong>${look.party}</strong> <span>${look.role}</span></p></header>
<main>
<h1>${title}</h1>
${body}
</main>
${script === undefined ? undefined : new Html(`<script>${script}</script>`)}
${snippet === undefined ? undefined : new Html(snippet.text)}
</body>
</html>
`;
  const policy = [
    "default-src 'none'",
    `style-src ${sha256(style)}`,
    ...scriptPolicy(script, snippet),
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy.join('; ') },
    body: document.text,
  };
}

function scriptPolicy(script: string | undefined, { text, outside }: Snippet = { text: '', outside: [] }): string[] {
  const pasted = [...text.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, inline = '']) => inline);
  const inline = [...(script === undefined ? [] : [script]), ...pasted];
  if (inline.length === 0) return [];
  return [
    `script-src ${[...inline.map(sha256), ...outside].join(' ')}`,
    `connect-src ${["'self'", ...outside].join(' ')}`,
  ];
}
