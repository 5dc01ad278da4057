import t from 'tap';
import { parseRedisAddress } from '../../src/store/redis-address.ts';

const one = (host: string, port: number) => [{ host, port }];

const ADDRESSES = {
  'redis://h': { kind: 'single', tls: false, hosts: one('h', 6379), database: 0, access: {} },
  'redis://h:7/3': { hosts: one('h', 7), database: 3 },
  'redis://h/': { database: 0 },
  'rediss://[::1]:7': { tls: true, hosts: one('::1', 7) },
  'redis://u:p%40%2F@h': { access: { username: 'u', password: 'p@/' }, printable: 'redis://h' },
  'redis://:p@h/1': { access: { password: 'p' }, printable: 'redis://h/1' },
  'redis://u@h': { access: { username: 'u' } },
  'redis+sentinel://a,b:7/m/2': {
    kind: 'sentinel',
    hosts: [...one('a', 26379), ...one('b', 7)],
    master: 'm',
    database: 2,
  },
  'rediss+cluster://a:1,b:2': { kind: 'cluster', tls: true, hosts: [...one('a', 1), ...one('b', 2)] },
};

for (const [text, expected] of Object.entries(ADDRESSES)) {
  t.test(text, async (t) => {
    t.match(parseRedisAddress(text), expected);
  });
}

const PROBLEMS: Record<string, RegExp> = {
  'http://h': /Redis address/,
  'redis://': /Redis address/,
  'redis+other://h': /Redis address/,
  'redis://u@v@h': /Redis address/,
  'redis://a,b': /one host/,
  'redis://a b': /hosts and ports/,
  'redis://h:65536': /hosts and ports/,
  'redis://h:x': /hosts and ports/,
  'redis://h/x': /number of a database/,
  'redis://h/1/2': /number of a database/,
  'redis+sentinel://h': /master/,
  'redis+sentinel://h//1': /master/,
  'redis+cluster://h/1': /but one/,
  'redis://%zz@h': /percent-encoded/,
};

for (const [text, expected] of Object.entries(PROBLEMS)) {
  t.test(`refused: ${text}`, async (t) => {
    t.match(parseRedisAddress(text), { problem: expected });
  });
}
