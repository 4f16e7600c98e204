-- ARGV: dead letter. Gives 1, or 0 when there is none of that name.
local letter = redis.call('XRANGE', dead, ARGV[1], ARGV[1])[1]
if not letter then return 0 end
local id, payload = letter[2][2], letter[2][4]
local exists = redis.call('EXISTS', stream) == 1
redis.call('XADD', stream, '*', 'i', id, 'p', payload)
if not exists then redis.pcall('XGROUP', 'CREATE', stream, group, 0) end
redis.call('INCRBY', bytes, #payload)
redis.call('XDEL', dead, ARGV[1])
return 1
