/**
 * A stand-in for the operator's own app below one domain with the router. It signs nothing: the router passes on the
 * cookie that this app has set and asks `GET /api/me` whose it is.
 */
import { openApp } from './app.ts';
import type { AppLinks, Pending } from './environment-pages.ts';
import type { Look } from './layout.ts';
import { ACCOUNT_PEOPLE, type Person } from './people.ts';
import type { Call, Party, Reply } from './server.ts';
import { Sessions } from './sessions.ts';

export type SharedSessionOptions = {
  readonly port: number;
  /** As in environments/account.yaml. */
  readonly name: string;
  /** The router's origin, without a trailing slash. */
  readonly router: string;
  readonly links: AppLinks;
};

const LOOK: Look = {
  party: 'Acme account',
  role: 'stand-in for your own app, on the router’s domain',
  accent: '#6b3a6e',
};

/** The one domain of this demo is `localhost`: its cookies reach the router's port, too (RFC 6265 §8.5). */
export function openSharedSession({ port, name, router, links }: SharedSessionOptions): Promise<Party> {
  const sessions = new Sessions<Person>(`demo_${name}`);

  function tell(call: Call): Reply {
    const person = sessions.of(call);
    const said = person ? { name: person.name, ...person.claims } : { error: 'nobody is signed in' };
    return { status: person ? 200 : 401, headers: { 'content-type': 'application/json' }, body: JSON.stringify(said) };
  }

  /** Only to the router: a login page that leads anywhere is an open redirect. */
  function read(params: URLSearchParams): Pending | undefined {
    const returnTo = params.get('return_to') ?? '';
    if (!returnTo.startsWith(`${router}/return/${name}?`)) return undefined;
    return { fields: { return_to: returnTo }, cancel: `${returnTo}&error=access_denied` };
  }

  return openApp({
    port,
    origin: `http://localhost:${port}`,
    look: LOOK,
    people: ACCOUNT_PEOPLE,
    links,
    router,
    sessions,
    door: { path: '/login', param: 'return_to', read, onward: (_, { fields }) => fields.return_to ?? '/' },
    routes: { 'GET /api/me': tell },
  });
}
