import type { Test } from 'tap';
import { type OutboundOptions, openOutbound } from '../../src/outbound/client.ts';
import type { Lookup } from '../../src/outbound/connector.ts';
import {
  type Outbound,
  type OutboundAnswer,
  OutboundError,
  type OutboundErrorKind,
} from '../../src/outbound/outbound.ts';

export function open(t: Test, options?: OutboundOptions): Outbound {
  const outbound = openOutbound(options);
  t.teardown(() => outbound.close());
  return outbound;
}

/** What an attempt ended in. Anything that is neither an answer nor an `OutboundError` is passed on. */
export async function kindOf(attempt: Promise<OutboundAnswer>): Promise<OutboundErrorKind | 'answered'> {
  try {
    await attempt;
    return 'answered';
  } catch (error) {
    if (error instanceof OutboundError) return error.kind;
    throw error;
  }
}

/** How many attempts ended in what. */
export async function tally(attempts: readonly Promise<OutboundAnswer>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const kind of await Promise.all(attempts.map(kindOf))) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Resolves every name to these addresses. */
export const resolveTo =
  (...addresses: string[]): Lookup =>
  (_hostname, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
