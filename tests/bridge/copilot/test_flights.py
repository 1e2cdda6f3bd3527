"""One task does what many wait for: shared answers and failures, cancelled waiters, loose flights, the end."""

from __future__ import annotations

import asyncio

import pytest

from bridge.copilot.flights import Flights
from bridge.errors import RateLimited, Shedding, Unavailable


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


class Way:
    """Work that ends when the test says so, and counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.end: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self, _key: int) -> str:
        self.begun += 1
        return await asyncio.shield(self.end)


async def turns() -> None:
    """Let every task go on until it waits for something."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_all_who_wait_get_the_answer_of_one_flight() -> None:
    flights: Flights[str] = Flights("thing", Clock())
    way = Way()
    waiting = [asyncio.create_task(flights.join(1, way)) for _ in range(100)]
    await asyncio.sleep(0)
    way.end.set_result("landed")
    assert await asyncio.gather(*waiting) == ["landed"] * 100
    assert way.begun == 1


async def test_a_cancelled_waiter_leaves_the_flight_to_the_others() -> None:
    flights: Flights[str] = Flights("thing", Clock())
    way = Way()
    leaving, staying = (asyncio.create_task(flights.join(1, way)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    way.end.set_result("landed")
    assert await staying == "landed"


async def test_a_failure_reaches_all_and_is_told_again_for_a_while_only() -> None:
    clock = Clock()
    flights: Flights[str] = Flights("thing", clock)
    way = Way()
    waiting = [asyncio.create_task(flights.join(1, way)) for _ in range(3)]
    await asyncio.sleep(0)
    way.end.set_exception(Unavailable("GitHub is down."))
    assert [type(error) for error in await asyncio.gather(*waiting, return_exceptions=True)] == [Unavailable] * 3
    with pytest.raises(Unavailable):
        flights.raise_recent(1, 2.0)
    flights.raise_recent(2, 2.0)
    clock.at += 2.0
    flights.raise_recent(1, 2.0)


async def test_a_background_flight_pauses_after_a_failure_for_as_long_as_it_was_told() -> None:
    clock = Clock()
    flights: Flights[str] = Flights("thing", clock)
    assert flights.may_start(1, 15.0)
    flights.fail(1, RateLimited("Slow down.", retry_after=40.0))
    clock.at += 39.0
    assert not flights.may_start(1, 15.0)
    clock.at += 1.0
    assert flights.may_start(1, 15.0)


async def test_a_success_makes_the_failure_forgotten() -> None:
    flights: Flights[str] = Flights("thing", Clock())
    flights.fail(1, Unavailable("GitHub is down."))
    way = Way()
    way.end.set_result("landed")
    assert await flights.join(1, way) == "landed"
    await asyncio.sleep(0)
    flights.raise_recent(1, 2.0)


async def test_a_flight_that_was_cut_loose_answers_its_waiters_and_leaves_no_trace() -> None:
    flights: Flights[str] = Flights("thing", Clock())
    way = Way()
    seen: list[bool] = []

    async def keeping(key: int) -> str:
        answer = await way(key)
        seen.append(flights.is_current(key))
        return answer

    waiting = asyncio.create_task(flights.join(1, keeping))
    await turns()
    flights.forget(1)
    other = asyncio.create_task(flights.join(1, keeping))
    await turns()
    assert way.begun == 2, "the loose flight was joined"
    way.end.set_result("landed")
    assert (await waiting, await other) == ("landed", "landed")
    assert sorted(seen) == [False, True]


async def test_at_the_end_waiters_are_told_and_nothing_new_begins() -> None:
    flights: Flights[str] = Flights("thing", Clock())
    way = Way()
    waiting = asyncio.create_task(flights.join(1, way))
    await asyncio.sleep(0)
    await flights.aclose()
    with pytest.raises(Shedding):
        await waiting
    with pytest.raises(Shedding):
        flights.start(2, way)
