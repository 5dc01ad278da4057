/**
 * The outbox in Redis, one atomic step each (see redis-scripts.ts for `KEYS[1]`). A cursor is written with 16 digits,
 * so that what is due at the same time is taken in the order in which it was posted.
 *
 * | key | what |
 * |---|---|
 * | notice:<cursor> | a hash: the notice |
 * | ids | a hash: id → cursor |
 * | run:<run>, state:<state>, in:<state>:<lane> | cursors by cursor, for lists |
 * | counts | a hash: <state>:<lane> → how many |
 * | order:<order> | cursors of those to be pushed, by when they wake: when they are due, or their lease ends |
 * | stands:<order> | the one of them that stands for its order: the one that is taken, or else the next |
 * | queue:<lane> | cursors that stand for an order, by when they wake |
 * | lanes | lanes, by when the first in their queue wakes |
 * | served | a hash: lane → when one of it was taken last |
 * | turns | lanes, by the later of the two |
 * | leased:<lane> | cursors that are taken, by the end of their lease |
 * | feed:<lane> | cursors of those to be fetched, by cursor |
 * | unfetched | the same of all lanes, by when they are given up |
 * | done | cursors of what is delivered or dead, by when that was |
 */
const NOTICES = `
  local p = KEYS[1] .. ':'
  local function notice(cursor) return p .. 'notice:' .. cursor end
  local function count(state, lane, by)
    if redis.call('HINCRBY', p .. 'counts', state .. ':' .. lane, by) == 0 then
      redis.call('HDEL', p .. 'counts', state .. ':' .. lane)
    end
  end
  local function leave(cursor, state, lane)
    redis.call('ZREM', p .. 'state:' .. state, cursor)
    redis.call('ZREM', p .. 'in:' .. state .. ':' .. lane, cursor)
    count(state, lane, -1)
  end
  local function enter(cursor, state, lane, now)
    redis.call('HSET', notice(cursor), 'state', state, 'changedAt', now)
    redis.call('ZADD', p .. 'state:' .. state, cursor, cursor)
    redis.call('ZADD', p .. 'in:' .. state .. ':' .. lane, cursor, cursor)
    count(state, lane, 1)
    if state == 'delivered' or state == 'dead' then redis.call('ZADD', p .. 'done', now, cursor) end
  end
  local function wake(lane)
    local first = redis.call('ZRANGE', p .. 'queue:' .. lane, 0, 0, 'WITHSCORES')
    if first[2] then
      redis.call('ZADD', p .. 'lanes', first[2], lane)
      local served = redis.call('HGET', p .. 'served', lane) or 0
      redis.call('ZADD', p .. 'turns', math.max(tonumber(first[2]), tonumber(served)), lane)
    else
      redis.call('ZREM', p .. 'lanes', lane)
      redis.call('ZREM', p .. 'turns', lane)
      redis.call('HDEL', p .. 'served', lane)
    end
  end
  local function appoint(order)
    local current = redis.call('GET', p .. 'stands:' .. order)
    if current and redis.call('HGET', notice(current), 'state') == 'taken' then return end
    local head = redis.call('ZRANGE', p .. 'order:' .. order, 0, 0, 'WITHSCORES')
    if current and current ~= head[1] then
      local lane = redis.call('HGET', notice(current), 'lane')
      redis.call('ZREM', p .. 'queue:' .. lane, current)
      redis.call('DEL', p .. 'stands:' .. order)
      wake(lane)
    end
    if head[1] then
      local lane = redis.call('HGET', notice(head[1]), 'lane')
      redis.call('SET', p .. 'stands:' .. order, head[1])
      redis.call('ZADD', p .. 'queue:' .. lane, head[2], head[1])
      wake(lane)
    end
  end
  local function offer(cursor, lane, giveUpAt)
    redis.call('ZADD', p .. 'feed:' .. lane, cursor, cursor)
    redis.call('ZADD', p .. 'unfetched', giveUpAt, cursor)
  end
  local function conclude(cursor, lane, state, now)
    redis.call('ZREM', p .. 'feed:' .. lane, cursor)
    redis.call('ZREM', p .. 'unfetched', cursor)
    leave(cursor, 'waiting', lane)
    enter(cursor, state, lane, now)
  end
  local function nextCursor() return string.format('%016d', redis.call('INCR', p .. 'cursor')) end
`;

/** ARGV: now, notices as JSON. */
const post = `${NOTICES}
  for _, n in ipairs(cjson.decode(ARGV[2])) do
    if redis.call('HEXISTS', p .. 'ids', n.id) == 0 then
      local cursor = nextCursor()
      redis.call('HSET', p .. 'ids', n.id, cursor)
      redis.call('HSET', notice(cursor), 'cursor', cursor, 'id', n.id, 'lane', n.lane, 'order', n.order, 'run', n.run,
        'by', n.by, 'text', n.text, 'due', n.due, 'giveUpAt', n.giveUpAt, 'attempts', 0, 'takes', 0)
      redis.call('ZADD', p .. 'run:' .. n.run, cursor, cursor)
      enter(cursor, 'waiting', n.lane, ARGV[1])
      if n.by == 'pull' then
        offer(cursor, n.lane, n.giveUpAt)
      else
        redis.call('ZADD', p .. 'order:' .. n.order, n.due, cursor)
        appoint(n.order)
      end
    end
  end
`;

