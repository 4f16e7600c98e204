-- KEYS as put. ARGV: prefix, most. Gives name, value, name, value..., sorted by name.
local now = milliseconds()
local names, found = {}, {}

-- By bytes: Lua's own comparison follows the server's locale.
local function before(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(name, 1, #ARGV[1]) == ARGV[1] then names[#names + 1] = name end
end
table.sort(names, before)
for _, name in ipairs(names) do
  local until_ms = tonumber(redis.call('ZSCORE', KEYS[2], name) or 0)
  if until_ms == 0 or until_ms > now then
    found[#found + 1] = name
    found[#found + 1] = redis.call('HGET', KEYS[1], name)
  end
  if #found >= 2 * tonumber(ARGV[2]) then break end
end
return found
