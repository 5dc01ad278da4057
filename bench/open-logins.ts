/** What the server keeps of a login that has started and not come back. */
import { median } from './figures.ts';
import { walkTimes } from './load.ts';
import { startLogin } from './login.ts';
import type { Server } from './server.ts';
import { LOGIN_PATHS } from './world.ts';

const BATCHES = 5;

/** Live bytes more for each further open login, the median over batches; a collection stands before each reading. */
export async function bytesPerOpenLogin(server: Server, logins: number): Promise<number> {
  const each = Math.floor(logins / BATCHES);
  const readings: number[] = [];
  for (let batch = 0; batch <= BATCHES; batch++) {
    await walkTimes(server, (connection) => startLogin(connection, LOGIN_PATHS.hs256), each, 32);
    readings.push((await server.ask('collect')).liveBytes);
  }
  return median(readings.slice(1).map((bytes, index) => (bytes - (readings[index] ?? bytes)) / each));
}
