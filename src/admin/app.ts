/** The admin listener: for load balancers and operators, on an address of its own. It changes nothing. */
import Fastify, { type FastifyInstance } from 'fastify';
import type { Store } from '../store/store.ts';
import { serveLogouts } from './logouts.ts';
import type { Metrics } from './metrics.ts';

export type AdminView = {
  readonly store: Store;
  readonly metrics: Metrics;
  /** Whether logins are taken: false while starting and while draining. */
  readonly takesLogins: () => boolean;
};

export function openAdmin({ store, metrics, takesLogins }: AdminView): FastifyInstance {
  const app = Fastify({ logger: false });
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const answers = await store.ping().then(
      () => true,
      () => false,
    );
    const ready = takesLogins() && answers;
    return reply.code(ready ? 200 : 503).send({ ready, store: answers ? 'ok' : 'unavailable' });
  });
  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = metrics;
    return reply.type(contentType).send(await text());
  });
  serveLogouts(app, store.notices);
  return app;
}
