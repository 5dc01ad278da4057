import type { Adapter, AdapterPayload } from 'oidc-provider';

/** What one provider keeps, in memory. oidc-provider's own memory is shared by all providers of a process. */
export function memoryAdapter(): (model: string) => Adapter {
  const kept = new Map<string, AdapterPayload>();

  return (model) => {
    const find = async (matches: (payload: AdapterPayload) => boolean): Promise<AdapterPayload | undefined> => {
      for (const [key, payload] of kept) if (key.startsWith(`${model}:`) && matches(payload)) return payload;
      return undefined;
    };
    return {
      upsert: async (id, payload) => void kept.set(`${model}:${id}`, payload),
      find: async (id) => kept.get(`${model}:${id}`),
      findByUid: (uid) => find((payload) => payload.uid === uid),
      findByUserCode: (userCode) => find((payload) => payload.userCode === userCode),
      consume: async (id) => {
        const payload = kept.get(`${model}:${id}`);
        if (payload) payload.consumed = Math.floor(Date.now() / 1000);
      },
      destroy: async (id) => void kept.delete(`${model}:${id}`),
      revokeByGrantId: async (grantId) => {
        for (const [key, payload] of kept) if (payload.grantId === grantId) kept.delete(key);
      },
    };
  };
}
