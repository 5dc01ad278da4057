import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type RoutesWatch, watchRoutes } from '../../src/cli/watch-routes.ts';
import { watchedFolders } from '../../src/config/watched.ts';

/** Answers when the next change is reported. */
function watching(): { watch: RoutesWatch; next(): Promise<void>; seen(): number } {
  let seen = 0;
  let heard: () => void = () => {};
  const watch = watchRoutes(() => {
    seen++;
    heard();
  });
  return { watch, seen: () => seen, next: () => new Promise((resolve) => (heard = resolve)) };
}

t.test('a new, changed or replaced file in any folder of the routes is seen, other files are not', async (t) => {
  const folder = t.testdir({ 'routes.yaml': 'a', 'e.d': { 'us.yaml': 'a' }, other: { 'us.yaml': 'a' } });
  const { watch, next, seen } = watching();
  t.teardown(() => watch.close());
  const files = [join(folder, 'routes.yaml'), join(folder, 'e.d/us.yaml')];
  watch.follow(watchedFolders({ files, patterns: [join(folder, 'e.d/*.yaml'), join(folder, 'gone/*.yaml')] }));

  const changes: readonly (readonly [what: string, change: () => void])[] = [
    ['a file that was read', () => writeFileSync(join(folder, 'e.d/us.yaml'), 'b')],
    ['a file that now matches', () => writeFileSync(join(folder, 'e.d/eu.yaml'), 'b')],
    [
      'the routes file, replaced',
      () => {
        writeFileSync(join(folder, 'routes.new'), 'b');
        renameSync(join(folder, 'routes.new'), join(folder, 'routes.yaml'));
      },
    ],
    ['a folder that was missed', () => mkdirSync(join(folder, 'gone'))],
  ];
  for (const [what, change] of changes) {
    const changed = next();
    change();
    await changed;
    t.pass(what);
  }
  t.equal(seen(), changes.length, 'writes that follow each other are one change');

  // Events come in their order: had these mattered, they would be seen before the last one.
  const changed = next();
  writeFileSync(join(folder, 'wayhome.db'), 'b');
  writeFileSync(join(folder, 'e.d/.us.yaml.swp'), 'b');
  writeFileSync(join(folder, 'other/us.yaml'), 'b');
  watch.nudge();
  await changed;
  t.equal(seen(), changes.length + 1);
});

t.test('what is not followed any more is not seen any more', async (t) => {
  const folder = t.testdir({ a: { 'x.yaml': '' }, b: { 'x.yaml': '' } });
  const { watch, next, seen } = watching();
  t.teardown(() => watch.close());
  watch.follow(watchedFolders({ files: [join(folder, 'a/x.yaml')], patterns: [] }));
  watch.follow(watchedFolders({ files: [join(folder, 'b/x.yaml')], patterns: [] }));
  const changed = next();
  writeFileSync(join(folder, 'a/x.yaml'), 'b');
  writeFileSync(join(folder, 'b/x.yaml'), 'b');
  await changed;
  t.equal(seen(), 1);
});
