import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { writeEnvironments } from '../../bench/environments.ts';
import type { Outcome } from '../../src/config/check.ts';
import { describeProblem } from '../../src/config/describe.ts';
import { matchesPattern } from '../../src/config/include-pattern.ts';
import { readRoutes } from '../../src/config/read.ts';
import { watchedFolders } from '../../src/config/watched.ts';
import { accepted, checkText, faultsOf, GOOD, goodWith, noticesOf, refused, VARIABLES } from './routes-text.ts';

/** The good file without its environments, and with these words instead. */
const including = (words: string): string =>
  GOOD.replace(/environments:\n(?: .*\n)+/, `${words}\n`).replace('by: picker', 'by: email');

const file = (name: string, secret: string): string => `app_url: https://${name}.acme.com/
login:
  protocol: handoff
  url: https://${name}.acme.com/sso
  issuer: https://${name}.acme.com/
  algorithms: [HS256]
  secret: ${secret}
may_assert: { email_domains: [${name}.example] }
`;
const FILES = {
  'environments.d/us.yaml': file('us', '{ env: US }'),
  'environments.d/eu.yaml': file('eu', '{ env: EU }'),
};

const namesOf = (outcome: Outcome): string[] => [...accepted(outcome).routes.environments.keys()];
const places = (outcome: Outcome) =>
  refused(outcome).map(({ file: at, line, column, path, message }) => [`${at}:${line}:${column}`, path, message]);

t.test(
  'every matching file is one environment, named for the file or by itself, sorted, after those of the file',
  (t) => {
    const alone = checkText(including('include: environments.d/*.yaml'), { files: FILES });
    t.strictSame(namesOf(alone), ['eu', 'us']);
    t.strictSame(noticesOf(alone), []);
    t.strictSame(accepted(alone).files, ['routes.yaml', 'environments.d/eu.yaml', 'environments.d/us.yaml']);

    const more = {
      ...FILES,
      'environments.d/a.yaml': `name: zz-top\n${file('zz', '{ env: OTHER }')}`,
      'environments.d/.b.yaml': '',
    };
    const beside = checkText(
      goodWith(['discovery:', 'include: [./environments.d/a.yaml, "environments.d/*.yaml"]\ndiscovery:']),
      { files: { 'environments.d/a.yaml': more['environments.d/a.yaml'] } },
    );
    t.strictSame(namesOf(beside), ['us', 'eu', 'zz-top'], 'a file that two patterns name is read once');
    t.strictSame(namesOf(checkText(including('include: environments.d/*.yaml'), { files: more })), [
      'zz-top',
      'eu',
      'us',
    ]);
    t.end();
  },
);

t.test('a fault in an included file stands at its own file, line and column', (t) => {
  const us = FILES['environments.d/us.yaml'];
  // biome-ignore format: a table
  const rows: readonly (readonly [title: string, text: string, place: string, path: string, reason: RegExp])[] = [
    ['an unknown key', us.replace('app_url', 'titel: x\napp_url'), '1:1', 'environments.us.titel', /unknown key/],
    ['a missing key', us.replace(/may_assert.*\n/, ''), '1:1', 'environments.us.may_assert', /missing/],
    ['a missing key of a mapping', us.replace(/ {2}issuer.*\n/, ''), '2:1', 'environments.us.login.issuer', /missing/],
    ['a value', us.replace('[HS256]', '[HS257]'), '6:16', 'environments.us.login.algorithms[0]', /HS257/],
    ['a URL', us.replace('https://us.acme.com/sso', 'http://us.acme.com/sso'), '4:8', 'environments.us.login.url', /https/],
    ['a variable', us.replace('env: US', 'env: NOT_SET'), '7:18', 'environments.us.login.secret.env', /NOT_SET/],
    ['a secret twice', us.replace('env: US', 'env: PORTAL'), '7:11', 'environments.us.login.secret', /same secret as portals\.support/],
    ['a domain twice', us.replace('us.example', 'eu.example'), '8:31', 'environments.us.may_assert.email_domains[0]', /several environments/],
    ['an unusual file', us.replace('[HS256]', '\n    - &a HS257'), '7:10', 'environments.us.login.algorithms[0]', /HS257/],
    ['broken syntax', us.replace('[HS256]', '[HS256'), '7:3', '', /./],
    ['an equal key', `${us}app_url: https://x.test/\n`, '9:1', 'app_url', /duplicate key/],
    ['a file without anything', '', '1:1', 'environments.us', /expected a mapping/],
    ['a list', '- a\n', '1:1', 'environments.us', /expected a mapping/],
    ['a name that is none', `name: U.S\n${us}`, '1:7', 'name', /must be a name/],
    ['a name that no key can be', `name: __proto__\n${us}`, '1:7', 'name', /must be a name/],
    ['a name that is no text', `name: [a]\n${us}`, '1:7', 'name', /must be a text/],
    ['an include of its own', `include: x\n${us}`, '1:1', 'environments.us.include', /unknown key/],
  ];
  for (const [title, text, place, path, reason] of rows) {
    const outcome = checkText(including('include: environments.d/*.yaml'), {
      files: { ...FILES, 'environments.d/us.yaml': text },
    });
    const found = refused(outcome).find((problem) => problem.file === 'environments.d/us.yaml');
    t.equal(found && `${found.line}:${found.column} ${found.path}`, `${place} ${path}`, title);
    t.match(found?.message, reason, title);
  }
  t.end();
});

