/** The routes files of the examples are right, so that whoever copies one begins with a file that works. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { check } from '../../src/cli/check.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
const VARIABLES = {
  PYLON_SHARED_SECRET: 'canary-secret-of-the-portal-0123456789abcdef0123456789abcdef0123',
  GLOBEX_SECRET: 'canary-client-secret-of-the-router-0123456789abcdef0123456789abc',
  WIKI_CLIENT_SECRET: 'canary-client-secret-of-the-wiki-0123456789abcdef0123456789abcde',
  US_HANDOFF_SECRET: 'canary-us-handoff-secret-0123456789abcdef0123456789abcdef01234567',
  EU_HANDOFF_SECRET: 'canary-eu-handoff-secret-0123456789abcdef0123456789abcdef01234567',
};

class Sink extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

for (const folder of ['oidc', 'oidc-portal', 'saml', 'session']) {
  const files = readdirSync(join(EXAMPLES, folder)).filter((name) => name.endsWith('.yaml'));
  for (const file of files) {
    t.test(`examples/${folder}/${file} is accepted, without a notice`, async (t) => {
      const [stdout, stderr] = [new Sink(), new Sink()];
      const status = await check([join(EXAMPLES, folder, file)], { stdout, stderr, env: VARIABLES });
      t.equal(status, 0, stdout.text + stderr.text);
      t.match(stdout.text, /is right: 0 faults, 0 notices\n$/);
    });
  }
}
