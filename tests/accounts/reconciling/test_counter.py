"""How far GitHub's counter moved: runs between resets, to the last billionth, and how fine its figures are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import QuotaReading, QuotaSource
from accounts.reconciling.counter import NANO, Run, counted_runs, step_nano

START = datetime(2026, 11, 20, tzinfo=UTC)
RESET = START + timedelta(days=2)
NEXT_RESET = RESET + timedelta(days=30)


def reading(hours: float, remaining: float | None, entitlement: float = 7000.0, **fields: Any) -> QuotaReading:
    values: dict[str, Any] = {"source": QuotaSource.ACCOUNT, "reset_at": RESET} | fields
    at = START + timedelta(hours=hours)
    return QuotaReading(name="premium_interactions", at=at, entitlement=entitlement, remaining=remaining, **values)


def moves(*readings: QuotaReading) -> list[int]:
    return [run.moved for run in counted_runs(readings)]


def test_fewer_than_two_readings_tell_nothing() -> None:
    assert counted_runs([]) == []
    assert counted_runs([reading(0, 10.0)]) == []


def test_a_run_is_the_difference_of_its_ends_to_the_billionth() -> None:
    runs = counted_runs([reading(0, 6996.7625), reading(1, 6990.1), reading(2, 6987.123456789)])
    assert runs == [Run(START, START + timedelta(hours=2), 9_639_043_211)]


def test_a_negative_remainder_counts_as_used() -> None:
    assert moves(reading(0, 2.5), reading(1, -1.5)) == [4 * NANO]


def test_overage_counts_as_used() -> None:
    assert moves(reading(0, 1.0), reading(1, 0.0, overage=12.0)) == [13 * NANO]


def test_a_counter_that_falls_a_little_goes_on_counting() -> None:
    assert moves(reading(0, 6000.0), reading(1, 6001.0), reading(2, 5990.0)) == [10 * NANO]


def test_a_counter_that_falls_much_before_a_known_reset_was_given_back() -> None:
    assert moves(reading(0, 6000.0), reading(1, 6900.0)) == [-900 * NANO]


def test_across_a_known_reset_the_new_run_counts_from_nothing() -> None:
    runs = counted_runs([reading(40, 6000.0), reading(46, 5990.0), reading(50, 6970.0, reset_at=NEXT_RESET)])
    assert [run.moved for run in runs] == [10 * NANO, 30 * NANO]
    assert runs[0].until == START + timedelta(hours=46)
    assert (runs[1].since, runs[1].until) == (RESET, START + timedelta(hours=50))


def test_figures_that_lag_behind_a_reset_still_belong_to_the_old_run() -> None:
    runs = counted_runs([reading(46, 6000.0), reading(49, 5999.0), reading(50, 6999.0, reset_at=NEXT_RESET)])
    assert [run.moved for run in runs] == [1 * NANO, 0]
    assert runs[1].since == START + timedelta(hours=50)


def test_without_a_date_a_fall_to_less_than_half_is_a_reset_of_unknown_moment() -> None:
    readings = [reading(0, 6000.0, reset_at=None), reading(1, 6990.0, reset_at=None), reading(2, 6980.0, reset_at=None)]
    runs = counted_runs(readings)
    assert [run.moved for run in runs] == [0, 10 * NANO]
    assert runs[1].since == START + timedelta(hours=1)


@pytest.mark.parametrize(
    ("figures", "step"),
    [
        ([252.6, 250.0], NANO // 10),
        ([12.0, 11.0], NANO),
        ([1493.25, 1493.2], NANO // 100),
        ([6996.762500000001], 1),
    ],
)
def test_the_finest_digit_seen_is_the_smallest_difference(figures: list[float], step: int) -> None:
    assert step_nano([reading(hour, figure) for hour, figure in enumerate(figures)]) == step


def test_a_remainder_made_of_a_percentage_is_as_coarse_as_that() -> None:
    seen = reading(0, 7000.0 * 99.6 / 100.0, source=QuotaSource.HEADERS, percent_remaining=99.6)
    assert step_nano([seen]) == 7 * NANO


def test_beyond_the_allowance_only_whole_units_are_told() -> None:
    assert step_nano([reading(0, 1.25), reading(1, 0.0, overage=3.0)]) == NANO
