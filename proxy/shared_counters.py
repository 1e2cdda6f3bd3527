"""The same limits counted in Redis for all processes together: the rules are those of `local_counters`.

The library `limits` has no concurrent requests and keeps one entry a token in its moving window, so the little that is
needed is here. Every act is one Lua script over the keys of all bounds: all are taken or none, whoever else asks at
the same time, and by Redis's own clock. Of each key or team there are

    requests   a sorted set: request -> when it was admitted
    tokens     a sorted set: request (`id`, and `id+` for what exceeded the estimate) -> when it was counted
    counts     a hash: how many each of those are, and under `total` their sum
    running    a sorted set: request -> when its lease ends

The process that carries a request renews its lease; the slots of one that died are free when theirs have run out.
Every key expires by itself a second after the last of what it holds.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from proxy.counted import CONCURRENCY_WAIT, MINUTE, SECOND, Bound, Full, Measure, Used

if TYPE_CHECKING:
    from redis.commands.core import AsyncScript

CALL_SECONDS = 0.5
CONNECTIONS = 8
LEASE_SECONDS = 60
_AT_ONCE = 500
_KEY_PARTS = ("requests", "tokens", "counts", "running")

_PRELUDE = f"""
local MINUTE, MILLISECONDS = {MINUTE}, {MINUTE // 1000 + 1000}
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])

local function parts(b)
  return KEYS[4 * b - 3], KEYS[4 * b - 2], KEYS[4 * b - 1], KEYS[4 * b]
end

local function total_of(counts)
  return math.max(0, tonumber(redis.call('HGET', counts, 'total') or 0))
end

local function forget(requests, tokens, counts, running)
  redis.call('ZREMRANGEBYSCORE', requests, '-inf', now - MINUTE)
  redis.call('ZREMRANGEBYSCORE', running, '-inf', now)
  while true do
    local old = redis.call('ZRANGEBYSCORE', tokens, '-inf', now - MINUTE, 'LIMIT', 0, 1000)
    if #old == 0 then return end
    local sum = 0
    for _, count in ipairs(redis.call('HMGET', counts, unpack(old))) do sum = sum + (tonumber(count) or 0) end
    redis.call('HINCRBY', counts, 'total', -sum)
    redis.call('HDEL', counts, unpack(old))
    redis.call('ZREM', tokens, unpack(old))
  end
end

local function spend(tokens, counts, part, count)
  redis.call('ZADD', tokens, now, part)
  redis.call('HSET', counts, part, count)
  redis.call('HINCRBY', counts, 'total', count)
  redis.call('PEXPIRE', tokens, MILLISECONDS)
  redis.call('PEXPIRE', counts, MILLISECONDS)
end
"""

# ARGV: request, tokens, lease in microseconds, then requests, tokens, concurrent of each bound, -1 for no limit.
# Returns 0, or which bound, which measure and the wait.
_TAKE = (
    _PRELUDE
    + f"""
local request, size, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local function wait_for_tokens(tokens, counts, limit)
  local left = total_of(counts)
  if left + size <= limit or left == 0 then return -1 end
  local first = 0
  while true do
    local page = redis.call('ZRANGE', tokens, first, first + 199, 'WITHSCORES')
    if #page == 0 then return MINUTE end
    for i = 1, #page, 2 do
      left = left - (tonumber(redis.call('HGET', counts, page[i])) or 0)
      if left + size <= limit or left <= 0 then return tonumber(page[i + 1]) + MINUTE - now end
    end
    first = first + 200
  end
end

local function wait_for_requests(requests, limit)
  local count = redis.call('ZCARD', requests)
  if count < limit then return -1 end
  local found = redis.call('ZRANGE', requests, count - limit, count - limit, 'WITHSCORES')
  return found[2] and tonumber(found[2]) + MINUTE - now or MINUTE
end

local full = {{0, 0, -1}}
for b = 1, #KEYS / 4 do
  local requests, tokens, counts, running = parts(b)
  forget(requests, tokens, counts, running)
  local limits = {{tonumber(ARGV[3 * b + 1]), tonumber(ARGV[3 * b + 2]), tonumber(ARGV[3 * b + 3])}}
  local waits = {{-1, -1, -1}}
  if limits[1] >= 0 then waits[1] = wait_for_requests(requests, limits[1]) end
  if limits[2] >= 0 then waits[2] = wait_for_tokens(tokens, counts, limits[2]) end
  if limits[3] >= 0 and redis.call('ZCARD', running) >= limits[3] then waits[3] = {CONCURRENCY_WAIT} end
  for m = 1, 3 do
    if waits[m] > full[3] then full = {{b, m, waits[m]}} end
  end
end
if full[1] > 0 then return full end
for b = 1, #KEYS / 4 do
  local requests, tokens, counts, running = parts(b)
  if tonumber(ARGV[3 * b + 1]) >= 0 then
    redis.call('ZADD', requests, now, request)
    redis.call('PEXPIRE', requests, MILLISECONDS)
  end
  if tonumber(ARGV[3 * b + 2]) >= 0 then spend(tokens, counts, request, size) end
  if tonumber(ARGV[3 * b + 3]) >= 0 then
    redis.call('ZADD', running, now + lease, request)
    redis.call('PEXPIRE', running, MILLISECONDS)
  end
