-- ARGV: entry, owner, its deliveries, why. Gives 1, or 0 when the lease was lost.
local lease = pending(ARGV[1])
if not is_lease_of(ARGV[2], tonumber(ARGV[3]), lease) then return 0 end
return bury(lease, ARGV[4])
