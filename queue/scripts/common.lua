-- Goes before every other script. A script runs alone and whole, so each is one transaction; its time is the server's, so
-- workers' clocks do not matter. All keys share one hash tag, hence one slot of a cluster.
--
--   stream   entries: fields i (id), p (payload); the entry's own id says when it was pushed
--   leases   sorted set: entry -> when its lease or its delay ends. The group's pending list says whose it is and how often
--            it was delivered; it cannot say "later than now", which a delayed release needs
--   bytes    sum of the payloads in the stream
--   dead     stream of dead letters: i, p, n (deliveries), t (pushed, ms), w (why)
--   seen     prefix of the hashes of ids, one for each period and each of 4,096 parts of the ids: small hashes are packed
--            (listpack), and a period goes as a whole when it expires
--   cursors  hash: source -> cursor
--
-- The first write of each script is one that the server refuses when it is out of memory (push, replay, put), so that nothing
-- is half done, or one that it never refuses (all that take work off), after which the rest passes too.
local stream, leases, bytes, dead, seen, cursors = unpack(KEYS)
local group = 'guette'
local nobody = '~'

local function milliseconds()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- {entry, consumer, idle, deliveries} or nil, also when a flush took the group away.
local function pending(at)
  local found = redis.pcall('XPENDING', stream, group, at, at, 1)
  return not found.err and found[1] or nil
end

local function is_lease_of(consumer, deliveries, lease)
  return lease and lease[2] == consumer and lease[4] == deliveries
end

local function remove(at)
  redis.call('XACK', stream, group, at)
  redis.call('ZREM', leases, at)
  return redis.call('XDEL', stream, at) == 1
end

local function forget_bytes(len)
  if redis.call('XLEN', stream) == 0 then
    redis.call('DEL', bytes)
  else
    redis.call('DECRBY', bytes, len)
  end
end

local function bury(lease, why)
  local at = lease[1]
  local entry = redis.call('XRANGE', stream, at, at)[1]
  remove(at)
  if not entry then return 0 end
  local id, payload = entry[2][2] or '', entry[2][4] or ''
  forget_bytes(#payload)
  redis.call('XADD', dead, '*', 'i', id, 'p', payload, 'n', lease[4],
             't', string.match(at, '^%d+'), 'w', why)
  return 1
end
