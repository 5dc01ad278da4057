/** Bytes from socket to socket, no HTTP: what a proxy in node cannot get below. `node splice.ts <port of the upstream>` */
import { type AddressInfo, connect, createServer } from 'node:net';

const upstreamPort = Number(process.argv[2]);

const server = createServer({ noDelay: true }, (socket) => {
  const upstream = connect({ port: upstreamPort, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => upstream.destroy());
  upstream.on('error', () => socket.destroy());
  socket.pipe(upstream).pipe(socket);
});
server.listen(0, '127.0.0.1', () => {
  console.log(`listening at http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
