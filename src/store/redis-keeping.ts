/**
 * Whether a server keeps what it is given, by what it says of itself (`INFO`): what to warn of. Throws where it may evict
 * keys, since it forgets claims then: what was used up could be used again.
 */
export function judgeKeeping(info: string): readonly string[] {
  const read = (field: string) => new RegExp(`^${field}:(\\S+)`, 'm').exec(info)?.[1];
  const policy = read('maxmemory_policy') ?? 'noeviction';
  if (policy !== 'noeviction' && Number(read('maxmemory') ?? 0) > 0)
    throw new Error(`it may evict keys (maxmemory-policy ${policy}); set maxmemory-policy noeviction`);
  if (read('aof_enabled') !== '0') return [];
  return ['Redis has appendonly off: what was used before it restarts can be used again, and notices are lost'];
}
