import type { Client } from 'undici';
import { connectorFor } from './dial.ts';
import {
  IDLE_CONNECTION_MS,
  LONGEST_IDLE_CONNECTION_MS,
  MAX_ANSWER_HEADERS,
  MAX_CONNECTIONS,
  MAX_WAITING,
} from './limits.ts';
import type { Site } from './site.ts';

/** One connection to an environment, opened again when it was lost; it carries one request at a time. */
export type Lane = {
  readonly client: Client;
  /** Answers that came over the connection as it stands now. */
  served: number;
};

/** A request on its way to a lane. */
export type Job = {
  /** Has to end in `leave`. */
  start(lane: Lane): void;
  /** There is no lane for it, and will be none. */
  turnAway(why: string): void;
};

export type Lanes = {
  /** Starts the job now or later, or turns it away. */
  enter(job: Job): void;
  leave(lane: Lane): void;
  /** A waiting job is not wanted any more. */
  cancel(job: Job): void;
  turnAwayAll(why: string): void;
  /** Ends every connection with what is under way on it. Never rejects. */
  destroy(): Promise<void>;
};

/**
 * The connections to one environment, and the queue before them. They are undici clients of our own rather than its
 * pool, so that a request whose person has gone leaves the queue, nobody waits longer than `timeout`, and it is known
 * whether a connection that died had served before. undici loads while the first requests wait.
 */
export function openLanes(site: Site): Lanes {
  const lanes = new Set<Lane>();
  const idle: Lane[] = [];
  const waiting = new Map<Job, NodeJS.Timeout>();
  let openClient: (() => Client) | undefined;
  let closed = false;

  import('undici').then(
    ({ buildConnector, Client }) => {
      const options: Client.Options = {
        connect: connectorFor(buildConnector, site.upstream),
        pipelining: 1,
        keepAliveTimeout: IDLE_CONNECTION_MS,
        keepAliveMaxTimeout: LONGEST_IDLE_CONNECTION_MS,
        headersTimeout: site.timeoutMs,
        bodyTimeout: site.timeoutMs,
        maxHeaderSize: MAX_ANSWER_HEADERS,
      };
      openClient = () => new Client(site.upstream.origin, options);
      for (const job of waiting.keys()) {
        const lane = findLane();
        if (!lane) break;
        cancel(job);
        job.start(lane);
      }
    },
    () => turnAwayAll('undici does not load'),
  );

  /** The one that was used last, so that no more are kept open than are needed. */
  function findLane(): Lane | undefined {
    const lane = idle.pop();
    if (lane || !openClient || lanes.size >= MAX_CONNECTIONS) return lane;
    return openLane(openClient());
  }

  function openLane(client: Client): Lane {
    const lane: Lane = { client, served: 0 };
    client.on('connect', () => {
      lane.served = 0;
    });
    lanes.add(lane);
    return lane;
  }

  function startNext(lane: Lane): void {
    const [job] = waiting.keys();
    if (!job) {
      idle.push(lane);
      return;
    }
    cancel(job);
    job.start(lane);
  }

  function cancel(job: Job): void {
    clearTimeout(waiting.get(job));
    waiting.delete(job);
  }

  function turnAway(job: Job, why: string): void {
    cancel(job);
    job.turnAway(why);
  }

  function turnAwayAll(why: string): void {
    for (const job of [...waiting.keys()]) turnAway(job, why);
  }

  return {
    enter(job) {
      if (closed) {
        job.turnAway('the proxy is closed');
        return;
      }
      const lane = findLane();
      if (lane) job.start(lane);
      else if (waiting.size >= MAX_WAITING) job.turnAway('too many requests wait already');
      else waiting.set(job, setTimeout(turnAway, site.timeoutMs, job, 'no connection came free in time'));
    },
    leave(lane) {
      // Never at once: undici does not expect a new request from within its own callbacks.
      if (waiting.size > 0) setImmediate(startNext, lane);
      else idle.push(lane);
    },
    cancel,
    turnAwayAll,
    async destroy() {
      closed = true;
      turnAwayAll('the proxy is closed');
      await Promise.allSettled([...lanes].map(({ client }) => client.destroy()));
    },
  };
}
