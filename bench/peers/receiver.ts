/** Takes every logout token, in the gaps that the others leave: what it costs is not the router's. `GET /` tells how many. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { leaveCoresToOthers } from '../../src/logout/leave-cores.ts';

let count = 0;
const server = createServer((request, response) => {
  if (request.method === 'GET') return void response.end(String(count));
  count++;
  request.resume();
  response.writeHead(200, { 'content-length': '0' }).end();
});
server.listen(0, '127.0.0.1', () => {
  leaveCoresToOthers(process.pid);
  process.stdout.write(`receiver at http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.once('SIGTERM', () => process.exit(0));
