"""Admission: what is refused in which words, what is held and given back, and what happens when Redis is lost."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.allowance import EVERYTHING, Allowance
from accounts.directory import Caller
from bridge.errors import RateLimited
from proxy.admission import RETRY_SECONDS, Admission
from proxy.counted import Used, bounds_of
from tests.accounts.snapshots import a_caller
from tests.redis_server import RedisServer

TEAM = replace(EVERYTHING, requests_per_minute=2)


async def refusal(admission: Admission, caller: Caller, tokens: int = 1) -> RateLimited:
    with pytest.raises(RateLimited) as caught:
        await admission.admit(uuid4(), caller, tokens)
    return caught.value


async def fits(admission: Admission, caller: Caller, request: UUID | None = None) -> bool:
    try:
        await admission.admit(request or uuid4(), caller, 1)
    except RateLimited:
        return False
    return True


@pytest.mark.parametrize(
    ("limits", "shared", "words"),
    [
        ({"requests_per_minute": 1}, EVERYTHING, "This key may make 1 requests a minute"),
        ({"tokens_per_minute": 10}, EVERYTHING, "This key may use 10 tokens a minute, and this request of about 9"),
        ({"concurrent_requests": 1}, EVERYTHING, "This key may run 1 requests at once"),
        ({}, replace(EVERYTHING, requests_per_minute=1), "The team core may make 1 requests a minute"),
        ({}, replace(EVERYTHING, tokens_per_minute=10), "The team core may use 10 tokens a minute"),
        ({}, replace(EVERYTHING, concurrent_requests=1), "The team core may run 1 requests at once"),
    ],
)
async def test_a_refusal_names_the_limit_and_the_wait(limits: dict[str, Any], shared: Allowance, words: str) -> None:
    admission, caller = Admission(), a_caller(**limits, shared=shared)
    await admission.admit(uuid4(), caller, 9)
    error = await refusal(admission, caller, 9)
    assert words in str(error)
    assert error.retry_after is not None
    assert (error.status, error.code, error.final) == (429, "rate_limit_exceeded", False)
    seconds = re.search(r"try again in (\d+)s", str(error))
    assert seconds is not None
    assert 0 <= int(seconds[1]) - error.retry_after < 1
    assert error.retry_after == 1.0 if "at once" in words else 59 < error.retry_after <= 60


async def test_without_limits_nothing_is_kept() -> None:
    admission, caller = Admission(), a_caller()
    for _ in range(5):
        await admission.admit(uuid4(), caller, 10**9)
    assert admission.held == 0
    assert admission.release(uuid4(), 5) is None


async def test_a_second_release_does_nothing() -> None:
    admission, caller = Admission(), a_caller(concurrent_requests=2, tokens_per_minute=1000)
    first, second = uuid4(), uuid4()
    for request in (first, second):
        await admission.admit(request, caller, 100)
    for _ in range(3):
        admission.release(first, 250)
    assert await admission.used(bounds_of(caller)) == [Used(0, 350, 1)]
    admission.release(second, None)
    assert await admission.used(bounds_of(caller)) == [Used(0, 350, 0)]


async def test_limits_that_change_meanwhile_leave_nothing_behind() -> None:
    admission, request = Admission(), uuid4()
    await admission.admit(request, a_caller(concurrent_requests=1), 1)
    assert not await fits(admission, a_caller(concurrent_requests=1))
    assert await fits(admission, a_caller(concurrent_requests=2))
    admission.release(request, 1)
    assert (await admission.used(bounds_of(a_caller(concurrent_requests=1))))[0].concurrent == 1


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 40), st.sampled_from(["end", "fail", "cancel"]))))
def test_no_interleaving_exceeds_a_limit_and_nothing_is_held_at_the_end(acts: list[tuple[int, int, str]]) -> None:
    shared = replace(EVERYTHING, concurrent_requests=3, tokens_per_minute=400)
    callers = [
        a_caller(key=1, concurrent_requests=2, shared=shared),
        a_caller(key=2, requests_per_minute=5, shared=shared),
        a_caller(key=3, tokens_per_minute=90, shared=shared),
    ]
    running: list[int] = []
    most: list[tuple[int, int]] = []

    async def carry(admission: Admission, which: int, size: int, end: str) -> None:
        request = uuid4()
        try:
            await admission.admit(request, callers[which], size)
            running.append(which)
            most.append((len(running), running.count(0)))
            try:
                for _ in range(size % 4):
                    await asyncio.sleep(0)
                if end == "fail":
                    raise RateLimited("told by the upstream")
            finally:
                running.remove(which)
        except RateLimited:
            admission.release(request, 0)
        except asyncio.CancelledError:
            admission.release(request, size // 2)
        else:
            admission.release(request, size)

    async def play() -> None:
        admission = Admission()
        tasks = []
        for which, size, end in acts:
            tasks.append(asyncio.create_task(carry(admission, which, size, end)))
            await asyncio.sleep(0)
            if end == "cancel":
                tasks[size % len(tasks)].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert admission.held == 0
        used = await admission.used([bound for caller in callers for bound in bounds_of(caller)])
        assert all(one.concurrent == 0 for one in used)
        assert used[1].tokens <= 400
        assert used[2].requests <= 5
        assert used[4].tokens <= 90

    asyncio.run(play())
    assert all(total <= 3 and own <= 2 for total, own in most)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def pair(redis: RedisServer) -> AsyncIterator[tuple[Admission, Admission]]:
    """Two processes of one gateway."""
    both = (Admission(redis.url), Admission(redis.url))
    for one in both:
        await one.start()
    yield both
    for one in both:
        await one.stop()


async def come_true(admission: Admission, *, is_lost: bool) -> None:
    deadline = time.monotonic() + RETRY_SECONDS * 5
    while (admission.fault is not None) is not is_lost:
        assert time.monotonic() < deadline, admission.fault
        await asyncio.sleep(0.02)


async def test_two_processes_share_the_limits(pair: tuple[Admission, Admission]) -> None:
    caller = a_caller(requests_per_minute=3, concurrent_requests=2, tokens_per_minute=1000)
    requests = [uuid4() for _ in range(2)]
    assert [await fits(one, caller, request) for one, request in zip(pair, requests, strict=True)] == [True, True]
    assert not await fits(pair[0], caller)
    told = pair[1].release(requests[1], 300)
    assert told is not None
    await told
    assert await pair[0].used(bounds_of(caller)) == [Used(2, 301, 1)]
    assert await fits(pair[0], caller)
    assert "requests a minute" in str(await refusal(pair[1], caller))


async def test_after_many_requests_of_two_processes_nothing_is_held(pair: tuple[Admission, Admission]) -> None:
    dice = random.Random(4)
    caller = a_caller(concurrent_requests=20, shared=replace(EVERYTHING, concurrent_requests=25))
    running, most = 0, 0

    async def carry(one: Admission, seconds: float) -> None:
        nonlocal running, most
        request = uuid4()
        try:
            await one.admit(request, caller, 5)
            running, most = running + 1, max(most, running + 1)
            try:
                await asyncio.sleep(seconds)
            finally:
                running -= 1
        except RateLimited:
            return
        finally:
            if (told := one.release(request, 5)) is not None:
                await asyncio.shield(told)

    tasks = []
    for number in range(400):
        tasks.append(asyncio.create_task(carry(pair[number % 2], dice.random() / 50)))
        if number % 10 == 0:
            await asyncio.sleep(0.005)
        if number % 7 == 0:
            dice.choice(tasks).cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert 1 <= most <= 20
    assert [one.held for one in pair] == [0, 0]
    assert [one.fault for one in pair] == [None, None]
    deadline = time.monotonic() + 5
    while any(used.concurrent for used in await pair[0].used(bounds_of(caller))):
        assert time.monotonic() < deadline, await pair[0].used(bounds_of(caller))
        await asyncio.sleep(0.02)


async def test_when_redis_is_lost_each_process_goes_on_with_what_it_knows(
    redis: RedisServer, pair: tuple[Admission, Admission], caplog: pytest.LogCaptureFixture
) -> None:
    one, other = pair
    caller = a_caller(requests_per_minute=2)
    assert await fits(one, caller)
    assert await fits(other, caller)
    assert not await fits(one, caller)
    redis.stop()
    began = time.monotonic()
    assert await fits(one, caller), "its own second request"
    assert time.monotonic() - began < 1.0
    assert not await fits(one, caller), "its third"
    assert one.fault is not None
    assert "counted by each process alone" in one.fault
    await asyncio.sleep(RETRY_SECONDS * 1.5)
    assert [record.levelname for record in caplog.records if "Redis is lost" in record.message] == ["ERROR"]


async def test_what_runs_is_known_to_a_redis_that_comes_back(
    redis: RedisServer, pair: tuple[Admission, Admission]
) -> None:
    one, other = pair
    caller, request = a_caller(concurrent_requests=1), uuid4()
    assert await fits(one, caller, request)
    redis.stop()
    assert not await fits(one, caller)
    assert await fits(other, caller), "another process knows nothing of it now"
    redis.start()
    await come_true(one, is_lost=False)
    await come_true(other, is_lost=False)
    assert (await other.used(bounds_of(caller)))[0].concurrent == 2
    assert not await fits(other, caller)
    told = one.release(request, 1)
    assert told is not None
    await told
    assert (await other.used(bounds_of(caller)))[0].concurrent == 1


async def test_a_gateway_starts_without_its_redis(tmp_path: Path) -> None:
    admission = Admission(RedisServer(tmp_path).url)
    await admission.start()
    assert admission.fault is not None
    assert await fits(admission, a_caller(requests_per_minute=1))
    assert not await fits(admission, a_caller(requests_per_minute=1))
    await admission.stop()


@settings(max_examples=20)
@given(st.integers(1, 50))
def test_a_refusal_is_not_counted(times: int) -> None:
    async def play() -> None:
        admission, caller = Admission(), a_caller(requests_per_minute=3, shared=TEAM)
        answers = [await fits(admission, caller) for _ in range(times)]
        assert answers.count(True) == min(times, 2)
        assert [used.requests for used in await admission.used(bounds_of(caller))] == [min(times, 2)] * 2

    asyncio.run(play())
