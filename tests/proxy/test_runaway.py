"""Clients that send the same request again and again."""

from __future__ import annotations

import pytest

from bridge.errors import RateLimited
from proxy.runaway import LIMIT, LONGEST_WAIT, REMEMBERED, WINDOW_SECONDS, RunawayGuard
from tests.proxy.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(clock: Clock) -> RunawayGuard:
    return RunawayGuard(clock)


def wait_of(guard: RunawayGuard, body: bytes = b"same", key: int = 1) -> float | None:
    """The wait that is asked for; None when the request may pass."""
    try:
        guard.check(key, body)
    except RateLimited as error:
        return None if error.final else error.retry_after
    return None


def test_up_to_the_limit_the_same_request_passes(guard: RunawayGuard) -> None:
    assert [wait_of(guard) for _ in range(LIMIT)] == [None] * LIMIT
    assert wait_of(guard) == 1.0


def test_the_wait_doubles_up_to_a_minute_while_the_client_keeps_on(guard: RunawayGuard) -> None:
    waits = [wait_of(guard) for _ in range(LIMIT + 9)][LIMIT:]
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, LONGEST_WAIT, LONGEST_WAIT, LONGEST_WAIT]


def test_the_refusal_says_what_is_going_on(guard: RunawayGuard) -> None:
    for _ in range(LIMIT):
        guard.check(1, b"same")
    with pytest.raises(RateLimited) as caught:
        guard.check(1, b"same")
    assert "came 21 times within 10 seconds" in str(caught.value)
    assert "Wait 1 s" in str(caught.value)


def test_other_bodies_and_other_keys_are_counted_apart(guard: RunawayGuard) -> None:
    for _ in range(LIMIT):
        guard.check(1, b"same")
    assert wait_of(guard, b"other") is None
    assert wait_of(guard, key=2) is None
    assert wait_of(guard) == 1.0


def test_a_hundred_different_requests_at_once_are_no_loop(guard: RunawayGuard) -> None:
    assert {wait_of(guard, str(number).encode()) for number in range(100)} == {None}


def test_the_same_request_now_and_then_is_no_loop(guard: RunawayGuard, clock: Clock) -> None:
    for _ in range(LIMIT * 10):
        assert wait_of(guard) is None
        clock.at += WINDOW_SECONDS / LIMIT + 0.1


def test_after_a_pause_all_is_forgiven(guard: RunawayGuard, clock: Clock) -> None:
    for _ in range(LIMIT + 3):
        wait_of(guard)
    clock.at += WINDOW_SECONDS + LONGEST_WAIT
    waits = [wait_of(guard) for _ in range(LIMIT + 1)]
    assert waits[-1] == 1.0


def test_a_client_that_comes_back_at_once_is_remembered(guard: RunawayGuard, clock: Clock) -> None:
    for _ in range(LIMIT + 3):
        wait_of(guard)
    clock.at += WINDOW_SECONDS + 1
    waits = [wait_of(guard) for _ in range(LIMIT + 1)]
    assert waits == [None] * LIMIT + [8.0]


def test_what_is_remembered_is_bounded(guard: RunawayGuard) -> None:
    for _ in range(LIMIT):
        guard.check(1, b"same")
    for number in range(REMEMBERED):
        guard.check(1, str(number).encode())
    assert wait_of(guard) is None
