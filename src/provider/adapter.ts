import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from 'oidc-provider';
import type { RecordKey, Records } from './records.ts';
import type { UnderWay } from './under-way.ts';

/** How the library finds a session by the id that tokens know it by. */
const SESSION_UID = 'SessionUid';

/** Longer than any of them lives, for what comes without a life of its own. Seconds. */
const LONGEST = 30 * 86_400;

/**
 * The library's storage over our records. What the library takes as read and then written (a code or refresh token that
 * was not used yet) is decided by the store, so that of two at a time one is refused.
 */
export const adapterOver =
  (records: Records, underWay: UnderWay): AdapterFactory =>
  (kind): Adapter => {
    if (kind === 'Interaction') return underWay.adapter;
    const keyOf = (id: string): RecordKey => ({ kind, id });
    const find = async (id: string): Promise<AdapterPayload | undefined> => {
      const found = await records.read<AdapterPayload>(keyOf(id));
      return found && { ...found.value, ...(found.spentAt !== undefined && { consumed: found.spentAt }) };
    };
    return {
      async upsert(id, payload, seconds = LONGEST) {
        const group = payload.grantId === undefined ? {} : { group: payload.grantId };
        const also =
          payload.uid === undefined ? undefined : { key: { kind: SESSION_UID, id: payload.uid }, value: { id } };
        await records.write({ kind, id, ...group }, payload, seconds, also);
      },
      find,
      async findByUid(uid) {
        const found = await records.read<{ id: string }>({ kind: SESSION_UID, id: uid });
        return found && find(found.value.id);
      },
      // There is no device flow.
      findByUserCode: async () => undefined,
      async consume(id) {
        if ((await records.spend(keyOf(id))) !== 'first') throw new errors.InvalidGrant('already used');
      },
      destroy: (id) => records.forget(keyOf(id)),
      revokeByGrantId: (grantId) => records.forgetGroup(grantId),
    };
  };
