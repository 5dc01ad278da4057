import { createHash } from 'node:crypto';
import { Refusal } from '../core/reason.ts';
import type { Instant } from '../core/time.ts';
import type { Sealer } from '../keys/keys.ts';
import type { Spent, Store } from '../store/store.ts';

/** What the provider keeps, by its kind and id. Throws `Refusal` (`store_unavailable`) where the store cannot do it. */
export type Records = {
  write(record: RecordKey & { readonly group?: string }, value: object, seconds: number, also?: Also): Promise<void>;
  read<T>(key: RecordKey): Promise<{ readonly value: T; readonly spentAt?: Instant } | undefined>;
  spend(key: RecordKey): Promise<Spent>;
  /** Whether this is the first time; `until`: the last instant at which it could come again. */
  isFirst(key: RecordKey, until: Instant): Promise<boolean>;
  forget(...keys: RecordKey[]): Promise<void>;
  forgetGroup(group: string): Promise<void>;
};

export type RecordKey = { readonly kind: string; readonly id: string };

/** A second record of the same life. */
type Also = { readonly key: RecordKey; readonly value: object };

/**
 * Records over the store. An id is often the secret itself (a code, a refresh token, a session's cookie), so the store
 * sees its hash alone, and the values sealed: who reads a copy of the store can use none of it.
 */
export function openRecords(store: Store, sealer: Sealer, now: () => Instant): Records {
  const thing = ({ kind, id }: RecordKey, value: object, until: Instant, group?: string) => {
    const name = nameOf(kind, id);
    const sealed = sealer.seal(['provider', name], JSON.stringify(value), now());
    return { name, value: sealed, until, ...(group !== undefined && { groups: [nameOf('group', group)] }) };
  };
  return {
    async write({ kind, id, group }, value, seconds, also) {
      const until = now() + seconds;
      const things = [thing({ kind, id }, value, until, group)];
      if (also) things.push(thing(also.key, also.value, until));
      await guarded(store.hold(things, now()));
    },
    async read<T>({ kind, id }: RecordKey) {
      const name = nameOf(kind, id);
      const held = await guarded(store.held(name, now()));
      const text = held && sealer.open(['provider', name], held.value);
      if (!held || text === undefined) return undefined;
      return { value: JSON.parse(text) as T, ...(held.spentAt !== undefined && { spentAt: held.spentAt }) };
    },
    spend: ({ kind, id }) => guarded(store.spend(nameOf(kind, id), now())),
    isFirst: async ({ kind, id }, until) =>
      (await guarded(store.claim([{ key: nameOf(kind, id), until }], now()))) === 'first',
    forget: (...keys) => guarded(store.release(keys.map(({ kind, id }) => nameOf(kind, id)))),
    forgetGroup: (group) => guarded(store.releaseGroup(nameOf('group', group))),
  };
}

const nameOf = (kind: string, id: string): string =>
  `provider/${kind}/${createHash('sha256').update(`${kind}:${id}`).digest('base64url')}`;

async function guarded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new Refusal('store_unavailable', error instanceof Error ? error.message : undefined);
  }
}
