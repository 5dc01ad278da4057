import { type EndableCaller, openCaller } from './caller.ts';
import { type Lookup, lookupBySystem } from './connector.ts';
import type { Outbound } from './outbound.ts';
import { readProxyVariables } from './proxy-variables.ts';

export type OutboundOptions = {
  /** Resolves names; the system's resolver unless set. */
  readonly lookup?: Lookup;
  /** Milliseconds for waiting, connecting, headers and body together; 5000 unless set. */
  readonly timeoutMs?: number;
  /** Calls under way at once, for each caller; 16 unless set. */
  readonly atOnce?: number;
  /** Calls that wait for a place, for each caller; 128 unless set, 0: none waits. */
  readonly waiting?: number;
  /** Where HTTPS_PROXY and NO_PROXY are read from (environment variables); no proxy unless given. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds of a clock that is never set back, for the breaker; `performance.now` unless set. */
  readonly now?: () => number;
};

/** Opens the outbound client. Throws an `Error` when HTTPS_PROXY cannot be used. */
export function openOutbound(options: OutboundOptions = {}): Outbound {
  const { lookup = lookupBySystem, timeoutMs = 5000, atOnce = 16, waiting = 128, variables = {} } = options;
  const { now = () => performance.now() } = options;
  const proxyFor = readProxyVariables(variables);
  const callers = new Set<EndableCaller>();
  return {
    callerFor(name, trust) {
      const caller = openCaller(name, trust, { lookup, timeoutMs, atOnce, waiting, proxyFor, now });
      callers.add(caller);
      return {
        call: caller.call,
        close() {
          callers.delete(caller);
          return caller.close();
        },
      };
    },
    async close() {
      await Promise.all([...callers].map((caller) => caller.end()));
      callers.clear();
    },
  };
}
