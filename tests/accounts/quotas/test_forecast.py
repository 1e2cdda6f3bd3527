"""When an allowance runs out at its present pace."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.quotas.forecast import Point, current_run, forecast

NOW = 1_800_000_000.0
HOUR, DAY = 3600.0, 86_400.0
RESET = NOW + 10 * DAY


def falling(
    hours: int, per_hour: float, start: float = 1000.0, *, until: float = NOW, reset_at: float | None = RESET
) -> list[Point]:
    """Hourly readings up to `until` of an allowance that falls evenly."""
    return [Point(until - (hours - n) * HOUR, start - n * per_hour, 1000.0, reset_at) for n in range(hours + 1)]


def test_an_even_pace_ends_where_the_line_meets_zero() -> None:
    found = forecast(falling(100, 5.0), NOW)
    assert found is not None
    assert found.empty_at is not None
    assert math.isclose(found.empty_at, NOW + 100 * HOUR, abs_tol=1)
    assert math.isclose(found.per_day, 120.0)
    assert not found.lasts


def test_a_pace_that_ends_behind_the_reset_lasts() -> None:
    found = forecast(falling(100, 1.0), NOW)
    assert found is not None
    assert found.lasts
    assert found.reset_at == RESET


def test_an_allowance_nobody_uses_lasts() -> None:
    found = forecast(falling(24, 0.0), NOW)
    assert found is not None
    assert (found.lasts, found.per_day) == (True, 0.0)


@pytest.mark.parametrize(
    "points",
    [
        [],
        falling(5, 5.0),
        [Point(NOW, 500.0, 1000.0, RESET)],
        falling(100, 5.0, until=NOW - 3 * DAY),
        falling(100, 10.0),
        falling(100, 12.0),
        falling(100, 5.0, reset_at=NOW),
        falling(100, 0.0, reset_at=None),
        falling(100, 0.01, reset_at=None),
    ],
    ids=["nothing", "five hours", "one", "old", "empty", "overdrawn", "reset is due", "idle for ever", "far away"],
)
def test_what_is_not_known_is_not_told(points: list[Point]) -> None:
    assert forecast(points, NOW) is None


def test_without_a_reset_the_end_is_told_all_the_same() -> None:
    found = forecast(falling(100, 5.0, reset_at=None), NOW)
    assert found is not None
    assert found.empty_at is not None
    assert found.reset_at is None


OLD = falling(40, 20.0, until=NOW - 13 * HOUR, reset_at=None)
NEW = falling(12, 2.0, reset_at=None)
ANNOUNCED = [replace(point, reset_at=NOW - 12.5 * HOUR) for point in OLD]
LOWER = [replace(point, left=point.left - 900.0, total=100.0) for point in NEW]


@pytest.mark.parametrize(
    "points",
    [OLD + NEW, ANNOUNCED + NEW, OLD + LOWER],
    ids=["a rise", "a reset that was announced", "another entitlement"],
)
def test_the_pace_before_a_reset_counts_no_more(points: list[Point]) -> None:
    assert current_run(points)[0].at == NOW - 12 * HOUR
    found = forecast(points, NOW)
    assert found is not None
    assert math.isclose(found.per_day, 48.0)


def test_figures_that_lag_after_a_reset_begin_no_run_of_their_own() -> None:
    """The reset has come, the first readings still show the old remainder, then the new allowance appears."""
    old = [Point(p.at, p.left, p.total, NOW - 13 * HOUR) for p in falling(40, 20.0, until=NOW - 14 * HOUR)]
    lagging = [Point(NOW - 12.9 * HOUR, 200.0, 1000.0, RESET), Point(NOW - 12.5 * HOUR, 199.0, 1000.0, RESET)]
    points = old + lagging + falling(12, 2.0)
    assert current_run(points)[0].at == NOW - 12 * HOUR


def test_a_figure_that_lags_is_no_reset_and_does_not_move_the_forecast() -> None:
    true = falling(100, 5.0)
    lagging = Point(true[80].at + 60, true[60].left, 1000.0, RESET)
    back = Point(true[80].at + 120, true[80].left, 1000.0, RESET)
    assert forecast([*true[:81], lagging, back, *true[81:]], NOW) == forecast(true, NOW)


def test_a_newest_figure_that_lags_is_no_reset() -> None:
    true = falling(100, 5.0)
    lagging = Point(NOW + 60, true[70].left, 1000.0, RESET)
    found, expected = forecast([*true, lagging], NOW + 60), forecast(true, NOW + 60)
    assert found is not None
    assert expected is not None
    assert found.empty_at is not None
    assert expected.empty_at is not None
    assert math.isclose(found.empty_at, expected.empty_at, abs_tol=0.01 * DAY)


def test_a_full_allowance_is_a_reset_at_once() -> None:
    points = [*falling(100, 5.0), Point(NOW + 60, 1000.0, 1000.0, RESET + 30 * DAY)]
    assert list(current_run(points)) == points[-1:]
    assert forecast(points, NOW + 60) is None


@given(
    st.lists(st.tuples(st.floats(0.01, 10.0), st.floats(0.0, 50.0)), min_size=1, max_size=60),
    st.one_of(st.none(), st.floats(1.0, 40.0)),
)
def test_a_forecast_never_lies_in_the_past_nor_behind_the_reset(
    steps: list[tuple[float, float]], reset_days: float | None
) -> None:
    at, left, points = NOW - sum(hours for hours, _ in steps) * HOUR, 1000.0, []
    reset_at = None if reset_days is None else NOW + reset_days * DAY
    for hours, used in steps:
        at, left = at + hours * HOUR, left - used
        points.append(Point(at, left, 1000.0, reset_at))
    found = forecast(points, NOW)
    if found is not None and found.empty_at is not None:
        assert found.empty_at >= NOW
        assert reset_at is None or found.empty_at < reset_at
        assert found.per_day > 0
