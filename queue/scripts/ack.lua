-- ARGV: entry, length of its payload.
if remove(ARGV[1]) then forget_bytes(ARGV[2]) end
return 1
