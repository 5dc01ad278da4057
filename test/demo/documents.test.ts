/** What README.md, docs/environments.md and docs/portals.md say is so: their routes are accepted, their links and reasons are there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { checkRoutes } from '../../src/config/check.ts';
import { describeProblems } from '../../src/config/describe.ts';
import { FILES } from '../../src/config/read.ts';
import { REASONS } from '../../src/core/reason.ts';
import { builtInPresetNames } from '../../src/portals/load.ts';

/** In 2026. */
const NOW = 1_790_000_000;
const ROOT = new URL('../../', import.meta.url);

const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

const yamlIn = (text: string): string[] =>
  [...text.matchAll(/^( *)```yaml\n([\s\S]*?)^\1```$/gm)].map(([, indent = '', block = '']) =>
    block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );

/** What stands below an environment, for the examples that say no more than what their product needs. */
const MAY_ASSERT = '    may_assert: { email_domains: [acme.com] }\n';
const LOGIN = `    app_url: https://us.acme.com/
    login: { protocol: handoff, url: https://us.acme.com/sso, issuer: us, algorithms: [HS256], secret: { env: US } }
`;

const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, '  ');

/** `file`: what paths are relative to. Every secret that is named in the text has a value of its own. */
function check(
  text: string,
  file: string,
  secrets?: 'not_needed',
): { readonly faults: string; readonly notices: string } {
  const names = [...text.matchAll(/\{ env: ([A-Z_]+) \}/g)].map(([, name = '']) => name);
  const variables = Object.fromEntries(names.map((name) => [name, `${name}-${'0123456789-'.repeat(6)}`]));
  const outcome = checkRoutes({
    file: fileURLToPath(new URL(file, ROOT)),
    text,
    ...FILES,
    now: NOW,
    variables,
    ...(secrets && { secrets }),
  });
  return outcome.ok
    ? { faults: '', notices: describeProblems(outcome.notices) }
    : { faults: describeProblems(outcome.problems), notices: '' };
}

t.test('the routes of README.md are accepted as they stand', async (t) => {
  const [first = '', more = '', portal = ''] = yamlIn(read('README.md'));
  t.strictSame(check(first, 'README.yaml'), { faults: '', notices: '' });
  t.match(more, 'proxy:');
  const whole = first.replace(/^environments:\n/m, `environments:\n${indented(more)}`);
  // Paths of the examples are relative to where their files are.
  t.equal(check(whole, 'examples/saml/README.yaml').faults, '');
  t.match(portal, 'preset: helpcenter_io');
  const both = first
    .replace(/^portals:\n/m, `portals:\n${indented(portal)}`)
    .replace('[account_external_id]', '[name]');
  t.strictSame(check(both, 'README.yaml'), { faults: '', notices: '' });
});

t.test('what docs/portals.md says to write for each product is all that it needs', async (t) => {
  const blocks = yamlIn(read('docs/portals.md')).filter((text) => text.startsWith('portals:'));
  t.equal(blocks.length, builtInPresetNames().length);
  for (const block of blocks) {
    const portal = block.includes('environments:') ? block : `${block}environments:\n  us:\n${MAY_ASSERT}`;
    const text = `public_url: https://login.acme.com\n${portal}${LOGIN}discovery: [{ by: picker }]\n`;
    t.strictSame(check(text, 'docs/portals.yaml', 'not_needed'), { faults: '', notices: '' }, block);
  }
});

t.test('every portal and environment of the demo is accepted as it stands, without a notice', async (t) => {
  const filesIn = (folder: string) => readdirSync(new URL(folder, ROOT)).map((name) => folder + name);
  const environments = filesIn('examples/demo/environments/');
  t.equal(environments.length, 4);
  const secrets = environments.flatMap((path) => read(path).match(/\{ env: [A-Z_]+ \}/g) ?? []);
  const portals = filesIn('examples/demo/portals/').map((path) => {
    const text = read(path).replace('./downstream.yaml', './examples/pylonsync/downstream.yaml');
    return indented(`${basename(path, '.yaml')}:\n${indented(text)}`);
  });
  t.equal(portals.length, 3);
  const routes = read('routes.yaml').replace(/^portals:\n/m, (line) => line + portals.join(''));
  const text = `${routes}\ninclude: examples/demo/environments/*.yaml\n# ${secrets.join(' ')}\n`;
  t.strictSame(check(text, 'routes.yaml'), { faults: '', notices: '' });
});

t.test('the second portal of the tutorial is right', async (t) => {
  const tutorial = read('routes.yaml');
  const [whole = '', commented = ''] = /\n {2}# Another portal[^\n]*\n {2}#\n([\s\S]*?)\n\n/.exec(tutorial) ?? [];
  const text = tutorial.replace(whole, `\n${commented.replaceAll(/^ {2}# ?/gm, '  ')}\n\n`);
  t.match(text, '\n  help:  ');
  t.strictSame(check(text, 'routes.yaml'), { faults: '', notices: '' });
});

t.test('the example of services behind an app is right', async (t) => {
  t.strictSame(check(read('examples/pylonsync/routes.yaml'), 'examples/pylonsync/routes.yaml'), {
    faults: '',
    notices: '',
  });
});

for (const path of [
  'README.md',
  'docs/architecture.md',
  'docs/environments.md',
  'docs/openid-provider.md',
  'docs/portals.md',
  'docs/presets.md',
  'examples/pylonsync/README.md',
]) {
  t.test(`${path} links to what is there`, async (t) => {
    const text = read(path);
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => link);
    t.not(links.length, 0);
    for (const link of links) t.ok(existsSync(new URL(link, new URL(path, ROOT))), link);
  });
}

const slugsIn = (text: string): string[] =>
  [...text.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([a-z_]+)`/g)].map(([, slug = '']) => slug),
  );

t.test('docs/portals.md names reasons that exist', async (t) => {
  const [, text = ''] = read('docs/portals.md').split('## When a login does not arrive');
  const slugs = slugsIn(text.split('## A portal that is not here', 1)[0] ?? '');
  t.ok(slugs.length > 8);
  for (const slug of slugs) t.ok(Object.hasOwn(REASONS, slug), slug);
});

t.test('docs/environments.md names reasons that exist', async (t) => {
  const slugs = slugsIn(read('docs/environments.md'));
  t.ok(slugs.length > 20);
  // A table of what each protocol writes, and a sign-out that found nobody, which only the log says.
  const others = new Set(['handoff', 'oidc', 'saml', 'session', 'no_visit']);
  for (const slug of slugs) t.ok(others.has(slug) || Object.hasOwn(REASONS, slug), slug);
});
