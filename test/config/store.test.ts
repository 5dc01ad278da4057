import t from 'tap';
import { accepted, checkText, goodWith, VARIABLES } from './routes-text.ts';

const storeOf = (store: string, secrets?: 'not_needed') => {
  const text = goodWith(['portals:', `store: ${store}\nportals:`]);
  const variables = { ...VARIABLES, REDIS: 'canary-redis-password-0123456789' };
  const { routes, notices } = accepted(checkText(text, { variables, ...(secrets && { secrets }) }));
  return { store: routes.store, redis: routes.redis, notices: notices.map(({ message }) => message) };
};

t.test('a store is where it is, and who enters there; the former may be printed', async (t) => {
  t.same(storeOf('sqlite:x.db'), { store: 'sqlite:x.db', redis: undefined, notices: [] });
  t.same(storeOf('redis://h:7/1'), { store: 'redis://h:7/1', redis: {}, notices: [] });
  t.same(storeOf('{ redis: "rediss+cluster://a,b", username: u, password: { env: REDIS }, replicas: 2 }'), {
    store: 'rediss+cluster://a,b',
    redis: { username: 'u', password: 'canary-redis-password-0123456789', replicas: 2 },
    notices: [],
  });
  t.same(
    storeOf('redis://u:canary@h'),
    {
      store: 'redis://h',
      redis: { username: 'u', password: 'canary' },
      notices: ['a password stands in this file'],
    },
    'accepted, and told',
  );
});

t.test(
  'its password is read for questions about the routes alone, too: they may ask what the store recorded',
  async (t) => {
    const { redis } = storeOf('{ redis: "redis://h", password: { env: REDIS } }', 'not_needed');
    t.equal(redis?.password, 'canary-redis-password-0123456789');
    t.ok(storeOf('{ redis: "redis://h", password: { env: NOT_SET } }', 'not_needed').redis?.password);
  },
);