t.test('two environments of one name are a fault at both places', (t) => {
  const files = { ...FILES, 'environments.d/other.yaml': `# ours\nname: us\n${file('o', '{ env: OTHER }')}` };
  t.strictSame(
    places(checkText(including('include: environments.d/*.yaml'), { files })),
    [
      ['environments.d/us.yaml:1:1', '', 'there are two environments "us"'],
      ['environments.d/other.yaml:2:7', 'name', 'there are two environments "us"'],
    ].toSorted(),
  );
  const both = checkText(goodWith(['discovery:', 'include: environments.d/us.yaml\ndiscovery:']), { files: FILES });
  t.strictSame(places(both), [
    ['routes.yaml:11:3', 'environments.us', 'there are two environments "us"'],
    ['environments.d/us.yaml:1:1', '', 'there are two environments "us"'],
  ]);
  t.end();
});

t.test('a pattern that cannot be followed is a fault where it stands, one that nothing matches a notice', (t) => {
  // biome-ignore format: a table
  const rows: readonly (readonly [include: string, path: string, reason: RegExp])[] = [
    ['../*.yaml', 'include', /relative path/], ['/etc/*.yaml', 'include', /relative path/], ['a/*/b.yaml', 'include', /relative path/],
    ['[a/../../b.yaml]', 'include[0]', /relative path/], ['""', 'include', /relative path/], ['environments.d/', 'include', /relative path/], ['12', 'include', /expected|must be/],
    ['[]', 'include', /must not be empty/], ['gone/*.yaml', 'include', /"gone" cannot be read \(ENOENT\)/], ['[gone.yaml]', 'include[0]', /"gone\.yaml" cannot be read \(ENOENT\)/],
  ];
  for (const [include, path, reason] of rows) {
    const outcome = checkText(goodWith(['discovery:', `include: ${include}\ndiscovery:`]), { files: FILES });
    const [problem, ...more] = refused(outcome);
    t.match(problem, { path, message: reason, file: 'routes.yaml', line: 29 }, include);
    t.strictSame(more, [], include);
  }
  const nothing = checkText(goodWith(['discovery:', 'include: environments.d/*.yml\ndiscovery:']), { files: FILES });
  t.strictSame(noticesOf(nothing), ['include: no file matches']);
  t.strictSame(namesOf(nothing), ['us', 'eu']);
  t.strictSame(faultsOf(checkText(including('include: environments.d/*.yml'), { files: FILES })), [
    'environments: required, and missing',
  ]);
  t.strictSame(faultsOf(checkText(including('# nothing'))), ['environments: required, and missing']);
  t.end();
});

t.test('a reference to an environment whose file cannot be read is no second fault', (t) => {
  const text = including('include: environments.d/*.yaml').replace('- by: email', '- { by: default, to: us }');
  const outcome = checkText(text, { files: { 'environments.d/us.yaml': '\0' } });
  t.notMatch(faultsOf(outcome).join('\n'), /there is no environment|required/);
  t.notOk(outcome.ok);
  t.end();
});

t.test('* stands for any characters of one name, and for no dot in front', (t) => {
  // biome-ignore format: a table
  const rows: readonly (readonly [pattern: string, name: string, matches: boolean])[] = [
    ['*.yaml', 'a.yaml', true], ['*.yaml', '.a.yaml', false], ['*.yaml', 'a.yml', false], ['*.yaml', '.yaml', false], ['*', 'a', true], ['*', '..data', false],
    ['a*b*c', 'abc', true], ['a*b*c', 'axxbyyc', true], ['a*b*c', 'acb', false], ['ab*ba', 'aba', false], ['a*', 'b', false], ['a.yaml', 'a.yaml', true], ['a+.yaml', 'aa.yaml', false],
    ['*a'.repeat(60), 'a'.repeat(59), false],
  ];
  for (const [pattern, name, matches] of rows) t.equal(matchesPattern(pattern, name), matches, `${pattern} ${name}`);
  t.end();
});

