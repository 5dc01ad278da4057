import type { Test } from 'tap';
import { leaksOf, type Searched } from '../support/leaks.ts';
import { type Serving, startServe } from '../support/process.ts';
import { openWorld, type World, type WorldOptions } from '../support/world.ts';

const opened: Searched[] = [];

/** A world whose every answer and log line is searched for secrets at the end of the file. */
export async function openAttackWorld(t: Parameters<typeof openWorld>[0], options?: WorldOptions): Promise<World> {
  const world = await openWorld(t, options);
  opened.push(world);
  return world;
}

/** A process of its own that is searched, too. */
export async function startAttackedServe(t: Parameters<typeof startServe>[0], file: string): Promise<Serving> {
  const serving = await startServe(t, file);
  opened.push(serving);
  return serving;
}

/** The last test of every file of attacks. */
export function searchForLeaks(t: Test): void {
  t.test('case 39: no secret, token, state or cookie is where it does not belong, nor any email in the log', (t) => {
    t.ok(
      opened.some(({ exchanges, lines }) => exchanges.length > 0 && lines.length > 0),
      'there is something to search',
    );
    for (const world of opened) {
      t.same(leaksOf(world), []);
    }
    t.end();
  });
}
