import { html } from './html.ts';
import { type Look, page } from './layout.ts';
import type { Person } from './people.ts';
import type { Reply } from './server.ts';

/** A login that the router started here and waits for. */
export type Pending = { readonly redirectUri: string; readonly nonce: string; readonly loginHint?: string };

/** Addresses of the other parties that the app links to. */
export type AppLinks = {
  /** Platform-initiated login, ending at the portal's front page. */
  readonly helpCenter: string;
  /** The same, ending at one article. */
  readonly article: string;
  /** The portal's own “Log in”: the portal starts, and the router sees which app the link stood in. */
  readonly portalLogin: string;
};

export function homePage(look: Look, person: Person | undefined, links: AppLinks): Reply {
  if (!person) {
    return page(look, 'You are signed out', html`<p><a class="button" href="/login">Sign in</a></p>`);
  }
  return page(
    look,
    `Hello, ${person.name}`,
    html`<p>This is the application itself. You are signed in to it as <code>${person.claims.email}</code>.</p>
<h2>Get help</h2>
<ul>
<li><a href="${links.helpCenter}">Help center</a>: the app starts, so nothing is asked</li>
<li><a href="${links.article}">How refunds work</a>: the same, straight to one article</li>
<li><a href="${links.portalLogin}">Support portal</a>: the portal starts, and the router sees where you came from</li>
</ul>
<form method="post" action="/sign-out"><button>Sign out of this app</button></form>`,
  );
}

/** `pending` is absent when the person came to the app itself. */
export function loginPage(look: Look, people: readonly Person[], pending?: Pending): Reply {
  const cancel = pending && `${pending.redirectUri}&error=access_denied`;
  return page(
    look,
    `Sign in to ${look.party}`,
    html`<p>A real application would ask for a password here. This is a demo: choose who you are.</p>
${pending?.loginHint !== undefined ? html`<p class="note">Expected: <strong>${pending.loginHint}</strong></p>` : undefined}
<form method="post" action="/login">
${pending && html`<input type="hidden" name="redirect_uri" value="${pending.redirectUri}"><input type="hidden" name="nonce" value="${pending.nonce}">`}
${people.map(
  ({ id, name, about }) =>
    html`<button class="person" name="person" value="${id}">${name} <small>${about}</small></button>`,
)}
</form>
${cancel !== undefined ? html`<p><a href="${cancel}">Cancel</a></p>` : undefined}`,
  );
}

export const refusePage = (look: Look, says: string): Reply =>
  page(look, 'That does not work', html`<p class="note">${says}</p><p><a href="/">Home</a></p>`, 400);
