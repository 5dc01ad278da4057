import t from 'tap';
import { admit, decide } from '../../src/core/decide.ts';
import { pickable } from '../../src/core/discovery.ts';
import { closedFor, type Environment, isOpen } from '../../src/core/environment.ts';
import type { Facts } from '../../src/core/facts.ts';
import type { EnvironmentName, PortalName } from '../../src/core/names.ts';
import type { Portal } from '../../src/core/portal.ts';
import type { Routes } from '../../src/core/routes.ts';
import { parseInstant } from '../../src/core/time.ts';

const environment = (own: Partial<Environment>): Environment => ({
  name: 'us' as EnvironmentName,
  title: 'US',
  appUrl: 'https://us.test/',
  listed: true,
  disabled: false,
  mayAssert: { emailDomains: 'any', claims: new Set(), grants: new Set(), emailVerified: 'not_required' },
  sets: {},
  ...own,
});

// biome-ignore format: a table
const ROWS: readonly (readonly [title: string, own: Partial<Environment>, now: number, closed: string | undefined])[] = [
  ['always open', {}, 0, undefined],
  ['disabled wins over its time', { disabled: true, from: 10 }, 5, 'environment_disabled'],
  ['a second before it opens', { from: 10 }, 9, 'environment_not_open_yet'],
  ['when it opens', { from: 10 }, 10, undefined],
  ['its last second', { from: 10, until: 20 }, 19, undefined],
  ['when it closes', { from: 10, until: 20 }, 20, 'environment_closed'],
  ['closed from the beginning of time', { until: 0 }, 0, 'environment_closed'],
];

for (const [title, own, now, closed] of ROWS) {
  t.test(`planned: ${title}`, (t) => {
    const us = environment(own);
    t.equal(closedFor(us, now), closed);
    t.equal(isOpen(us, now), closed === undefined);

    const portal: Portal = { name: 'p' as PortalName, title: 'P', environments: new Set([us.name]) };
    const routes: Routes = {
      portals: new Map([[portal.name, portal]]),
      environments: new Map([[us.name, us]]),
      discovery: { steps: [{ by: 'hint', params: ['env'] }], byDomain: new Map(), byAppOrigin: new Map() },
    };
    t.strictSame(pickable(routes.environments, portal, now).length, closed === undefined ? 1 : 0, 'in the picker');
    t.strictSame(admit(routes, portal, us.name, now), closed === undefined ? { environment: us } : { reason: closed });

    const facts: Facts = {
      query: (name) => (name === 'env' ? 'us' : undefined),
      returnQuery: () => undefined,
      header: () => undefined,
      host: 'login.test',
      clientIp: '192.0.2.1',
      visits: [],
      unfinished: [],
    };
    const request = { portal: portal.name, initiated: 'portal', params: {} } as const;
    const decision = decide(routes, { about: 'start', request, facts }, now);
    t.equal(decision.do, closed === undefined ? 'depart' : 'refuse', 'by hint');
    t.end();
  });
}

t.test('a date begins at midnight of UTC; a time needs its zone', (t) => {
  // biome-ignore format: a table
  const rows: readonly (readonly [text: string, instant: number | undefined])[] = [
    ['1970-01-02', 86_400], ['1970-01-01T00:01Z', 60], ['1970-01-01T01:00:05+01:00', 5], ['1969-12-31T23:30-01:00', 1_800], ['2024-02-29', Date.UTC(2024, 1, 29) / 1000],
    ['2026-02-29', undefined], ['2026-04-31', undefined], ['2026-00-01', undefined], ['1970-01-01T00:00', undefined], ['1970-01-01T24:00Z', undefined], ['1970-01-01 00:00Z', undefined],
    ['1970-01-01T00:00:00.5Z', undefined], ['1970-1-1', undefined], ['', undefined], ['+271821-04-20', undefined],
  ];
  for (const [text, instant] of rows) t.equal(parseInstant(text), instant, text);
  t.end();
});