t.test('on disk: secrets are relative to the file that names them, and links lead nowhere else', async (t) => {
  const outside = t.testdir({
    'theirs.yaml': file('theirs', '{ env: OTHER }'),
    home: {
      'routes.yaml': including('include: environments.d/*.yaml'),
      'eu.secret': `${VARIABLES.EU}\n`,
      'environments.d': { 'eu.yaml': file('eu', '{ file: ../eu.secret }'), us: {} },
    },
  });
  const home = join(outside, 'home');
  const routes = join(home, 'routes.yaml');
  const folder = join(home, 'environments.d');
  const first = accepted(await readRoutes(routes, VARIABLES));
  t.strictSame(first.files, [routes, join(folder, 'eu.yaml'), join(home, 'eu.secret')]);

  symlinkSync('../../theirs.yaml', join(folder, 'theirs.yaml'));
  symlinkSync('loop.yaml', join(folder, 'loop.yaml'));
  symlinkSync('eu.yaml', join(folder, '.hidden.yaml'));
  t.strictSame(
    faultsOf(await readRoutes(routes, VARIABLES)),
    [
      'include: "environments.d/theirs.yaml" leads out of the folder of the routes file',
      'include: "environments.d/loop.yaml" cannot be read (ELOOP)',
    ].toSorted(),
  );
  for (const name of ['theirs.yaml', 'loop.yaml']) rmSync(join(folder, name));

  renameSync(folder, join(outside, 'elsewhere'));
  symlinkSync('../elsewhere', folder);
  t.strictSame(faultsOf(await readRoutes(routes, VARIABLES)), [
    'include: "environments.d" leads out of the folder of the routes file',
  ]);

  // As Kubernetes mounts it: the folder of links is inside.
  rmSync(folder);
  mkdirSync(join(folder, '..2026'), { recursive: true });
  writeFileSync(join(folder, '..2026', 'us.yaml'), Buffer.from(file('us', '{ env: US }')));
  symlinkSync('..2026', join(folder, '..data'));
  symlinkSync('..data/us.yaml', join(folder, 'us.yaml'));
  mkdirSync(join(folder, 'folder.yaml'));
  writeFileSync(join(folder, 'latin.yaml'), Buffer.from('a: \xe9', 'latin1'));
  t.strictSame(
    refused(await readRoutes(routes, VARIABLES)).map((problem) => describeProblem(problem).replaceAll(`${home}/`, '')),
    [
      'routes.yaml:10:10 include: "environments.d/folder.yaml" cannot be read (not a file). An included file is a plain file of YAML.',
      'environments.d/latin.yaml:1:1 the file is not UTF-8. Save it as UTF-8.',
    ],
  );
});

t.test('a change of any file that was read, or would be, is seen in its folder', (t) => {
  const watched = watchedFolders({
    files: ['/w/routes.yaml', '/w/e.d/us.yaml', '/w/secrets/us'],
    patterns: ['/w/e.d/*.yaml', '/w/f.d/*.yaml'],
  });
  t.strictSame([...watched.keys()].toSorted(), ['/w', '/w/e.d', '/w/f.d', '/w/secrets']);
  // biome-ignore format: a table
  const rows = [
    ['/w', 'routes.yaml', true], ['/w', 'wayhome.db', false], ['/w', 'e.d', true], ['/w', '..data', true], ['/w/e.d', 'us.yaml', true], ['/w/e.d', 'new.yaml', true],
    ['/w/e.d', '.us.yaml.swp', false], ['/w/f.d', 'first.yaml', true], ['/w/f.d', '..data', true], ['/w/secrets', 'us', true], ['/w/secrets', 'eu', false],
  ] as const;
  for (const [folder, name, matters] of rows) t.equal(watched.get(folder)?.(name), matters, `${folder}/${name}`);
  t.end();
});

t.test('ten thousand included files are read like one', async (t) => {
  const folder = t.testdir({});
  const written = writeEnvironments(folder, 10_000, 'included');
  const { routes } = accepted(await readRoutes(written, { ...VARIABLES, PORTAL_SECRET: VARIABLES.PORTAL }));
  t.equal(routes.environments.size, 10_000);
  const { byDomain } = routes.routes.discovery;
  t.strictSame(byDomain.get('e9999.example'), ['e9999']);
  t.strictSame(byDomain.get('a.mail-e77.example'), ['e77']);

  writeFileSync(join(folder, 'environments.d', 'e5000.yaml'), 'titel: x\n');
  const problems = refused(await readRoutes(written, { ...VARIABLES, PORTAL_SECRET: VARIABLES.PORTAL }));
  t.ok(problems.every((problem) => problem.file === join(folder, 'environments.d', 'e5000.yaml')));
});