end
return full
"""
)

# ARGV: request, tokens that were held, tokens that were used, then for each bound whether it limits tokens.
_SETTLE = (
    _PRELUDE
    + """
local request, held, used = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
for b = 1, #KEYS / 4 do
  local requests, tokens, counts, running = parts(b)
  redis.call('ZREM', running, request)
  if ARGV[3 + b] == '1' then
    forget(requests, tokens, counts, running)
    if used > held then
      spend(tokens, counts, request .. '+', used - held)
    elseif redis.call('HEXISTS', counts, request) == 1 then
      redis.call('HINCRBY', counts, 'total', used - held)
      if used > 0 then
        redis.call('HSET', counts, request, used)
      else
        redis.call('HDEL', counts, request)
        redis.call('ZREM', tokens, request)
      end
    end
  end
end
"""
)

# ARGV: lease in microseconds, then the request of each `running` key.
_RENEW = """
local clock = redis.call('TIME')
local lease = tonumber(ARGV[1])
local ending = tonumber(clock[1]) * 1000000 + tonumber(clock[2]) + lease
for i, running in ipairs(KEYS) do
  redis.call('ZADD', running, ending, ARGV[i + 1])
  redis.call('PEXPIRE', running, lease / 1000 + 1000)
end
"""

_LOOK = (
    _PRELUDE
    + """
local found = {}
for b = 1, #KEYS / 4 do
  local requests, tokens, counts, running = parts(b)
  forget(requests, tokens, counts, running)
  found[#found + 1] = redis.call('ZCARD', requests)
  found[#found + 1] = total_of(counts)
  found[#found + 1] = redis.call('ZCARD', running)
end
return found
"""
)

Slot = tuple[UUID, Bound]


class CountersLostError(Exception):
    """Redis gave no answer in time, or not the one it should."""


class SharedCounters:
    """Every call raises CountersLostError within CALL_SECONDS when Redis does not do it.

    Installations that share a Redis are told apart by their secret key, which the processes of one have in common.
    """

    def __init__(self, url: str) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=CALL_SECONDS,
            socket_timeout=CALL_SECONDS,
            socket_connect_timeout=CALL_SECONDS,
            retry=Retry(NoBackoff(), 1),  # a connection that went stale is replaced once
            protocol=2,
        )
        self._redis = Redis.from_pool(pool)
        mark = hmac.new(settings.SECRET_KEY.encode(), b"shared limits", hashlib.sha256).hexdigest()[:12]
        # The braces keep all keys on one node of a cluster, as a script needs them.
        self._prefix = f"bridge:{{{mark}}}"
        self._take = self._redis.register_script(_TAKE)
        self._settle = self._redis.register_script(_SETTLE)
        self._renew = self._redis.register_script(_RENEW)
        self._look = self._redis.register_script(_LOOK)

    async def aclose(self) -> None:
        await self._redis.aclose()

    async def take(self, request: UUID, bounds: Sequence[Bound], tokens: int) -> Full | None:
        """As `LocalCounters.take`, for all processes."""
        limits = [-1 if (limit := bound.limit(measure)) is None else limit for bound in bounds for measure in Measure]
        full = await self._run(self._take, bounds, [request.hex, tokens, LEASE_SECONDS * SECOND, *limits])
        which, measure, wait = full
        return None if which == 0 else Full(bounds[which - 1], tuple(Measure)[measure - 1], wait)

    async def settle(self, request: UUID, bounds: Sequence[Bound], held: int, used: int) -> None:
        are_tokens = [int(bound.tokens is not None) for bound in bounds]
        await self._run(self._settle, bounds, [request.hex, held, used, *are_tokens])

    async def used(self, bounds: Sequence[Bound]) -> list[Used]:
        found = await self._run(self._look, bounds, [])
        return [Used(*found[start : start + 3]) for start in range(0, len(found), 3)]

    async def renew(self, slots: Sequence[Slot]) -> None:
        """The requests of these slots still run. Asks Redis for a sign of life when there are none."""
        if not slots:
            async with _in_time():
                await self._redis.ping()
        for start in range(0, len(slots), _AT_ONCE):
            part = slots[start : start + _AT_ONCE]
            arguments: list[str | int] = [LEASE_SECONDS * SECOND, *(request.hex for request, _ in part)]
            async with _in_time():
                await self._renew(keys=[self._key(bound, "running") for _, bound in part], args=arguments)

    async def free(self, slots: Iterable[Slot]) -> None:
        """The requests of these slots have ended."""
        async with _in_time(), self._redis.pipeline(transaction=False) as pipeline:
            for request, bound in slots:
                pipeline.zrem(self._key(bound, "running"), request.hex)
            await pipeline.execute()

    async def _run(self, script: AsyncScript, bounds: Sequence[Bound], arguments: list[str | int]) -> list[int]:
        keys = [self._key(bound, part) for bound in bounds for part in _KEY_PARTS]
        async with _in_time():
            return list(await script(keys=keys, args=arguments) or ())

    def _key(self, bound: Bound, part: str) -> str:
        return f"{self._prefix}:{bound.subject}:{part}"


@asynccontextmanager
async def _in_time() -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(CALL_SECONDS):
            yield
    except TimeoutError as error:
        raise CountersLostError(f"no answer within {CALL_SECONDS:g} s") from error
    except (RedisError, OSError) as error:
        raise CountersLostError(str(error) or type(error).__name__) from error
