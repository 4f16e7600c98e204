-- Renews a lease or gives it back, while it is still its owner's.
-- ARGV: entry, owner, its deliveries, owner afterwards ('' for nobody), deliveries afterwards, for how long (ms).
-- Gives 1, or 0 when the lease was lost.
local at = ARGV[1]
if not is_lease_of(ARGV[2], tonumber(ARGV[3]), pending(at)) then return 0 end
local to = ARGV[4] == '' and nobody or ARGV[4]
local claimed = redis.call('XCLAIM', stream, group, to, 0, at, 'RETRYCOUNT', ARGV[5], 'JUSTID')
if #claimed == 0 then
  remove(at)
  return 0
end
redis.call('ZADD', leases, milliseconds() + ARGV[6], at)
return 1
