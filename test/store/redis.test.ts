import t from 'tap';
import { openStore } from '../../src/store/open.ts';
import { notModelled } from '../conformance/notices-model.ts';
import { counterparts, without } from '../support/counterparts.ts';
import { emptyRedis, startCluster, startRedis } from '../support/redis.ts';
import { keepsItsPromises } from './redis-promises.ts';

const skip = without(counterparts.redis);

t.test('one Redis keeps its promises', { skip }, async (t) => {
  const server = await startRedis(t);
  keepsItsPromises(t, server.address, [server.port]);
  t.test('whatever is done to its outbox', async () => {
    await notModelled(async () => {
      await emptyRedis([server.port]);
      return openStore(server.address);
    }, 100);
  });
});

t.test('a Cluster of three keeps its promises', { skip }, async (t) => {
  const nodes = await startCluster(t);
  const address = `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join()}`;
  keepsItsPromises(
    t,
    address,
    nodes.map(({ port }) => port),
  );
});
