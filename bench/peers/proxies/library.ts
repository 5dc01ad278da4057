/**
 * Proxies as libraries offer them, each in a few lines of its own documentation, with a pool of keep-alive connections
 * where it takes one. `node library.ts <which> <port of the upstream>`
 */
import { Agent, createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

const [, , which = '', port] = process.argv;
const upstream = `http://127.0.0.1:${port}`;
const CONNECTIONS = 128;
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

const listen: Record<string, () => Promise<void>> = {
  async 'fast-proxy'() {
    const { default: fastProxy } = await import('fast-proxy');
    const { proxy } = fastProxy({ base: upstream, undici: { connections: CONNECTIONS, pipelining: 1 } });
    serve((request, response) => proxy(request, response, request.url ?? '/', {}));
  },
  async '@fastify/http-proxy'() {
    const { default: Fastify } = await import('fastify');
    const { default: httpProxy } = await import('@fastify/http-proxy');
    const app = Fastify({ logger: false });
    app.register(httpProxy, { upstream, websocket: true, undici: { connections: CONNECTIONS, pipelining: 1 } });
    console.log(`listening at ${await app.listen({ port: 0, host: '127.0.0.1' })}`);
  },
  async httpxy() {
    const { createProxyServer } = await import('http-proxy');
    const proxy = createProxyServer({ target: upstream, agent });
    const server = serve((request, response) => void proxy.web(request, response));
    server.on('upgrade', (request, socket, head) => void proxy.ws(request, socket as never, { agent: false }, head));
  },
  async 'http-proxy-3'() {
    const { default: httpProxy } = await import('http-proxy-3');
    const proxy = httpProxy.createProxyServer({ target: upstream, agent });
    serve((request, response) => proxy.web(request, response));
  },
  async 'http-proxy'() {
    const { default: httpProxy } = await import('http-proxy-1');
    const proxy = httpProxy.createProxyServer({ target: upstream, agent });
    serve((request, response) => proxy.web(request, response));
  },
  async 'http-proxy-as-it-comes'() {
    const { default: httpProxy } = await import('http-proxy-1');
    const proxy = httpProxy.createProxyServer({ target: upstream });
    serve((request, response) => proxy.web(request, response));
  },
};

function serve(listener: RequestListener) {
  const server = createServer(listener);
  return server.listen(0, '127.0.0.1', () => {
    console.log(`listening at http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
}

await listen[which]?.();