/**
 * ARGV: now, most, most per lane, when the lease ends, whether those are wanted whose lease ended. The notices that were
 * taken, of one lane after the other.
 */
const take = `${NOTICES}
  local now, most, perLane = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
  for _, cursor in ipairs(redis.call('ZRANGEBYSCORE', p .. 'unfetched', '-inf', now, 'LIMIT', 0, 1000)) do
    conclude(cursor, redis.call('HGET', notice(cursor), 'lane'), 'dead', now)
  end
  local function dueIn(lane, size)
    local found, from = {}, 0
    repeat
      local page = redis.call('ZRANGEBYSCORE', p .. 'queue:' .. lane, '-inf', now, 'LIMIT', from, size)
      for _, cursor in ipairs(page) do
        local wanted = ARGV[5] == '1' or not redis.call('ZSCORE', p .. 'leased:' .. lane, cursor)
        if wanted and #found < size then found[#found + 1] = cursor end
      end
      from = from + size
    until #found >= size or #page < size
    return found
  end
  local queues, seen, all = {}, 0, false
  while #queues < most and not all do
    local lanes = redis.call('ZRANGEBYSCORE', p .. 'turns', '-inf', now, 'LIMIT', seen, 100)
    for _, lane in ipairs(lanes) do
      local free = perLane - redis.call('ZCOUNT', p .. 'leased:' .. lane, '(' .. now, '+inf')
      if free > 0 and #queues < most then
        local due = dueIn(lane, math.min(free, most))
        if #due > 0 then queues[#queues + 1] = { lane = lane, due = due } end
      end
    end
    seen, all = seen + 100, #lanes < 100
  end
  local found, round, empty = {}, 1, false
  while #found < most and not empty do
    empty = true
    for _, queue in ipairs(queues) do
      if queue.due[round] and #found < most then
        empty = false
        found[#found + 1] = { cursor = queue.due[round], lane = queue.lane }
      end
    end
    round = round + 1
  end
  local taken, lanes = {}, {}
  for i, one in ipairs(found) do
    local key = notice(one.cursor)
    local was = redis.call('HMGET', key, 'state', 'order')
    leave(one.cursor, was[1], one.lane)
    enter(one.cursor, 'taken', one.lane, now)
    redis.call('HINCRBY', key, 'takes', 1)
    redis.call('ZADD', p .. 'order:' .. was[2], ARGV[4], one.cursor)
    redis.call('ZADD', p .. 'queue:' .. one.lane, ARGV[4], one.cursor)
    redis.call('ZADD', p .. 'leased:' .. one.lane, ARGV[4], one.cursor)
    lanes[one.lane] = true
    taken[i] = redis.call('HGETALL', key)
  end
  for lane in pairs(lanes) do
    redis.call('HSET', p .. 'served', lane, now)
    wake(lane)
  end
  return taken
`;

/** ARGV: now, id, lease, the outcome's word, its due time, its receipt. */
const settle = `${NOTICES}
  local now, to = ARGV[1], ARGV[4]
  local cursor = redis.call('HGET', p .. 'ids', ARGV[2])
  if not cursor then return 'lost' end
  local key = notice(cursor)
  local n = redis.call('HMGET', key, 'state', 'takes', 'lane', 'order', 'due')
  local lane, order = n[3], n[4]
  if n[1] ~= 'taken' or cursor .. '.' .. n[2] ~= ARGV[3] then return 'lost' end
  if tonumber(redis.call('ZSCORE', p .. 'leased:' .. lane, cursor)) <= tonumber(now) then return 'lost' end
  redis.call('ZREM', p .. 'leased:' .. lane, cursor)
  leave(cursor, 'taken', lane)
  if to ~= 'returned' then
    redis.call('HINCRBY', key, 'attempts', 1)
    redis.call('HSET', key, 'receipt', ARGV[6])
  end
  if to == 'waiting' or to == 'returned' then
    local due = to == 'waiting' and ARGV[5] or n[5]
    redis.call('HSET', key, 'due', due)
    redis.call('ZADD', p .. 'order:' .. order, due, cursor)
    enter(cursor, 'waiting', lane, now)
  else
    redis.call('ZREM', p .. 'order:' .. order, cursor)
    enter(cursor, to, lane, now)
  end
  appoint(order)
  return 'settled'
`;

/** When the first wakes. */
const nextDue = `
  return redis.call('ZRANGE', KEYS[1] .. ':lanes', 0, 0, 'WITHSCORES')[2]
`;

