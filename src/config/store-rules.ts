import { parseRedisAddress, type RedisAccess } from '../store/redis-address.ts';
import type { CheckedRoutes } from './checked.ts';
import type { Path } from './problem.ts';
import type { RoutesFile } from './schema.ts';
import { besideFile, type Secrets } from './secrets.ts';
import type { Survey } from './survey.ts';

const REMEDY =
  'redis://host:6379/0, redis+sentinel://host:26379,host:26379/master/0 or redis+cluster://host:7000,host:7001.';

/** A Redis address says where Redis is; who may enter is better said beside it. */
export function checkStore({ draft: { store }, report }: Survey): void {
  const path: Path = typeof store === 'string' ? ['store'] : ['store', 'redis'];
  const text = typeof store === 'string' ? store : store?.redis;
  if (text === undefined || !isRedis(text)) return;
  const address = parseRedisAddress(text);
  if ('problem' in address) {
    report.fault(path, address.problem, `For example ${REMEDY}`);
    return;
  }
  const { username, password } = address.access;
  const twice = typeof store === 'object' && (username !== undefined || password !== undefined);
  if (twice) report.fault(path, 'holds a user or a password', 'Write them as username and password beside it.');
  else if (password !== undefined) {
    const remedy = 'Write store: { redis: …, password: { env: NAME } }.';
    report.notice(path, 'a password stands in this file', remedy);
  }
}

/** Where it is, which may be printed, and who enters there. */
export function buildStore(
  store: RoutesFile['store'],
  file: string,
  secrets: Secrets,
): Pick<CheckedRoutes, 'store' | 'redis'> {
  const text = (typeof store === 'object' ? store.redis : store) ?? 'sqlite:./data/wayhome.db';
  if (text.startsWith('sqlite:')) return { store: `sqlite:${besideFile(file, text.slice('sqlite:'.length))}` };
  if (!isRedis(text)) return { store: text };
  const address = parseRedisAddress(text);
  if ('problem' in address) throw new Error('a Redis address that was checked cannot be read');
  return {
    store: address.printable,
    redis: { ...address.access, ...(typeof store === 'object' && accessOf(store, secrets)) },
  };
}

function accessOf(store: Exclude<RoutesFile['store'], string | undefined>, secrets: Secrets): RedisAccess {
  const password = store.password && secrets.get(store.password)?.toString('utf8');
  return {
    ...(store.username !== undefined && { username: store.username }),
    ...(password !== undefined && { password }),
    ...(store.replicas !== undefined && { replicas: store.replicas }),
  };
}

const isRedis = (text: string): boolean => /^rediss?[+:]/.test(text);
