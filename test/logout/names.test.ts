/** What a visit remembers so that its environment can be told: names as the environment wrote them, and nothing else. */
import t from 'tap';
import type { EnvironmentName, PortalName } from '../../src/core/names.ts';
import { sessionNames } from '../../src/core/visit.ts';
import { readVisits, setVisitCookie } from '../../src/http/cookies.ts';
import { randomBytes } from '../../src/keys/random.ts';
import { openSealer } from '../../src/keys/seal.ts';
import { toldVisits } from '../../src/logout/told-visits.ts';
import { visit } from './outpost.ts';

const sealer = openSealer([randomBytes(32)], randomBytes);

t.test('a name is text that a cookie has room for, byte for byte', (t) => {
  t.same(sessionNames('ada', 's1'), { subject: 'ada', sid: 's1' });
  t.same(sessionNames('x'.repeat(255), undefined), { subject: 'x'.repeat(255) });
  t.same(sessionNames(' Ada <ä> ', '"'), { subject: ' Ada <ä> ', sid: '"' });
  const none = ['', 'x'.repeat(256), 'ä'.repeat(128), '"'.repeat(128), '\u0000'.repeat(50), '\ud800', 7, null, ['ada']];
  for (const name of none) t.same(sessionNames(name, name), {}, JSON.stringify(name));
  t.end();
});

t.test('a visit’s cookie holds its names sealed, and stays below what a browser takes', (t) => {
  const [portal, environment] = ['support' as PortalName, 'us' as EnvironmentName];
  const long = visit('us', {
    appUrl: `https://us.acme.test/${'a'.repeat(100)}`,
    frontLogout: { url: `https://us.acme.test/${'b'.repeat(150)}`, returnParam: 'return_to' },
    session: 's'.repeat(1_800),
    subject: 'x'.repeat(255),
    sid: 'y'.repeat(255),
  });
  const [pair = ''] = setVisitCookie(long, sealer).split(';');
  t.ok(pair.length < 4_096, `${pair.length} characters`);
  t.same(readVisits(pair, portal, sealer), [long]);
  t.notMatch(pair, /xxxx|yyyy/);

  const text = JSON.stringify([long.at, long.appUrl, null, null, 'session']);
  const older = `__Host-wayhome-visit.support.us=${sealer.seal(['visit', portal, environment], text, long.at)}`;
  const { portal: _, ...rest } = readVisits(older, portal, sealer)[0] ?? {};
  t.same(rest, { environment, at: long.at, appUrl: long.appUrl, session: 'session' }, 'one of an older version');
  t.end();
});

t.test('a session is told of once, and one that has no name is not', (t) => {
  const told = (fanOut: 'origin' | 'visited' | 'all', ...visits: ReturnType<typeof visit>[]) =>
    toldVisits(fanOut, visits).map(({ id }) => id);
  const early = visit('us', { at: 1 });
  const late = visit('eu', { at: 2 });
  t.same(told('origin', early, late), [late.id]);
  t.same(told('visited', early, late), [early.id, late.id]);
  t.same(told('all', early, late), [early.id, late.id]);
  t.same(told('visited'), []);

  const again = visit('us', { at: 3, portal: 'docs' as PortalName });
  t.same(told('visited', early, again), [early.id], 'through two portals');
  const another = visit('us', { at: 4, portal: 'docs' as PortalName, subject: 'grace@acme.test' });
  t.same(told('visited', early, another), [early.id, another.id], 'two people in one browser');
  const { subject: _, sid: __, ...nameless } = visit('us', { at: 5 });
  t.same(told('visited', early, nameless), [early.id]);
  t.same(told('origin', early, nameless), [early.id], 'another visit there has one');
  t.end();
});
