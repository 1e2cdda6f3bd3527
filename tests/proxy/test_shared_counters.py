"""Limits counted in Redis: the same answers as by their definition, taken by all processes together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from redis.asyncio import Redis

from proxy.counted import MINUTE, SECOND, Bound, Full, Measure
from proxy.shared_counters import CONNECTIONS, LEASE_SECONDS, CountersLostError, SharedCounters
from tests.proxy.plain_counters import ACTS, CALLERS, OTHER, OWN, STEP, TEAM, PlainCounters
from tests.redis_server import RedisServer

SLOW = 2 * SECOND


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    redis = RedisServer(tmp_path_factory.mktemp("redis"))
    redis.start()
    yield redis
    redis.stop()


@pytest.fixture
async def client(server: RedisServer) -> AsyncIterator[Redis]:
    client = Redis.from_url(server.url, protocol=2)
    await client.flushdb()
    yield client
    await client.aclose()


@pytest.fixture
async def counters(server: RedisServer, client: Redis) -> AsyncIterator[SharedCounters]:
    shared = SharedCounters(server.url)
    yield shared
    await shared.aclose()


async def age(client: Redis, by: int) -> None:
    """Let `by` microseconds pass for everything that is counted."""
    async for key in client.scan_iter():
        if await client.type(key) == b"zset":
            for member in await client.zrange(key, 0, -1):
                assert isinstance(member, bytes)
                await client.zincrby(key, -by, member)


@given(ACTS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_interleaving_is_counted_as_the_definition_says(
    server: RedisServer, acts: list[tuple[str, int, int]]
) -> None:
    async def play() -> None:
        client, counters = Redis.from_url(server.url, protocol=2), SharedCounters(server.url)
        await client.flushdb()
        plain, now = PlainCounters(), 5 * MINUTE
        running: list[tuple[UUID, int, int]] = []
        for number, (act, which, size) in enumerate(acts):
            request = UUID(int=number)
            match act:
                case "admit":
                    full = await counters.take(request, CALLERS[which], size)
                    wait = plain.take(request, CALLERS[which], size, now)
                    assert (full is None) == (wait is None)
                    assert full is None or wait is None or 0 <= wait - full.wait < SLOW
                    if full is None:
                        running.append((request, which, size))
                case "end" if running:
                    ended, whose, held = running.pop(which % len(running))
                    await counters.settle(ended, CALLERS[whose], held, size)
                    plain.settle(ended, CALLERS[whose], held, size, now)
                case _:
                    now += which * STEP
                    await age(client, which * STEP)
                    await counters.renew([(request, TEAM) for request, whose, _ in running if TEAM in CALLERS[whose]])
                    await counters.renew([(request, OWN) for request, whose, _ in running if OWN in CALLERS[whose]])
            for bound, used in zip((OWN, TEAM), await counters.used((OWN, TEAM)), strict=True):
                assert (used.requests, used.tokens, used.concurrent) == plain.sums(bound, now)
        for request, whose, held in running:
            await counters.settle(request, CALLERS[whose], held, 0)
        await age(client, MINUTE)
        await counters.used((OWN, OTHER, TEAM))
        assert [key async for key in client.scan_iter() if await client.type(key) == b"zset"] == []
        await counters.aclose()
        await client.aclose()

    asyncio.run(play())


async def test_a_hundred_at_once_from_two_processes_take_no_more_than_there_is(
    server: RedisServer, counters: SharedCounters
) -> None:
    other = SharedCounters(server.url)
    bounds = (Bound("key:1", requests=30, concurrent=40), Bound("team:1", concurrent=25, team="core"))
    takes = [(counters, other)[number % 2].take(uuid4(), bounds, 1) for number in range(100)]
    answers = await asyncio.gather(*takes)
    assert answers.count(None) == 25
    assert [used.concurrent for used in await other.used(bounds)] == [25, 25]
    await other.aclose()


async def test_the_slots_of_a_process_that_died_are_free_within_a_minute(
    counters: SharedCounters, client: Redis
) -> None:
    bound = Bound("key:1", concurrent=2)
    alive, dead = uuid4(), uuid4()
    for request in (alive, dead):
        assert await counters.take(request, [bound], 1) is None
    assert await counters.take(uuid4(), [bound], 1) == Full(bound, Measure.CONCURRENT, SECOND)
    await age(client, 40 * SECOND)
    await counters.renew([(alive, bound)])
    await age(client, (LEASE_SECONDS - 40) * SECOND)
    assert (await counters.used([bound]))[0].concurrent == 1
    assert await counters.take(uuid4(), [bound], 1) is None


async def test_a_slot_is_freed_and_a_renewed_one_that_was_forgotten_comes_back(
    counters: SharedCounters, client: Redis
) -> None:
    bound, request = Bound("key:1", concurrent=1), uuid4()
    await counters.take(request, [bound], 1)
    await client.flushdb()
    await counters.renew([(request, bound)])
    assert (await counters.used([bound]))[0].concurrent == 1
    await counters.free([(request, bound)])
    assert (await counters.used([bound]))[0].concurrent == 0


async def test_nothing_stays_in_redis_for_longer_than_it_counts(counters: SharedCounters, client: Redis) -> None:
    await counters.take(uuid4(), (OWN, TEAM), 10)
    await counters.settle(uuid4(), (OWN, TEAM), 10, 50)
    lives = [await client.pttl(key) async for key in client.scan_iter()]
    assert len(lives) == 8
    assert all(0 < life <= 61_000 for life in lives)


async def test_more_callers_than_connections_wait_for_one(counters: SharedCounters) -> None:
    answers = await asyncio.gather(*(counters.take(uuid4(), [OWN], 1) for _ in range(CONNECTIONS * 3)))
    assert answers.count(None) == 3


async def test_installations_that_share_a_redis_count_apart(server: RedisServer, counters: SharedCounters) -> None:
    bound = Bound("key:1", requests=1)
    await counters.take(uuid4(), [bound], 1)
    with override_settings(SECRET_KEY="another installation's"):
        other = SharedCounters(server.url)
    assert await other.take(uuid4(), [bound], 1) is None
    await other.aclose()


async def test_a_redis_that_is_not_there_is_told_and_its_password_is_not(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    counters = SharedCounters(f"redis://:hush-hush@127.0.0.1:{server.port}/0")
    with pytest.raises(CountersLostError) as told:
        await counters.take(uuid4(), [OWN], 1)
    assert "hush" not in str(told.value)
    await counters.aclose()
