"""Limits in one process: exactly what their definition says, and nothing left when all has ended."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given

from proxy.counted import MINUTE, SECOND, Bound, Full, Measure
from proxy.local_counters import LocalCounters
from tests.proxy.plain_counters import ACTS, CALLERS, OWN, STEP, TEAM, PlainCounters


class MicroClock:
    def __init__(self) -> None:
        self.at = 5 * MINUTE

    def __call__(self) -> int:
        return self.at


@pytest.fixture
def clock() -> MicroClock:
    return MicroClock()


@pytest.fixture
def counters(clock: MicroClock) -> LocalCounters:
    return LocalCounters(clock)


def taken(counters: LocalCounters, number: int, bound: Bound, tokens: int = 1) -> Full | None:
    return counters.take(UUID(int=number), [bound], tokens)


@given(ACTS)
def test_any_interleaving_is_counted_as_the_definition_says(acts: list[tuple[str, int, int]]) -> None:
    clock, plain = MicroClock(), PlainCounters()
    counters = LocalCounters(clock)
    running: list[tuple[UUID, int, int]] = []
    for number, (act, which, size) in enumerate(acts):
        request = UUID(int=number)
        match act:
            case "admit":
                full = counters.take(request, CALLERS[which], size)
                assert (full.wait if full else None) == plain.take(request, CALLERS[which], size, clock.at)
                if full is None:
                    running.append((request, which, size))
            case "end" if running:
                ended, whose, held = running.pop(which % len(running))
                counters.settle(ended, CALLERS[whose], held, size)
                plain.settle(ended, CALLERS[whose], held, size, clock.at)
            case _:
                clock.at += which * STEP // 3
        for bound in (OWN, TEAM):
            used = counters.used(bound)
            assert (used.requests, used.tokens, used.concurrent) == plain.sums(bound, clock.at)
            assert used.requests <= (bound.requests or 0)
            assert used.concurrent <= (bound.concurrent or 0)
    for request, whose, held in running:
        counters.settle(request, CALLERS[whose], held, 0)
    clock.at += MINUTE
    counters.take(UUID(int=10**6), (), 1)
    assert counters.subjects == 0, "something is held although all has ended"


@pytest.mark.parametrize(("limit", "measure"), [({"requests": 2}, Measure.REQUESTS), ({"tokens": 2}, Measure.TOKENS)])
def test_after_exactly_the_wait_it_passes_and_a_moment_before_it_does_not(
    counters: LocalCounters, clock: MicroClock, limit: dict[str, Any], measure: Measure
) -> None:
    bound = Bound("key:1", **limit)
    assert taken(counters, 1, bound) is None
    clock.at += 20 * SECOND
    assert taken(counters, 2, bound) is None
    clock.at += 5 * SECOND
    full = taken(counters, 3, bound)
    assert full == Full(bound, measure, 35 * SECOND)
    clock.at += full.wait - 1
    assert taken(counters, 3, bound) == Full(bound, measure, 1)
    clock.at += 1
    assert taken(counters, 3, bound) is None


def test_a_refused_request_is_counted_under_no_bound(counters: LocalCounters) -> None:
    narrow, wide = Bound("key:1", requests=1), Bound("team:1", requests=5, team="core")
    for number in range(4):
        counters.take(UUID(int=number), [wide, narrow], 1)
    assert counters.used(wide).requests == counters.used(narrow).requests == 1


def test_the_limit_that_keeps_out_for_longest_is_told(counters: LocalCounters, clock: MicroClock) -> None:
    bound = Bound("key:1", requests=1, concurrent=1)
    taken(counters, 1, bound)
    clock.at += 10 * SECOND
    full = taken(counters, 2, bound)
    assert full is not None
    assert (full.measure, full.wait) == (Measure.REQUESTS, 50 * SECOND)


def test_a_request_larger_than_the_limit_passes_into_an_empty_window_only(
    counters: LocalCounters, clock: MicroClock
) -> None:
    bound = Bound("key:1", tokens=100)
    assert taken(counters, 1, bound, 5) is None
    full = taken(counters, 2, bound, 1000)
    assert full is not None
    clock.at += full.wait
    assert taken(counters, 2, bound, 1000) is None
    assert taken(counters, 3, bound, 1) is not None


def test_a_long_answer_counts_when_it_has_ended(counters: LocalCounters, clock: MicroClock) -> None:
    bound = Bound("key:1", tokens=100)
    taken(counters, 1, bound, 10)
    clock.at += 3 * MINUTE
    assert counters.used(bound).tokens == 0
    counters.settle(UUID(int=1), [bound], 10, 500)
    assert counters.used(bound).tokens == 490
    full = taken(counters, 2, bound, 10)
    assert full == Full(bound, Measure.TOKENS, MINUTE)


def test_what_was_guessed_too_high_is_given_back(counters: LocalCounters) -> None:
    bound = Bound("key:1", tokens=100)
    taken(counters, 1, bound, 90)
    assert taken(counters, 2, bound, 50) is not None
    counters.settle(UUID(int=1), [bound], 90, 30)
    assert counters.used(bound).tokens == 30
    assert taken(counters, 2, bound, 50) is None


def test_a_limit_of_nothing_admits_nothing(counters: LocalCounters) -> None:
    assert taken(counters, 1, Bound("key:1", requests=0)) == Full(Bound("key:1", requests=0), Measure.REQUESTS, MINUTE)


def test_memory_is_bounded_by_the_limits_and_goes_with_those_who_left(
    counters: LocalCounters, clock: MicroClock
) -> None:
    for subject in range(200):
        bound = Bound(f"key:{subject}", requests=3, tokens=3)
        for number in range(20):
            taken(counters, subject * 100 + number, bound)
        assert counters.used(bound).requests == 3
    clock.at += MINUTE
    taken(counters, 10**6, OWN)
    assert counters.subjects == 1