/** ARGV: lane, after, most, now. */
const feed = `${NOTICES}
  local found, after, most = {}, ARGV[2], tonumber(ARGV[3])
  repeat
    local page = redis.call('ZRANGEBYSCORE', p .. 'feed:' .. ARGV[1], '(' .. after, '+inf', 'LIMIT', 0, most)
    for _, cursor in ipairs(page) do
      after = cursor
      local current = tonumber(redis.call('HGET', notice(cursor), 'giveUpAt')) > tonumber(ARGV[4])
      if current and #found < most then found[#found + 1] = redis.call('HGETALL', notice(cursor)) end
    end
  until #found >= most or #page < most
  return found
`;

/** ARGV: lane, up to, now. */
const acknowledge = `${NOTICES}
  local fetched = 0
  for _, cursor in ipairs(redis.call('ZRANGEBYSCORE', p .. 'feed:' .. ARGV[1], '-inf', ARGV[2])) do
    if tonumber(redis.call('HGET', notice(cursor), 'giveUpAt')) > tonumber(ARGV[3]) then
      redis.call('HINCRBY', notice(cursor), 'attempts', 1)
      conclude(cursor, ARGV[1], 'delivered', ARGV[3])
      fetched = fetched + 1
    end
  end
  return fetched
`;

/** ARGV: run, lane, state (empty: any), most, before. */
const list = `${NOTICES}
  local run, lane, state, most, before = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
  local function latest(key, from, size)
    return redis.call('ZREVRANGEBYSCORE', p .. key, '(' .. from, '-inf', 'LIMIT', 0, size)
  end
  local cursors = {}
  if run ~= '' then
    repeat
      local page = latest('run:' .. run, before, 100)
      for _, cursor in ipairs(page) do
        before = cursor
        local n = redis.call('HMGET', notice(cursor), 'lane', 'state')
        if (lane == '' or n[1] == lane) and (state == '' or n[2] == state) then cursors[#cursors + 1] = cursor end
      end
    until #page < 100 or #cursors >= most
  else
    for _, one in ipairs({ 'waiting', 'taken', 'delivered', 'dead' }) do
      if state == '' or state == one then
        local key = lane == '' and 'state:' .. one or 'in:' .. one .. ':' .. lane
        for _, cursor in ipairs(latest(key, before, most)) do cursors[#cursors + 1] = cursor end
      end
    end
    table.sort(cursors, function(a, b) return a > b end)
  end
  local found = {}
  for i = 1, math.min(most, #cursors) do found[i] = redis.call('HGETALL', notice(cursors[i])) end
  return found
`;

/** ARGV: now, when they are given up, ids. One that is fetched gets a new cursor, as if it were posted. */
const resend = `${NOTICES}
  local resent = 0
  for i = 3, #ARGV do
    local cursor = redis.call('HGET', p .. 'ids', ARGV[i])
    local n = cursor and redis.call('HMGET', notice(cursor), 'state', 'lane', 'order', 'by', 'run') or {}
    local state, lane = n[1], n[2]
    if state == 'waiting' or state == 'dead' then
      resent = resent + 1
      leave(cursor, state, lane)
      redis.call('ZREM', p .. 'done', cursor)
      if n[4] == 'pull' then
        local old = cursor
        cursor = nextCursor()
        for _, key in ipairs({ 'feed:' .. lane, 'unfetched', 'run:' .. n[5] }) do redis.call('ZREM', p .. key, old) end
        redis.call('RENAME', notice(old), notice(cursor))
        redis.call('HSET', notice(cursor), 'cursor', cursor)
        redis.call('HSET', p .. 'ids', ARGV[i], cursor)
        redis.call('ZADD', p .. 'run:' .. n[5], cursor, cursor)
        offer(cursor, lane, ARGV[2])
      else
        redis.call('ZADD', p .. 'order:' .. n[3], ARGV[1], cursor)
      end
      redis.call('HSET', notice(cursor), 'due', ARGV[1], 'giveUpAt', ARGV[2], 'attempts', 0)
      enter(cursor, 'waiting', lane, ARGV[1])
      if n[4] == 'push' then appoint(n[3]) end
    end
  end
  return resent
`;

/** ARGV: before, how many at the most. */
const forgetNotices = `${NOTICES}
  local cursors = redis.call('ZRANGEBYSCORE', p .. 'done', '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
  for _, cursor in ipairs(cursors) do
    local n = redis.call('HMGET', notice(cursor), 'id', 'run', 'state', 'lane')
    leave(cursor, n[3], n[4])
    redis.call('ZREM', p .. 'run:' .. n[2], cursor)
    redis.call('ZREM', p .. 'done', cursor)
    redis.call('HDEL', p .. 'ids', n[1])
    redis.call('DEL', notice(cursor))
  end
  return #cursors
`;

export const noticeScripts = { post, take, settle, nextDue, feed, acknowledge, list, resend, forgetNotices };
