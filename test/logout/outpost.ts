/** An outbox with time handed in, a memory store, and parties that are real servers reached by the real client. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose';
import type { Test } from 'tap';
import type { EnvironmentName, PortalName } from '../../src/core/names.ts';
import type { Visit } from '../../src/core/visit.ts';
import { makeUuid, randomBytes } from '../../src/keys/random.ts';
import { openSealer } from '../../src/keys/seal.ts';
import { makeSigningKey } from '../../src/keys/signer.ts';
import { openOutbox } from '../../src/logout/outbox.ts';
import type { Receiver } from '../../src/logout/receiver.ts';
import { logoutClaims, openLogoutSigner } from '../../src/logout/token.ts';
import { openOutbound } from '../../src/outbound/client.ts';
import type { Trust } from '../../src/outbound/outbound.ts';
import { openMemoryStore } from '../../src/store/memory.ts';
import type { Notice, Outcome } from '../../src/store/notices.ts';
import { serve } from '../outbound/servers.ts';
import { handedInTime } from './handed-in-time.ts';

export const ISSUER = 'https://login.acme.test/';

const key = makeSigningKey('ES256');

/** Whatever came to an address: the form, and what its logout token says once its signature was verified. */
export type Posted = { readonly form: URLSearchParams; readonly claims: JWTPayload; readonly at: number };

export async function openOutpost(t: Test) {
  const time = handedInTime();
  const { notices, ...store } = openMemoryStore();
  const sealer = openSealer([randomBytes(32)], randomBytes);
  const outbound = openOutbound({ timeoutMs: 200, now: () => time.now * 1_000 });
  const signer = await openLogoutSigner('ES256', key);
  const keys = createLocalJWKSet({ keys: [{ kty: 'EC', ...signer.publicJwk }] });
  const receivers = new Map<string, Receiver>();
  const settled: { readonly notice: Notice; readonly outcome: Outcome; readonly at: number }[] = [];
  const faults: unknown[] = [];
  let calls = 0;

  const outbox = openOutbox({
    notices,
    sealer,
    clock: time.clock,
    after: time.after,
    chance: () => 0,
    receiverOf: (lane) => receivers.get(lane),
    wanted: () => true,
    settled: (notice, outcome) => settled.push({ notice, outcome, at: time.now }),
    fault: (error) => faults.push(error),
  });
  t.teardown(async () => {
    await outbox.close();
    await outbound.close();
    await store.close();
  });

  async function counted<T>(work: () => Promise<T>): Promise<T> {
    calls++;
    try {
      return await work();
    } finally {
      calls--;
    }
  }

  /** Nothing is under way any more. */
  async function quiet(): Promise<void> {
    for (let idle = 0; idle < 30; idle = calls === 0 ? idle + 1 : 0) await new Promise(setImmediate);
  }

  const verify = async (request: IncomingMessage): Promise<Posted> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const { payload } = await jwtVerify(form.get('logout_token') ?? '', keys, {
      issuer: ISSUER,
      typ: 'logout+jwt',
      currentDate: new Date(time.now * 1_000),
    });
    return { form, claims: payload, at: time.now };
  };

  /** Tells the environment of this name at that URL. */
  function receiveAt(name: string, url: string, trust: Trust = { allowPrivate: true }): void {
    const caller = outbound.callerFor(name, trust);
    receivers.set(name, {
      by: 'push',
      url,
      caller: {
        close: caller.close,
        call: (request) => counted(() => caller.call(request)),
      },
      mint: (gone, endedAt, now) => {
        const minted = { id: makeUuid(randomBytes), now, endedAt };
        const claims = logoutClaims({ issuer: ISSUER, audience: name }, gone, minted);
        return counted(async () => signer.sign(JSON.stringify(claims)));
      },
    });
  }

  /** A party that verifies what it is posted and then answers as `answer` does. */
  async function receive(
    name: string,
    answer: (response: ServerResponse, posted: Posted) => void = (response) => response.writeHead(200).end(),
  ): Promise<Posted[]> {
    const posts: Posted[] = [];
    const listener: RequestListener = (request, response) =>
      void verify(request).then(
        (posted) => {
          posts.push(posted);
          answer(response, posted);
        },
        (error: Error) => response.writeHead(400).end(error.message),
      );
    const { url } = await serve(t, listener);
    receiveAt(name, url);
    return posts;
  }

  return {
    time,
    notices,
    outbox,
    receivers,
    settled,
    faults,
    sealer,
    quiet,
    receive,
    receiveAt,
    verify,
    pass: (seconds: number) => time.pass(seconds, quiet),
    /** The same for a long time, in leaps: nothing happens while nothing is due. */
    async passLong(seconds: number) {
      const until = time.now + seconds;
      while (time.now < until) {
        time.now = Math.max(time.now, Math.min((await notices.nextDue()) ?? until, until - 3));
        await time.pass(3, quiet);
      }
    },
    list: () => notices.list({}, 1_000),
  };
}

export type Outpost = Awaited<ReturnType<typeof openOutpost>>;

let visits = 0;

/** A visit like no other. */
export const visit = (environment: string, more: Partial<Visit> = {}): Visit => ({
  id: `visit-${++visits}`,
  portal: 'support' as PortalName,
  environment: environment as EnvironmentName,
  at: 1_799_999_000,
  appUrl: `https://${environment}.acme.test/`,
  subject: 'ada@acme.test',
  sid: 'session-1',
  ...more,
});
