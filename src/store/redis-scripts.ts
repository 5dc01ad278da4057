/**
 * What runs inside Redis: each script is one atomic step (https://redis.io/docs/latest/develop/programmability/eval-intro/).
 *
 * `KEYS[1]` is the prefix of all our keys. It is a hash tag, so that a Cluster keeps them in one slot: what claims two
 * keys, both or none, has to find them in one place. A Cluster so gives us its failover, not its spread.
 *
 * No script asks Redis for the time. Instants are the routers' own, stored beside what they concern; the expiry (PX,
 * milliseconds) only forgets, some time after them.
 */
export const PREFIX = '{wayhome}';

/** ARGV: now, then for each claim its key, until and PX. The number of the first that is taken, or 0. */
const claim = `
  for i = 2, #ARGV, 3 do
    local taken = redis.call('GET', KEYS[1] .. ':claim:' .. ARGV[i])
    if taken and tonumber(taken) >= tonumber(ARGV[1]) then return (i + 1) / 3 end
  end
  for i = 2, #ARGV, 3 do
    redis.call('SET', KEYS[1] .. ':claim:' .. ARGV[i], ARGV[i + 1], 'PX', ARGV[i + 2])
  end
  return 0
`;

/** ARGV: name, value. The value that is kept now. */
const keep = `
  local key = KEYS[1] .. ':kept:' .. ARGV[1]
  redis.call('SET', key, ARGV[2], 'NX')
  return redis.call('GET', key)
`;

/** ARGV: name, old, next. */
const replace = `
  local key = KEYS[1] .. ':kept:' .. ARGV[1]
  if redis.call('GET', key) ~= ARGV[2] then return 0 end
  redis.call('SET', key, ARGV[3])
  return 1
`;

/** A thing is a hash; a group the names of its things, by the order in which they were held. */
const THINGS = `
  local p = KEYS[1] .. ':'
  local function forget(name)
    local groups = redis.call('HGET', p .. 'held:' .. name, 'groups')
    for _, group in ipairs(groups and cjson.decode(groups) or {}) do redis.call('ZREM', p .. 'group:' .. group, name) end
    redis.call('DEL', p .. 'held:' .. name)
  end
`;

/** ARGV: now, things as JSON. Names that expired are dropped from a group some at a time, whenever it grows. */
const hold = `${THINGS}
  for _, thing in ipairs(cjson.decode(ARGV[2])) do
    local key = p .. 'held:' .. thing.name
    local before = redis.call('HMGET', key, 'until', 'spent')
    forget(thing.name)
    redis.call('HSET', key, 'value', thing.value, 'until', thing['until'], 'groups', cjson.encode(thing.groups))
    if before[2] and tonumber(before[1]) >= tonumber(ARGV[1]) then redis.call('HSET', key, 'spent', before[2]) end
    redis.call('PEXPIRE', key, thing.px)
    for _, group in ipairs(thing.groups) do
      local members = p .. 'group:' .. group
      redis.call('ZADD', members, redis.call('INCR', p .. 'held'), thing.name)
      if redis.call('PTTL', members) < thing.px then redis.call('PEXPIRE', members, thing.px) end
      for _, name in ipairs(redis.call('ZRANGE', members, 0, 9)) do
        if redis.call('EXISTS', p .. 'held:' .. name) == 0 then redis.call('ZREM', members, name) end
      end
    end
  end
`;

/** ARGV: now, name. */
const spend = `
  local key = KEYS[1] .. ':held:' .. ARGV[2]
  local thing = redis.call('HMGET', key, 'until', 'spent')
  if not thing[1] or tonumber(thing[1]) < tonumber(ARGV[1]) then return 'unknown' end
  if thing[2] then return 'spent' end
  redis.call('HSET', key, 'spent', ARGV[1])
  return 'first'
`;

/** ARGV: names. */
const release = `${THINGS}
  for _, name in ipairs(ARGV) do forget(name) end
`;

/** ARGV: group. */
const releaseGroup = `${THINGS}
  for _, name in ipairs(redis.call('ZRANGE', p .. 'group:' .. ARGV[1], 0, -1)) do forget(name) end
`;

/** ARGV: now, group, most. Name, value and when it was spent of each. */
const heldIn = `
  local p, found, seen = KEYS[1] .. ':', {}, 0
  local members, most = p .. 'group:' .. ARGV[2], tonumber(ARGV[3])
  repeat
    local names = redis.call('ZREVRANGE', members, seen, seen + 99)
    seen = seen + #names
    for _, name in ipairs(names) do
      local thing = redis.call('HMGET', p .. 'held:' .. name, 'until', 'value', 'spent')
      if #found < most and thing[1] and tonumber(thing[1]) >= tonumber(ARGV[1]) then
        found[#found + 1] = { name, thing[2], thing[3] }
      end
    end
  until #names < 100 or #found >= most
  return found
`;

/** ARGV: how many to keep, then decisions. */
const record = `
  local key = KEYS[1] .. ':decisions'
  for i = 2, #ARGV do redis.call('RPUSH', key, ARGV[i]) end
  redis.call('LTRIM', key, -ARGV[1], -1)
`;

export const scripts = { claim, keep, replace, hold, spend, release, releaseGroup, heldIn, record };
