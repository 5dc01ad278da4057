/**
 * Where a Redis store is, as the routes file says it:
 *
 * - `redis://host:6379/0`, one server
 * - `redis+sentinel://host:26379,host:26379/<master>/0`, whichever server the Sentinels call the master
 * - `redis+cluster://host:7000,host:7001`, whichever node of a Cluster has our slot
 *
 * With `rediss` in place of `redis` every connection is encrypted. User and password may stand before the hosts.
 */
export type RedisAddress = {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly tls: boolean;
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** What the Sentinels call it. */
  readonly master?: string;
  readonly database: number;
  readonly access: RedisAccess;
  /** The same address without user and password. */
  readonly printable: string;
};

export type RedisAccess = {
  readonly username?: string;
  readonly password?: string;
  /** Replicas that must have a change before it counts as made. Absent: none. */
  readonly replicas?: number;
};

const SHAPE = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^@/]+)((?:\/[^/]*)*)$/;
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/i;

/** A problem is a sentence's end: what the address must be. */
export function parseRedisAddress(text: string): RedisAddress | { readonly problem: string } {
  const [, scheme, topology, access, list, rest = ''] = SHAPE.exec(text) ?? [];
  if (scheme === undefined || list === undefined) return { problem: 'must be a Redis address' };
  const kind = (topology ?? 'single') as RedisAddress['kind'];
  const hosts = list.split(',').map((one) => parseHost(one, kind === 'sentinel' ? 26_379 : 6_379));
  if (kind === 'single' && hosts.length > 1) return { problem: 'must name one host' };
  const parts = rest.split('/').slice(1);
  const master = kind === 'sentinel' ? parts.shift() : undefined;
  if (kind === 'sentinel' && !master) return { problem: 'must name the master after its hosts' };
  const [database = '', ...more] = parts;
  if (more.length > 0 || !/^\d{0,3}$/.test(database)) return { problem: 'must end with the number of a database' };
  if (kind === 'cluster' && Number(database) !== 0)
    return { problem: 'must not name a database: a Cluster has but one' };
  const found = hosts.filter((host) => host !== undefined);
  if (found.length < hosts.length) return { problem: 'must name hosts and ports' };
  const named = parseAccess(access);
  if (!named) return { problem: 'must have its user and password percent-encoded' };
  return {
    kind,
    tls: scheme === 'rediss',
    hosts: found,
    ...(master !== undefined && { master }),
    database: Number(database),
    access: named,
    printable: access === undefined ? text : text.replace(`${access}@`, ''),
  };
}

function parseHost(text: string, otherwise: number): RedisAddress['hosts'][number] | undefined {
  const [, host, port] = HOST.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535) return undefined;
  return { host: host.replace(/^\[|\]$/g, ''), port: port === undefined ? otherwise : Number(port) };
}

function parseAccess(text = ''): RedisAccess | undefined {
  const colon = text.indexOf(':');
  try {
    const username = decodeURIComponent(colon < 0 ? text : text.slice(0, colon));
    const password = colon < 0 ? '' : decodeURIComponent(text.slice(colon + 1));
    return { ...(username && { username }), ...(password && { password }) };
  } catch {
    return undefined;
  }
}
