import type { JWKS } from 'oidc-provider';
import type { Provider } from './provider.ts';

/**
 * A provider that is opened anew when its signing keys are others than before, which `jwks` tells by another object: the
 * library takes its keys once. What a provider remembers is in the store and in cookies, so nobody notices.
 */
export async function openRotatingProvider(
  jwks: () => Promise<JWKS>,
  open: (jwks: JWKS) => Promise<Provider>,
): Promise<Provider> {
  let keys = await jwks();
  let latest = await open(keys);
  let opening: Promise<unknown> = Promise.resolve();

  const replace = async (next: JWKS): Promise<void> => {
    if (next === keys) return;
    latest = await open(next);
    keys = next;
  };
  const current = async (): Promise<Provider> => {
    const next = await jwks();
    if (next !== keys) {
      const replaced = opening.then(() => replace(next));
      opening = replaced.catch(() => {});
      await replaced;
    }
    return latest;
  };
  return {
    metadata: latest.metadata,
    authorize: async (asked) => (await current()).authorize(asked),
    resume: async (uid, asked) => (await current()).resume(uid, asked),
    call: async (endpoint, asked) => (await current()).call(endpoint, asked),
    began: (request, cookies) => latest.began(request, cookies),
    prepare: async (request, identity) => (await current()).prepare(request, identity),
    readLogout: async (params) => (await current()).readLogout(params),
    sessionsOf: (cookies) => latest.sessionsOf(cookies),
    end: async (session) => (await current()).end(session),
  };
}
