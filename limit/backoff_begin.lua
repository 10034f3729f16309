-- Lets an attempt of a key begin, or says how long it is refused.
--
-- KEYS[1] is a hash: how many attempts have failed in a row (failures), until
-- when the next is refused (refused), when one last succeeded after failures
-- (succeeded), and for each attempt under way when it counts as given up.
-- ARGV: the name of the attempt, the time now, when the attempt will count as
-- given up, the time after which failures are forgotten, how many attempts may
-- be under way without failures, the wait where too many are, the milliseconds
-- after which the hash is forgotten. The answer: the wait (0 if the attempt may
-- begin), the failures, how long they refuse from now on, the time since the
-- last success. Times are microseconds.

local key, attempt, now = KEYS[1], ARGV[1], tonumber(ARGV[2])
local quiet, most, busy = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

local known, running = {failures = 0, refused = 0, succeeded = 0}, 0
local fields = redis.call('HGETALL', key)
for i = 1, #fields, 2 do
	local field, value = fields[i], tonumber(fields[i + 1])
	if known[field] then
		known[field] = value
	elseif value > now then
		running = running + 1
	else
		redis.call('HDEL', key, field)
	end
end
if known.failures > 0 and now >= known.refused + quiet then
	known.failures = 0
	redis.call('HSET', key, 'failures', 0)
end

local wait = 0
if known.failures > 0 then
	most = 1
	wait = math.max(known.refused - now, 0)
end
if wait == 0 and running >= most then
	wait = busy
end
if wait == 0 then
	redis.call('HSET', key, attempt, ARGV[3])
	redis.call('PEXPIRE', key, ARGV[7])
end
return {wait, known.failures, known.refused - now, now - known.succeeded}
