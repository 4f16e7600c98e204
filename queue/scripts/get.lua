-- KEYS as put. ARGV: name. Gives the value or nil.
local until_ms = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or 0)
if until_ms > 0 and until_ms <= milliseconds() then return nil end
return redis.call('HGET', KEYS[1], ARGV[1])
