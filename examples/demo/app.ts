/**
 * A stand-in for an application with people, a login page and a session of its own. How somebody who signs in gets
 * back to whoever asked is its door; every kind of environment has another one.
 */
import { type AppLinks, homePage, type LoginPage, loginPage, type Pending, refusePage } from './environment-pages.ts';
import type { Look } from './layout.ts';
import type { Person } from './people.ts';
import {
  type Call,
  openServer,
  type Party,
  type Reply,
  type RouteTable,
  redirect,
  type ServerOptions,
  sameOrigin,
} from './server.ts';
import type { Sessions } from './sessions.ts';

export type AppOptions = {
  readonly port: number;
  /** As browsers see it; `http://127.0.0.1:<port>` unless set. */
  readonly origin?: string;
  readonly look: Look;
  readonly people: readonly Person[];
  readonly links: AppLinks;
  readonly sessions: Sessions<Person>;
  /** The router's origin, without a trailing slash. */
  readonly router: string;
  readonly door: Door;
  /** Path of its home page; `/` unless set. */
  readonly home?: string;
  /** What else stands on the login page. */
  readonly login?: Pick<LoginPage, 'extra' | 'script'>;
  readonly routes?: RouteTable;
  readonly upgrade?: ServerOptions['upgrade'];
};

export type Door = {
  /** Where others send people to be signed in. */
  readonly path: string;
  /** The parameter without which nobody asked. */
  readonly param: string;
  /** What was asked, in a query or by the login form; `undefined` where the answer would go astray. */
  read(params: URLSearchParams): Pending | undefined;
  /** Where a person who is signed in goes on. */
  onward(person: Person, pending: Pending): string | Promise<string>;
};

export function openApp(options: AppOptions): Promise<Party> {
  const { door, look, people, links, sessions, router, home = '/' } = options;

  const refuse = (says: string): Reply => refusePage(look, says, home);

  function ask(call: Call): Reply | Promise<Reply> {
    const { searchParams } = call.url;
    if (door.path === '/login' && !searchParams.has(door.param)) return loginPage(look, people, options.login);
    const pending = door.read(searchParams);
    if (!pending) return refuse(`This ${door.param} is nowhere that we send people to, or something is missing.`);
    const person = sessions.of(call);
    return person ? goOn(person, pending) : loginPage(look, people, { ...options.login, pending });
  }

  async function goOn(person: Person, pending: Pending, headers?: { 'set-cookie': string }): Promise<Reply> {
    return redirect(await door.onward(person, pending), headers);
  }

  function logIn(call: Call): Reply | Promise<Reply> {
    if (!sameOrigin(call)) return refuse('This form is not ours.');
    const person = people.find(({ id }) => id === call.form.get('person'));
    if (!person) return refuse('There is no such person here.');
    if (!call.form.has(door.param)) return redirect(home, sessions.begin(person));
    const pending = door.read(call.form);
    return pending ? goOn(person, pending, sessions.begin(person)) : refuse(`This ${door.param} is not known here.`);
  }

  /** The router's front-channel logout, so it acts on GET. It leads back to the router and nowhere else. */
  function logOut(call: Call): Reply {
    const returnTo = call.url.searchParams.get('return_to') ?? '';
    const allowed = URL.canParse(returnTo) && new URL(returnTo).origin === router;
    return redirect(allowed ? returnTo : home, sessions.end(call));
  }

  const routes: RouteTable = {
    [`GET ${home}`]: (call) => homePage(look, sessions.of(call), links),
    'GET /login': () => loginPage(look, people, options.login),
    [`GET ${door.path}`]: ask,
    'POST /login': logIn,
    'GET /logout': logOut,
    'POST /sign-out': (call) =>
      sameOrigin(call) ? redirect(home, sessions.end(call)) : refuse('This form is not ours.'),
    ...options.routes,
  };
  const { origin, upgrade } = options;
  return openServer(options.port, routes, {
    ...(origin !== undefined && { origin }),
    ...(upgrade && { upgrade }),
  });
}
