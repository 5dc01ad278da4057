import type { Query } from '../portals/portal.ts';
import type { Delegate } from '../protocols/delegate.ts';

/** What our own address on an environment's host begins with; no environment can have it passed on. */
export const ENTRANCE = '/.wayhome/';

const LOGIN = '/.wayhome/login';
const STATE = /^[A-Za-z0-9_.-]{10,4096}$/;
/** A path of the same host and its query: no second slash, no backslash that browsers take for one. */
const NEXT = /^\/(?!\/)[!-[\]-~]*$/;

/** Lets every login that leaves for this host pass our own address there first. */
export function throughEntrance(delegate: Delegate, origin: string): Delegate {
  return {
    ...delegate,
    async begin(login, now) {
      let state: string | undefined;
      const stateOf = (carry?: string) => {
        state = login.state(carry);
        return state;
      };
      const begun = await delegate.begin({ ...login, state: stateOf }, now);
      if (!('url' in begun) || state === undefined || !begun.url.startsWith(`${origin}/`)) return begun;
      const next = encodeURIComponent(begun.url.slice(origin.length));
      return { url: `${origin}${LOGIN}?state=${state}&next=${next}` };
    },
  };
}

/** What `throughEntrance` wrote. Anybody may write the like: it leads nowhere but to pages of the same host. */
export function readEntrance(
  path: string,
  query: Query,
): { readonly state: string; readonly next: string } | undefined {
  const state = query.get('state') ?? '';
  const next = query.get('next') ?? '';
  return path === LOGIN && STATE.test(state) && NEXT.test(next) ? { state, next } : undefined;
}
