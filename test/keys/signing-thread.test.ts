/** The thread that signs: as other people's libraries expect it, and nobody waits for one that does not keep up. */
import { createPublicKey } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { compactVerify } from 'jose';
import t, { type Test } from 'tap';
import { PUBLIC_KEY_ALGORITHMS, type PublicKeyAlgorithm } from '../../src/keys/keys.ts';
import { makeSigningKey, openSigner } from '../../src/keys/signer.ts';
import { openSigningThread, type SigningThread } from '../../src/keys/signing-thread.ts';
import { type HandedInTime, handedInTime } from '../logout/handed-in-time.ts';
import { canYield, processStat, SCHED_IDLE } from '../support/scheduling.ts';
import { temporaryFolder } from '../support/world.ts';

const CLAIMS = JSON.stringify({ email: 'zoë@us.acme.com' });

type Stage = {
  readonly thread: SigningThread;
  readonly time: HandedInTime;
  readonly faults: string[];
  /** Signatures that the thread was asked for, and those of them that it made. */
  readonly count: { asked: number; made: number };
  /** Signs with a new key, by whomever, and checks it as jose does. */
  sign(algorithm?: PublicKeyAlgorithm): Promise<void>;
  /** Signs until the thread was asked. */
  begins(): Promise<void>;
};

/** With a thread that runs this text in place of its program, where there is one. */
function open(t: Test, text?: string): Stage {
  const time = handedInTime();
  const faults: string[] = [];
  const file = text !== undefined && join(temporaryFolder(t), 'worker.mjs');
  if (file) writeFileSync(file, `import { parentPort } from 'node:worker_threads';\n${text}`);
  const opened = openSigningThread({
    after: time.after,
    fault: (error) => faults.push((error as Error).message),
    ...(file && { program: pathToFileURL(file) }),
  });
  t.teardown(() => opened.close());
  const count = { asked: 0, made: 0 };
  const thread: SigningThread = {
    ...opened,
    sign(...order) {
      const signature = opened.sign(...order);
      if (signature) count.asked++;
      void signature?.then((made) => made && count.made++);
      return signature;
    },
  };
  const sign = async (algorithm: PublicKeyAlgorithm = 'ES256') => {
    const pem = makeSigningKey(algorithm);
    const signer = await openSigner(algorithm, { privateKeyPem: pem }, thread);
    const { payload, protectedHeader } = await compactVerify(await signer.sign(CLAIMS), createPublicKey(pem));
    t.equal(Buffer.from(payload).toString(), CLAIMS, `${algorithm} in jose`);
    t.same(protectedHeader, { alg: algorithm, typ: 'JWT', kid: signer.publicJwk?.kid });
  };
  return {
    thread,
    time,
    faults,
    count,
    sign,
    async begins() {
      while (count.asked === 0) await sign();
    },
  };
}

const quiet = async () => {
  await turn();
};

t.test('what it signs, jose verifies, with every algorithm', async (t) => {
  const { sign, begins, count, faults } = open(t);
  await sign();
  t.equal(count.asked, 0, 'nobody waits for it to begin');
  await begins();
  const { made } = count;
  for (const algorithm of PUBLIC_KEY_ALGORITHMS) await sign(algorithm);
  t.equal(count.made, made + PUBLIC_KEY_ALGORITHMS.length);
  t.same(faults, []);
});

t.test('one that makes nothing for 100 ms is asked nothing for a minute, and who waits is served', async (t) => {
  const { sign, begins, count, time, faults } = open(
    t,
    'parentPort.on("message", () => {}).postMessage({ begun: true })',
  );
  const [begun] = await Promise.all([begins(), passing(time, () => count.asked > 0)]);
  t.equal(begun, undefined);
  t.same(count, { asked: 1, made: 0 });
  await time.pass(59, quiet);
  await sign();
  t.equal(count.asked, 1);
  await time.pass(2, quiet);
  await Promise.all([sign(), passing(time, () => count.asked > 1)]);
  t.same(count, { asked: 2, made: 0 });
  t.same(faults, [], 'it is no fault to be slow');
});

t.test('what would be the seventeenth that waits ends the waiting of all', async (t) => {
  const { sign, begins, count, time } = open(t, 'parentPort.on("message", () => {}).postMessage({ begun: true })');
  await Promise.all([begins(), passing(time, () => count.asked > 0)]);
  await time.pass(61, quiet);
  await Promise.all(Array.from({ length: 17 }, () => sign()));
  t.same(count, { asked: 17, made: 0 });
});

t.test('one that dies is a fault, and a new one follows after a minute', async (t) => {
  const { sign, begins, count, time, faults } = open(
    t,
    'parentPort.on("message", () => process.exit(3)).postMessage({ begun: true })',
  );
  await begins();
  t.same(faults, ['the thread that signs ended with 3']);
  await sign();
  t.same(count, { asked: 1, made: 0 });
  await time.pass(61, quiet);
  while (count.asked === 1) await sign();
  t.equal(faults.length, 2);
});

t.test('one that cannot be started is a fault', async (t) => {
  const { sign, faults } = open(t, 'this is no program');
  while (faults.length === 0) await sign();
  t.match(faults[0], /Unexpected identifier/);
});

t.test('a signature that it cannot make is made elsewhere', async (t) => {
  const { sign, begins, count, faults } = open(
    t,
    'parentPort.on("message", ({ id }) => parentPort.postMessage({ id })).postMessage({ begun: true })',
  );
  await begins();
  await sign('PS256');
  t.same(count, { asked: 2, made: 0 });
  t.same(faults, []);
});

t.test('when it is closed, everybody else makes theirs elsewhere', async (t) => {
  const { thread, sign, begins, count } = open(t, 'parentPort.on("message", () => {}).postMessage({ begun: true })');
  const waits = begins();
  while (count.asked === 0) await turn();
  await thread.close();
  await waits;
  await sign();
  t.same(count, { asked: 1, made: 0 });
});

/** Policies of this process' threads. */
const policies = (): (number | undefined)[] =>
  readdirSync('/proc/self/task').map((id) => processStat(Number(id))?.policy);

t.test('it alone leaves cores to everybody else', { skip: !canYield() && 'there is no chrt' }, async (t) => {
  const { begins } = open(t);
  t.notOk(policies().includes(SCHED_IDLE));
  await begins();
  while (!policies().includes(SCHED_IDLE)) await turn();
  t.equal(policies().filter((policy) => policy === SCHED_IDLE).length, 1);
});

/** Lets 100 ms pass once that holds. */
async function passing(time: HandedInTime, holds: () => boolean): Promise<void> {
  while (!holds()) await turn();
  await time.pass(0.1, quiet);
}
