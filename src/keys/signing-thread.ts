/**
 * A thread that makes signatures with private keys where nobody else wants to run: one of RSA with 3072 bits takes 1.4 ms,
 * and who signs in at another portal should not wait for it, neither for the event loop nor for a core. To hand it over
 * costs the event loop a third of what WebCrypto costs. This is the router's side; signing-worker.ts is the other.
 * Nothing depends on the thread's living: what it does not make in time is made elsewhere.
 */
import type { KeyObject } from 'node:crypto';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { After } from '../system/after.ts';
import { leaveCoresToOthers } from '../system/leave-cores.ts';
import type { PublicKeyAlgorithm } from './keys.ts';

export type SigningThread = {
  /** The signature over `input` (ASCII) in base64url; `undefined` where it has to be made elsewhere. Never rejects. */
  sign(algorithm: PublicKeyAlgorithm, key: KeyObject, input: string): Promise<string | undefined> | undefined;
  close(): Promise<void>;
};

/** What the thread is asked. */
export type SignatureOrder = {
  readonly id: number;
  readonly algorithm: PublicKeyAlgorithm;
  readonly key: KeyObject;
  readonly input: string;
};

/** What it answers: first that it has begun, with its ID where the system gives it one, then signatures. */
export type SignatureNews =
  | { readonly begun: true; readonly thread?: number | undefined }
  | { readonly id: number; readonly signature?: string };

export type SigningThreadParts = {
  readonly after: After;
  /** It died, or could not be started. */
  readonly fault: (error: unknown) => void;
  readonly program?: URL;
};

/** Signatures that wait for the thread. Where there are more, one thread is too little for them. */
const MOST_WAITING = 16;

/** Looks at it, so many milliseconds apart, between which it may finish none while some wait. A pause of us all is one. */
const LOOKS = 4;
const LOOK_MS = 25;

/** Milliseconds for which it is asked nothing when it did not keep up, or has died. */
const REST_MS = 60_000;

/** MiB. A signature leaves little behind. */
const MEMORY = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 };

const PROGRAM = new URL(`./signing-worker${extname(import.meta.url)}`, import.meta.url);

/**
 * It is started when it is first wanted, and again a minute after it died. Where it does not keep up, since other programs
 * want all cores or since there is more to sign than one core makes, it is asked nothing for a minute. It is not ended for
 * that: to end a thread that hardly runs, its process would wait for it.
 */
export function openSigningThread({ after, fault, program = PROGRAM }: SigningThreadParts): SigningThread {
  const waiting = new Map<number, (signature?: string) => void>();
  let worker: Worker | undefined;
  let begun = false;
  let resting = false;
  let closed = false;
  let last = 0;
  let stopLooking = () => {};
  let endRest = () => {};

  function start(): void {
    try {
      const started = new Worker(program, { resourceLimits: MEMORY });
      worker = started;
      started.unref();
      const over = (error: unknown) => worker === started && !closed && loseIt(error);
      started.on('message', (news: SignatureNews) => worker === started && hear(news));
      started.once('error', over);
      started.once('exit', (code) => over(new Error(`the thread that signs ended with ${code}`)));
    } catch (error) {
      loseIt(error);
    }
  }

  function loseIt(error: unknown): void {
    worker = undefined;
    begun = false;
    fault(error);
    rest();
  }

  function hear(news: SignatureNews): void {
    if ('begun' in news) {
      begun = true;
      leaveCoresToOthers(news.thread, 'thread');
      return;
    }
    waiting.get(news.id)?.(news.signature);
    waiting.delete(news.id);
    watch();
  }

  /** Nobody waits for long, and nobody's process lives on for a thread that is asked nothing. */
  function watch(looks = LOOKS): void {
    stopLooking();
    const look = () => (looks > 1 ? watch(looks - 1) : rest());
    stopLooking = waiting.size > 0 ? after(LOOK_MS, look) : () => {};
    if (waiting.size > 0) worker?.ref();
    else worker?.unref();
  }

  function rest(): void {
    endRest();
    resting = true;
    endRest = after(REST_MS, () => {
      resting = false;
    });
    sendElsewhere();
  }

  function sendElsewhere(): void {
    for (const giveBack of waiting.values()) giveBack();
    waiting.clear();
    watch();
  }

  return {
    sign(algorithm, key, input) {
      if (resting || closed) return undefined;
      if (!worker) start();
      if (!begun) return undefined;
      if (waiting.size >= MOST_WAITING) {
        rest();
        return undefined;
      }
      const id = last++;
      worker?.postMessage({ id, algorithm, key, input } satisfies SignatureOrder);
      const { promise, resolve } = Promise.withResolvers<string | undefined>();
      waiting.set(id, resolve);
      if (waiting.size === 1) watch();
      return promise;
    },
    async close() {
      closed = true;
      endRest();
      sendElsewhere();
      await worker?.terminate();
    },
  };
}
