-- Ends an attempt, which may have begun without Redis.
--
-- KEYS[1] is the hash that backoff_begin.lua describes. ARGV: the name of the
-- attempt, how it ended (failed, succeeded or cancelled), the time now, the time
-- after which failures are forgotten, the first and the longest refusal, the
-- milliseconds after which the hash is forgotten. The answer: the failures, the
-- time since the last success. Times are microseconds.
--
-- Numbers are written with %.0f, since Redis would keep 14 digits of them.

local key, outcome, now = KEYS[1], ARGV[2], tonumber(ARGV[3])
local quiet, first, longest = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

redis.call('HDEL', key, ARGV[1])
local failures = tonumber(redis.call('HGET', key, 'failures') or '')
if outcome == 'failed' then
	local refused = tonumber(redis.call('HGET', key, 'refused') or '0')
	failures = now < refused + quiet and (failures or 0) + 1 or 1
	local refusal = math.min(first * 2 ^ (failures - 1), longest)
	redis.call('HSET', key, 'failures', failures, 'refused', string.format('%.0f', now + refusal))
elseif outcome == 'succeeded' and failures then
	failures = 0
	redis.call('HSET', key, 'failures', 0, 'refused', 0, 'succeeded', ARGV[3])
end
local succeeded = tonumber(redis.call('HGET', key, 'succeeded') or '0')
redis.call('PEXPIRE', key, ARGV[7])
return {failures or 0, now - succeeded}
