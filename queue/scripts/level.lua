-- Gives {depth, bytes}.
return {redis.call('XLEN', stream), tonumber(redis.call('GET', bytes) or 0)}
