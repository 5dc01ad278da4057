import type { Test } from 'tap';
import { REASONS, type Reason } from '../../src/core/reason.ts';
import type { Seen } from './browser.ts';
import { comeBack, portalToken, type UsualEnvironment, type World } from './world.ts';

/**
 * DENY: a 4xx page with a reference, no redirect, no token anywhere, and exactly one line of the log, which has this
 * reason and the page's reference. `act` may start a login first, which leaves no line.
 */
export async function denied(
  t: Test,
  world: World,
  what: string,
  reason: Reason,
  act: () => Promise<Seen>,
): Promise<Seen> {
  const before = world.lines.length;
  const seen = await act();
  const events = world.events().slice(before);
  t.match(
    {
      status: seen.status,
      location: seen.location,
      token: /eyJ[\w-]+\.|access_token=/.test(JSON.stringify([seen.headers, seen.body])),
      events: events.map((event) => [String(event.event).split('.')[1], event.reason]),
    },
    { status: REASONS[reason].status, location: '', token: false, events: [['refused', reason]] },
    what,
  );
  t.ok(REASONS[reason].status < 500 && /^[0-9a-z]{10}$/.test(seen.reference), `${what}: a 4xx page with a reference`);
  t.equal(events[0]?.reference, seen.reference, `${what}: the log has the page’s reference`);
  return seen;
}

/** ALIVE: the same router serves somebody else's login. */
export async function alive(t: Test, world: World, environment: UsualEnvironment = 'us'): Promise<void> {
  const seen = await comeBack(world, world.browser(), environment);
  t.ok(seen.status === 302 && portalToken(seen) !== '', 'the next login succeeds');
}
