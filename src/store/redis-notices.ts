import type { Notice, Notices } from './notices.ts';
import type { RedisConnection } from './redis-connection.ts';
import { PREFIX } from './redis-scripts.ts';

/** What one script forgets at the most: nothing else runs meanwhile. */
const MOST_FORGOTTEN = 1_000;

/** The outbox of a Redis store. */
export function openNotices({ client, run, change }: RedisConnection): Notices {
  return {
    async post(notices, now) {
      if (notices.length > 0) await change('post', now, JSON.stringify(notices));
    },
    async take({ most, perLane, lease, lapsed = true }, now) {
      const taken = (await run('take', now, most, perLane, now + lease, lapsed ? 1 : 0)) as Flat[];
      return taken.map((flat) => {
        const fields = fieldsOf(flat);
        return { ...noticeOf(fields), lease: `${fields.cursor}.${fields.takes}` };
      });
    },
    async settle({ id, lease }, outcome, now) {
      const due = outcome.to === 'waiting' ? outcome.due : '';
      const receipt = outcome.to === 'returned' ? '' : outcome.receipt;
      return (await change('settle', now, id, lease, outcome.to, due, receipt)) as 'settled' | 'lost';
    },
    async nextDue() {
      const wakes = await run('nextDue');
      return wakes === null ? undefined : Number(wakes);
    },
    feed: async (lane, after, most, now) => noticesOf(await run('feed', lane, after, most, now)),
    acknowledge: async (lane, upTo, now) => Number(await change('acknowledge', lane, upTo, now)),
    list: async ({ run: ofRun = '', lane = '', state = '' }, most, before = Number.MAX_SAFE_INTEGER) =>
      noticesOf(await run('list', ofRun, lane, state, most, before)),
    resend: async (ids, now, giveUpAt) => Number(await change('resend', now, giveUpAt, ...new Set(ids))),
    async counts() {
      const counts = Object.entries(await client.hgetall(`${PREFIX}:counts`));
      return counts.map(([key, count]) => {
        const colon = key.indexOf(':');
        return { lane: key.slice(colon + 1), state: key.slice(0, colon) as Notice['state'], count: Number(count) };
      });
    },
    async forget(before) {
      let forgotten = 0;
      for (let size = MOST_FORGOTTEN; size === MOST_FORGOTTEN; forgotten += size)
        size = Number(await run('forgetNotices', before, MOST_FORGOTTEN));
      return forgotten;
    },
  };
}

/** Field, value, field, value. */
type Flat = readonly string[];
type Fields = Readonly<Record<string, string>>;

const fieldsOf = (flat: Flat): Fields => {
  const fields: Record<string, string> = {};
  for (let index = 0; index < flat.length; index += 2) fields[flat[index] ?? ''] = flat[index + 1] ?? '';
  return fields;
};

const noticesOf = (found: unknown): Notice[] => (found as Flat[]).map((flat) => noticeOf(fieldsOf(flat)));

const noticeOf = ({ id = '', lane = '', order = '', run = '', by, text = '', receipt, ...rest }: Fields): Notice => ({
  id,
  lane,
  order,
  run,
  by: by === 'pull' ? 'pull' : 'push',
  text,
  due: Number(rest.due),
  giveUpAt: Number(rest.giveUpAt),
  cursor: Number(rest.cursor),
  state: rest.state as Notice['state'],
  attempts: Number(rest.attempts),
  changedAt: Number(rest.changedAt),
  ...(receipt !== undefined && { receipt }),
});
