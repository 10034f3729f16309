-- Asks for one call of a key and counts it if it is allowed.
--
-- KEYS[1] is a list of the instants of the calls that were allowed, oldest first.
-- ARGV: the time now, the limit, the span, the milliseconds after which the list
-- is forgotten unless a call follows. The answer: whether the call is allowed (1
-- or 0), how many more would be, Reset, RetryAfter. Times are microseconds.
--
-- Numbers are written with %.0f, since Redis would keep 14 digits of them.

local key, limit, span = KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[3])

-- Time only moves forward, even where a process's clock is behind another's.
local newest = tonumber(redis.call('LINDEX', key, -1) or '') or 0
local now = math.max(tonumber(ARGV[1]), newest)

local oldest = tonumber(redis.call('LINDEX', key, 0) or '')
while oldest and oldest <= now - span do
	redis.call('LPOP', key)
	oldest = tonumber(redis.call('LINDEX', key, 0) or '')
end

local calls = redis.call('LLEN', key)
if calls >= limit then
	return {0, 0, newest + span - now, oldest + span - now}
end
redis.call('RPUSH', key, string.format('%.0f', now))
redis.call('PEXPIRE', key, ARGV[4])
return {1, limit - calls - 1, span, 0}
