import { admit, type Breaker, type CallEnd, CLOSED, describePause, type Pass, settle } from './breaker.ts';
import { type Connections, openConnections } from './connections.ts';
import { mayReach, refuseAddress } from './connector.ts';
import { type DialOptions, openDial } from './dial.ts';
import { exchange } from './exchange.ts';
import { endOf, explain } from './fault.ts';
import { type Caller, type OutboundAnswer, OutboundError, type OutboundRequest, type Trust } from './outbound.ts';
import { openPlaces } from './places.ts';
import { literalOf, readTarget } from './target.ts';

export type CallerOptions = DialOptions & {
  /** Calls under way at once. */
  readonly atOnce: number;
  /** Calls that wait for a place; one more is `busy`. */
  readonly waiting: number;
  /** Milliseconds of a clock that is never set back. */
  readonly now: () => number;
};

/** A caller, and the way to end it with all that is under way. */
export type EndableCaller = Caller & { end(): Promise<void> };

/** One environment's way out: breaker, then a place, then a connection. */
export function openCaller(name: string, trust: Trust, options: CallerOptions): EndableCaller {
  const { atOnce, waiting, now, proxyFor, timeoutMs } = options;
  const places = openPlaces(
    atOnce,
    waiting,
    () => new OutboundError('busy', `${name}: ${atOnce} calls are under way and ${waiting} wait`),
  );
  let breaker: Breaker = CLOSED;
  let opened: Promise<Connections> | undefined;
  let ended = false;

  const broken = () => new OutboundError('broken', `${name}: not asked now: ${describePause(breaker, now())}`);
  const stopping = () => new OutboundError('network', `${name}: the router is stopping`);

  function enter(): Pass {
    const admission = admit(breaker, now());
    breaker = admission.breaker;
    if (!admission.pass) throw broken();
    return admission.pass;
  }

  /** Before the place is given back: whoever waits for it must not start what has just been found pointless. */
  function leave(pass: Pass, end: CallEnd): void {
    breaker = settle(breaker, pass, end, now());
    if (breaker.is === 'open') places.turnAway(broken);
  }

  async function connections(): Promise<Connections> {
    opened ??= openDial(trust, options).then((dial) => openConnections(dial));
    const connections = await opened;
    if (ended) throw stopping();
    return connections;
  }

  async function call(request: OutboundRequest): Promise<OutboundAnswer> {
    const target = readTarget(request.url);
    const proxy = proxyFor(target);
    // Behind a proxy nothing is dialled here, and names are resolved there.
    const literal = proxy && literalOf(target);
    if (literal !== undefined && !mayReach(trust.allowPrivate)(literal)) throw refuseAddress(literal);
    const where = proxy ? `${target.host} by way of the proxy ${new URL(proxy.url).host}` : target.host;

    const pass = enter();
    // AbortSignal.timeout would hold whatever listens to it, bodies included, until its time is over.
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), timeoutMs).unref();
    const { signal } = deadline;
    let end: CallEnd = 'unknown';
    let giveBack: (() => void) | undefined;
    let since = 0;
    try {
      giveBack = await places.take(signal);
      since = performance.now();
      const answer = await exchange(await connections(), target, request, signal);
      end = 'answered';
      return answer;
    } catch (error) {
      const fault = explain(error, giveBack ? where : `${name}, while waiting for a place`, signal);
      if (giveBack) end = endOf(fault, performance.now() - since >= timeoutMs / 2);
      throw fault;
    } finally {
      clearTimeout(timer);
      leave(pass, end);
      giveBack?.();
    }
  }

  return {
    call,
    async close() {
      (await opened?.catch(() => undefined))?.close();
    },
    async end() {
      ended = true;
      places.turnAway(stopping);
      await (await opened?.catch(() => undefined))?.end();
    },
  };
}
