import { isIP } from 'node:net';

export type RateLimit = {
  /** Seconds that the client has to wait, or 0 when the request may pass. */
  take(client: string, nowMs: number): number;
};

/** Clients remembered at the most; beyond that, those whose allowance is full again are forgotten. */
const MAX_CLIENTS = 100_000;

/**
 * The generic cell rate algorithm: `perSecond` requests a second on average, `burst` at once. One number is
 * kept for each client: when its allowance is full again.
 */
export function openRateLimit(perSecond: number, burst: number): RateLimit {
  const intervalMs = 1000 / perSecond;
  const toleranceMs = intervalMs * (burst - 1);
  const fullAt = new Map<string, number>();
  return {
    take(client, nowMs) {
      const key = network(client);
      const full = Math.max(fullAt.get(key) ?? 0, nowMs);
      if (full - nowMs > toleranceMs) return Math.ceil((full - nowMs - toleranceMs) / 1000);
      if (fullAt.size >= MAX_CLIENTS) {
        for (const [known, at] of fullAt) if (at <= nowMs) fullAt.delete(known);
        if (fullAt.size >= MAX_CLIENTS) fullAt.clear();
      }
      fullAt.set(key, full + intervalMs);
      return 0;
    },
  };
}

/** One IPv6 client has a whole /64 to choose addresses from, so that is what counts. */
function network(address: string): string {
  if (isIP(address) !== 6 || address.startsWith('::ffff:')) return address;
  const [head = '', tail = ''] = address.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === '' ? [] : tail.split(':');
  const groups = address.includes('::')
    ? [...front, ...Array(8 - front.length - back.length).fill('0'), ...back]
    : front;
  return groups.slice(0, 4).join(':');
}
