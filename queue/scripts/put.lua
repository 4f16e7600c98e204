-- KEYS: facts (hash: name -> value), ends (sorted set: name -> when it expires, of those that do).
-- ARGV: name, value, how long it lives (ms; 0: for good), '1' only when there is none yet. Gives what is there afterwards.
local facts, ends = KEYS[1], KEYS[2]
local name, value, live = ARGV[1], ARGV[2], tonumber(ARGV[3])
local now = milliseconds()
if ARGV[4] == '1' then
  local there = redis.call('HGET', facts, name)
  local until_ms = tonumber(redis.call('ZSCORE', ends, name) or 0)
  if there and (until_ms == 0 or until_ms > now) then return there end
end
redis.call('HSET', facts, name, value)
if live > 0 then
  redis.call('ZADD', ends, now + live, name)
else
  redis.call('ZREM', ends, name)
end
for _, old in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 16)) do
  redis.call('HDEL', facts, old)
  redis.call('ZREM', ends, old)
end
return value
