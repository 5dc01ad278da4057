import type { Test } from 'tap';
import { leaksOf } from '../support/leaks.ts';
import { openWorld, type World, type WorldOptions } from '../support/world.ts';

const opened: World[] = [];

/** A world whose every answer and log line is searched for secrets at the end of the file. */
export async function openAttackWorld(t: Parameters<typeof openWorld>[0], options?: WorldOptions): Promise<World> {
  const world = await openWorld(t, options);
  opened.push(world);
  return world;
}

/** The last test of every file of attacks. */
export function searchForLeaks(t: Test): void {
  t.test('case 39: no secret, token, state or cookie is where it does not belong, nor any email in the log', (t) => {
    t.ok(opened.length > 0);
    for (const world of opened) {
      t.ok(world.exchanges.length > 0 && world.lines.length > 0, 'there is something to search');
      t.same(leaksOf(world), []);
    }
    t.end();
  });
}
