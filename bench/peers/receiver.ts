/** Takes every logout token. `GET /` tells how many. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

let count = 0;
const server = createServer((request, response) => {
  if (request.method === 'GET') return void response.end(String(count));
  count++;
  request.resume();
  response.writeHead(200, { 'content-length': '0' }).end();
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`receiver at http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.once('SIGTERM', () => process.exit(0));
