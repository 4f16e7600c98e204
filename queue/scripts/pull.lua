-- ARGV: consumer, most jobs, lease (ms), most deliveries, bytes after which it is enough.
-- Gives {buried, job...}, a job being {entry, id, payload, deliveries}. Expired and delayed work comes before new work: it
-- has waited longer.
local consumer, most, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local most_deliveries, budget = tonumber(ARGV[4]), tonumber(ARGV[5])
local now = milliseconds()
local jobs, size = {0}, 0

local function enough()
  return #jobs > most or size >= budget
end

local function hand_out(entry, deliveries)
  local id, payload = entry[2][2] or '', entry[2][4] or ''
  redis.call('ZADD', leases, now + lease, entry[1])
  jobs[#jobs + 1] = {entry[1], id, payload, deliveries}
  size = size + #payload
end

local function hand_out_again(at)
  local before = pending(at)
  if not before then
    redis.call('ZREM', leases, at)
  elseif before[4] >= most_deliveries then
    local last = before[2] == nobody and 'nobody' or before[2]
    jobs[1] = jobs[1] + bury(before, 'delivered ' .. before[4] ..
                                     ' times without an answer; last to ' .. last)
  else
    local entry = redis.call('XCLAIM', stream, group, consumer, 0, at)[1]
    if entry then hand_out(entry, before[4] + 1) else remove(at) end
  end
end

local function read_new()
  return redis.pcall('XREADGROUP', 'GROUP', group, consumer, 'COUNT', 1, 'STREAMS', stream, '>')
end

for _, at in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, most)) do
  if enough() then break end
  hand_out_again(at)
end

while not enough() do
  local found = read_new()
  if found and found.err then
    -- No group: flushed, or a replica that never had it. From the start, so that nothing is skipped.
    if redis.call('EXISTS', stream) == 0 then break end
    redis.call('XGROUP', 'CREATE', stream, group, 0)
    found = read_new()
    if found and found.err then return found end
  end
  if not found then break end
  hand_out(found[1][2][1], 1)
end

-- Leases lost (their key was deleted by hand or evicted) would keep their entries for ever.
if #jobs == 1 then
  local all = redis.pcall('XPENDING', stream, group)
  if not all.err and all[1] > redis.call('ZCARD', leases) then
    for _, lost in ipairs(redis.call('XPENDING', stream, group, '-', '+', all[1])) do
      redis.call('ZADD', leases, 'NX', now + lease, lost[1])
    end
  end
end
return jobs
