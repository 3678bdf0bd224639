-- Token buckets that all processes share. Every time is the server's, so no clock of ours can disagree.
-- KEYS: for each bucket its hash and the sorted set of those who wait for it.
-- ARGV: "take", patience, jitter, lane, waiter, then rate and burst of each bucket
--       "slow", rate, burst       "look", rate, burst
local FLOOR = 0.1                  -- of the rate; no 429 brings it lower
local FIRST, AGAIN = 0.5, 0.85     -- what a 429 leaves of the full rate, and of one that is low already
local CURVE = 0.000004             -- share a second cubed: from half to all of the rate in 50 seconds
local DEBT, DEBT_SECONDS = 2, 0.4  -- tokens that a 429 costs at most, so that AWS's bucket has some again
local SLOTS, SLOT_SECONDS = 60, 10 -- the last ten minutes are counted in slots
local MINUTE = 6                   -- slots
local PERSON, LANES = 0, 4
local RESERVE = 0.2                -- the part of the burst that only people may use
local KEEP = 3600                  -- an idle bucket vanishes; it comes back empty, one token later

local clock = redis.call("TIME")
local now = clock[1] + clock[2] / 1000000

-- The part of the rate that we allow ourselves. After a 429 it comes back to where AWS refused (high) fast at first,
-- stays near it, and then looks further up: the curve of CUBIC, https://www.rfc-editor.org/rfc/rfc9438.html.
local function share(bucket, at)
  if bucket.low >= 1 then return 1 end
  local until_high = ((bucket.high - bucket.low) / CURVE) ^ (1 / 3)
  local found = bucket.high + CURVE * (at - bucket.low_at - until_high) ^ 3
  return math.max(bucket.low, math.min(1, found))
end

-- A missing bucket is an empty one: Redis emptied must not mean a burst.
local function open(key, waiting, rate, burst)
  local kept = redis.call("HMGET", key, "level", "at", "low", "low_at", "high")
  local bucket = {key = key, waiting = waiting, full = rate, burst = burst}
  local at = math.min(now, tonumber(kept[2]) or now)
  bucket.low = tonumber(kept[3]) or 1
  bucket.low_at = tonumber(kept[4]) or 0
  bucket.high = math.max(bucket.low, tonumber(kept[5]) or 1)
  bucket.rate = rate * share(bucket, now)
  local refill = (now - at) * rate * (share(bucket, at) + share(bucket, now)) / 2
  bucket.level = math.min(burst, (tonumber(kept[1]) or 0) + refill)
  return bucket
end

local function close(bucket)
  redis.call("HSET", bucket.key, "level", string.format("%.6f", bucket.level), "at", string.format("%.6f", now),
    "low", bucket.low, "low_at", string.format("%.6f", bucket.low_at), "high", bucket.high)
  redis.call("EXPIRE", bucket.key, KEEP)
end

local function count(bucket, what)
  local slot = math.floor(now / SLOT_SECONDS)
  local place = slot % SLOTS
  if tonumber(redis.call("HGET", bucket.key, "slot" .. place)) ~= slot then
    redis.call("HSET", bucket.key, "slot" .. place, slot, "used" .. place, 0, "rejected" .. place, 0)
  end
  redis.call("HINCRBY", bucket.key, what .. place, 1)
end

local function counted(bucket, what, slots)
  local first, sum = math.floor(now / SLOT_SECONDS) - slots + 1, 0
  for place = 0, SLOTS - 1 do
    local kept = redis.call("HMGET", bucket.key, "slot" .. place, what .. place)
    if (tonumber(kept[1]) or 0) >= first then sum = sum + (tonumber(kept[2]) or 0) end
  end
  return sum
end

-- How many wait in each lane; a mark is "<lane>:<waiter>", and dies when its owner does not come back.
local function waiters(bucket)
  local counts = {}
  for lane = 1, LANES do counts[lane] = 0 end
  for _, mark in ipairs(redis.call("ZRANGEBYSCORE", bucket.waiting, "(" .. now, "+inf")) do
    local lane = tonumber(string.sub(mark, 1, 1)) + 1
    counts[lane] = counts[lane] + 1
  end
  return counts
end

