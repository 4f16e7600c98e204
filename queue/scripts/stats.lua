-- Gives {depth, leased, dead, bytes, entry that was pushed first ('' when there is none)}.
local depth, held, leased, first = redis.call('XLEN', stream), 0, 0, ''
if depth > 0 then
  held = tonumber(redis.call('GET', bytes) or 0)
  first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1][1]
end
local all = redis.pcall('XPENDING', stream, group)
if not all.err then
  for _, row in ipairs(all[4] or {}) do
    if row[1] ~= nobody then leased = leased + row[2] end
  end
end
return {depth, leased, redis.call('XLEN', dead), held, first}
