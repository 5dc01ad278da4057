import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import t from 'tap';
import { check } from '../../src/cli/check.ts';
import { readRoutes } from '../../src/config/read.ts';
import { accepted, GOOD, goodWith, refused, VARIABLES } from './routes-text.ts';

class Sink extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function run(args: string[], env: Readonly<Record<string, string | undefined>> = VARIABLES) {
  const stdout = new Sink();
  const stderr = new Sink();
  const status = await check(args, { stdout, stderr, env });
  return { status, stdout: stdout.text, stderr: stderr.text };
}

t.test('check prints every problem and a summary, and its status says whether the file is right', async (t) => {
  const folder = t.testdir({
    'good.yaml': GOOD,
    'bad.yaml': goodWith(['env: US', 'env: NOT_SET'], ['- by: hint', '- by: hnt']),
  });
  const good = await run([join(folder, 'good.yaml')]);
  t.equal(good.status, 0);
  t.match(good.stdout, /good\.yaml is right: 0 faults, 0 notices\n$/);

  const bad = await run([join(folder, 'bad.yaml')]);
  t.equal(bad.status, 1);
  const lines = bad.stdout.trimEnd().split('\n');
  t.equal(lines.length, 3);
  t.match(
    lines[0],
    /bad\.yaml:18:22 environments\.us\.login\.secret\.env: the environment variable NOT_SET is not set\./,
  );
  t.match(lines[1], /bad\.yaml:30:9 discovery\[0\]\.by: "hnt" is not known here\. Did you mean "hint"\?/);
  t.match(lines[2], /bad\.yaml is refused: 2 faults, 0 notices/);
  t.equal(bad.stderr, '');
});

t.test('check --json prints one document and nothing else', async (t) => {
  const folder = t.testdir({ 'good.yaml': GOOD, 'bad.yaml': goodWith(['public_url', 'pubic_url']) });
  const good = await run(['--json', join(folder, 'good.yaml')]);
  t.strictSame(JSON.parse(good.stdout), { ok: true, file: join(folder, 'good.yaml'), problems: [] });
  const bad = await run([join(folder, 'bad.yaml'), '--json']);
  t.equal(bad.status, 1);
  t.match(JSON.parse(bad.stdout), {
    ok: false,
    problems: [{ severity: 'fault', line: 1, column: 1, path: 'pubic_url', message: 'unknown key' }],
  });
});

t.test('wrong usage is told on standard error with status 2', async (t) => {
  for (const args of [['--jsno'], ['a.yaml', 'b.yaml']]) {
    const { status, stdout, stderr } = await run(args);
    t.equal(status, 2);
    t.equal(stdout, '');
    t.match(stderr, /usage: wayhome check/);
  }
});

t.test('secrets, keys and presets are read beside the routes file, wherever the process runs', async (t) => {
  const folder = t.testdir({
    'routes.yaml': goodWith(['{ env: US }', '{ file: secrets/us }']),
    secrets: { us: `${VARIABLES.US}\n` },
  });
  const file = join(folder, 'routes.yaml');
  const outcome = accepted(await readRoutes(file, VARIABLES));
  t.strictSame(outcome.files, [file, join(folder, 'secrets/us')]);
  t.equal(outcome.routes.store, `sqlite:${join(folder, 'data/wayhome.db')}`);
  const [us] = outcome.routes.environments.values();
  t.match(us?.login, { key: { kind: 'secret', algorithms: ['HS256'], secret: Buffer.from(VARIABLES.US ?? '') } });
});

t.test('a file that cannot be read is a problem like any other, and nothing is waited for', async (t) => {
  const folder = t.testdir({
    'latin1.yaml': Buffer.from('a: \xe9\n', 'latin1'),
    'long.yaml': '#'.repeat(8 * 1024 * 1024 + 1),
  });
  mkdirSync(join(folder, 'directory'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const rows = [
    ['gone.yaml', /ENOENT/],
    ['directory', /not a file/],
    ['pipe', /not a file/],
    ['latin1.yaml', /not UTF-8/],
    ['long.yaml', /too long/],
  ] as const;
  for (const [name, reason] of rows) {
    const [problem, ...more] = refused(await readRoutes(join(folder, name), VARIABLES));
    t.match(problem?.message, reason);
    t.strictSame(more, []);
  }
  const large = join(folder, 'large');
  writeFileSync(large, 'x'.repeat(256 * 1024 + 1));
  for (const [secret, reason] of [
    ['pipe', /not a file/],
    ['large', /larger than 256 KiB/],
    ['/dev/zero', /not a file/],
  ] as const) {
    writeFileSync(join(folder, 'routes.yaml'), goodWith(['{ env: US }', `{ file: ${secret} }`]));
    const [problem] = refused(await readRoutes(join(folder, 'routes.yaml'), VARIABLES));
    t.match(problem, { path: 'environments.us.login.secret.file', message: reason });
  }
});