local function mark(bucket, name, seconds)
  redis.call("ZADD", bucket.waiting, string.format("%.6f", now + seconds), name)
  redis.call("EXPIRE", bucket.waiting, KEEP)
end

local function spend(bucket)
  bucket.level = bucket.level - 1
  count(bucket, "used")
end

local TAKEN, WAIT, NO_HOPE = 1, 0, -1

-- People reserve the next token, even one of the future, first come first served.
local function take_for_person(buckets, patience, name)
  local delay = 0
  for _, bucket in ipairs(buckets) do delay = math.max(delay, (1 - bucket.level) / bucket.rate) end
  if delay > patience then return NO_HOPE, delay end
  for _, bucket in ipairs(buckets) do
    spend(bucket)
    if delay > 0 then mark(bucket, name, delay) end
  end
  return TAKEN, delay
end

-- Everybody else takes a token that is free now, above the reserve, while nobody waits in a lane above.
-- Else they pause and ask again. Pauses are spread, but never so far that a full bucket runs over meanwhile.
local function take_for_work(buckets, patience, name, lane, jitter)
  local delay, ahead, pause = 0, 0, 0
  for _, bucket in ipairs(buckets) do
    redis.call("ZREM", bucket.waiting, name)
    redis.call("ZREMRANGEBYSCORE", bucket.waiting, "-inf", now)
    local counts = waiters(bucket)
    local rivals = counts[lane + 1]
    for above = 1, lane do ahead = ahead + counts[above] end
    local need = 1 + math.min(RESERVE * bucket.burst, bucket.burst - 1)
    local missing = math.max(0, (need - bucket.level) / bucket.rate)
    local spread = math.min(bucket.burst - need, ahead + rivals) / bucket.rate
    delay = math.max(delay, missing)
    pause = math.max(pause, missing + jitter * spread)
    if ahead > 0 then pause = math.max(pause, 1 / bucket.rate) end
  end
  local verdict = (delay == 0 and ahead == 0) and TAKEN or (patience > delay) and WAIT or NO_HOPE
  for _, bucket in ipairs(buckets) do
    if verdict == TAKEN then spend(bucket) end
    if verdict == WAIT then mark(bucket, name, math.min(pause, patience) + 1) end
  end
  return verdict, verdict == TAKEN and 0 or pause
end

local function take()
  local patience, jitter, lane = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
  local name = lane .. ":" .. ARGV[5]
  local buckets = {}
  for i = 1, #KEYS / 2 do
    buckets[i] = open(KEYS[2 * i - 1], KEYS[2 * i], tonumber(ARGV[4 + 2 * i]), tonumber(ARGV[5 + 2 * i]))
  end
  local take_for = lane == PERSON and take_for_person or take_for_work
  local verdict, seconds = take_for(buckets, patience, name, lane, jitter)
  for _, bucket in ipairs(buckets) do close(bucket) end
  return {verdict, string.format("%.6f", seconds)}
end

-- Many calls are on their way when the first 429 comes back: within a second they count as one. Where a 429 comes
-- below the last one, somebody takes more than before, and the next look up goes less far.
local function slow(bucket)
  if now - bucket.low_at >= 1 then
    local reached = share(bucket, now)
    bucket.low = math.max(FLOOR, reached * (reached < 1 and AGAIN or FIRST))
    bucket.high = math.max(bucket.low, reached < bucket.high and reached * (1 + AGAIN) / 2 or reached)
    bucket.low_at = now
    bucket.level = math.min(0, bucket.level) - math.min(DEBT, DEBT_SECONDS * bucket.full)
  end
  bucket.level = math.min(0, bucket.level)
  count(bucket, "rejected")
  close(bucket)
end

local function look(bucket)
  local counts, all = waiters(bucket), SLOTS
  return {string.format("%.6f", bucket.rate), counted(bucket, "used", MINUTE), counted(bucket, "rejected", all),
    unpack(counts)}
end

if ARGV[1] == "take" then return take() end
local bucket = open(KEYS[1], KEYS[2], tonumber(ARGV[2]), tonumber(ARGV[3]))
if ARGV[1] == "slow" then return slow(bucket) end
return look(bucket)
