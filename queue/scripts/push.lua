-- ARGV: high-water bytes, high-water count (0: none), how long ids are remembered (ms), depth and bytes of the topic's other
-- shards, cursor ('0' or '1'), its name, its value, then of each entry: 16 bytes that stand for its id, id, payload.
-- Gives {1, fresh}, or {0, depth, bytes} when it refuses.
local most_bytes, most_count, remember = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local other_depth, other_bytes = tonumber(ARGV[4]), tonumber(ARGV[5])
local now = milliseconds()
local span = math.max(1, math.ceil(remember / 4))
local period = now - now % span

local function part(start, digest)
  local first, second = string.byte(digest, 1, 2)
  return string.format('%s:%.0f:%03x', seen, start, first * 16 + math.floor(second / 16))
end

local function was_seen(digest)
  local name = string.sub(digest, 5)
  for back = 0, 4 do
    if redis.call('HEXISTS', part(period - back * span, digest), name) == 1 then return true end
  end
  return false
end

local fresh, sum, here = {}, 0, {}
for i = 9, #ARGV, 3 do
  local digest = ARGV[i]
  if not here[digest] and not was_seen(digest) then
    here[digest] = true
    fresh[#fresh + 1] = i
    sum = sum + #ARGV[i + 2]
  end
end

local here_depth = redis.call('XLEN', stream)
local held = here_depth > 0 and tonumber(redis.call('GET', bytes) or 0) or 0
local depth, total = here_depth + other_depth, held + other_bytes
if #fresh > 0 and depth > 0 and
   ((most_bytes > 0 and total + sum > most_bytes) or (most_count > 0 and depth + #fresh > most_count)) then
  return {0, depth, total}
end

local exists = redis.call('EXISTS', stream) == 1
for _, i in ipairs(fresh) do
  local key = part(period, ARGV[i])
  redis.call('HSET', key, string.sub(ARGV[i], 5), 1)
  if redis.call('HLEN', key) == 1 then
    redis.call('PEXPIREAT', key, period + span + remember)
  end
  redis.call('XADD', stream, '*', 'i', ARGV[i + 1], 'p', ARGV[i + 2])
end
if #fresh > 0 then
  if not exists then redis.pcall('XGROUP', 'CREATE', stream, group, 0) end
  redis.call('SET', bytes, string.format('%.0f', held + sum))
end
if ARGV[6] == '1' then redis.call('HSET', cursors, ARGV[7], ARGV[8]) end
return {1, #fresh}
