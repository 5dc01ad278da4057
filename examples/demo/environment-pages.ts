import { type Html, html } from './html.ts';
import { type Look, page } from './layout.ts';
import type { Person } from './people.ts';
import type { Reply } from './server.ts';

/** What somebody else waits for while a person signs in here. */
export type Pending = {
  /** Travels through the login form. */
  readonly fields: Readonly<Record<string, string>>;
  readonly loginHint?: string;
  /** Where “Cancel” leads; absent where whoever asked has no word for it. */
  readonly cancel?: string;
};

export type LoginPage = {
  /** Absent when the person came to the app itself. */
  readonly pending?: Pending;
  /** Where the form goes; `/login` unless set. */
  readonly action?: string;
  /** Stands above the people. */
  readonly extra?: Html;
  readonly script?: string;
};

/** Addresses of the other parties that the app links to. */
export type AppLinks = {
  /** Platform-initiated login, ending at the portal's front page. */
  readonly helpCenter: string;
  /** The same, ending at one article. */
  readonly article: string;
  /** The portal's own “Log in”: the portal starts, and the router sees which app the link stood in. */
  readonly portalLogin: string;
  /** What else this app has. */
  readonly more?: readonly { readonly href: string; readonly text: string; readonly about: string }[];
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
${links.more?.map(({ href, text, about }) => html`<li><a href="${href}">${text}</a>: ${about}</li>`)}
</ul>
<form method="post" action="/sign-out"><button>Sign out of this app</button></form>`,
  );
}

export function loginPage(look: Look, people: readonly Person[], options: LoginPage = {}): Reply {
  const { pending, action = '/login', extra, script } = options;
  const { fields = {}, cancel, loginHint } = pending ?? {};
  return page(
    look,
    `Sign in to ${look.party}`,
    html`<p>A real application would ask for a password here. This is a demo: choose who you are.</p>
${extra}
${loginHint !== undefined ? html`<p class="note">Expected: <strong>${loginHint}</strong></p>` : undefined}
<form method="post" action="${action}">
${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${people.map(
  ({ id, name, about }) =>
    html`<button class="person" name="person" value="${id}">${name} <small>${about}</small></button>`,
)}
</form>
${cancel !== undefined ? html`<p><a href="${cancel}">Cancel</a></p>` : undefined}`,
    script === undefined ? {} : { script },
  );
}

export const refusePage = (look: Look, says: string, home = '/'): Reply =>
  page(look, 'That does not work', html`<p class="note">${says}</p><p><a href="${home}">Home</a></p>`, { status: 400 });
