/**
 * Authorization requests under way. The library keeps each of them while its person signs in; here the browser does, under
 * seal (cookies.ts), so that a flood of starts fills nothing. While the library works for a browser, that browser's lie here.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Adapter, AdapterPayload } from 'oidc-provider';

/** By their ids. */
export type Requests = Map<string, AdapterPayload>;

export type UnderWay = {
  /** Does the work with these at hand; what the library adds and takes away is found in them afterwards. */
  during<T>(requests: Requests, work: () => Promise<T>): Promise<T>;
  /** What the library reaches them through. */
  readonly adapter: Adapter;
};

export function openUnderWay(): UnderWay {
  const current = new AsyncLocalStorage<Requests>();
  const requests = (): Requests => {
    const known = current.getStore();
    if (!known) throw new Error('an authorization request outside of any answer');
    return known;
  };
  return {
    during: (known, work) => current.run(known, work),
    adapter: {
      async upsert(id, payload) {
        requests().set(id, payload);
      },
      find: async (id) => requests().get(id),
      async destroy(id) {
        requests().delete(id);
      },
      findByUid: async () => undefined,
      findByUserCode: async () => undefined,
      consume: async () => undefined,
      revokeByGrantId: async () => undefined,
    },
  };
}
