"""Numbers and periods as the console writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.http import QueryDict
from django.utils import timezone

from accounts.admin.columns import credits_text, moment, whole
from accounts.admin.drilldown import drill_down, read_period


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (None, "–"),
        (0, "0.000"),
        (1, "< 0.001"),
        (400_000, "< 0.001"),
        (1_000_000, "0.001"),
        (1_234_567_890, "1.235"),
        (12_345_000_000_000, "12,345.000"),
        (-2_000_000_000, "-2.000"),
    ],
)
def test_credits_have_three_decimals_and_a_trace_is_told_from_nothing(nano: int | None, text: str) -> None:
    assert credits_text(nano) == text


def test_whole_numbers_are_grouped_and_the_unknown_is_a_dash() -> None:
    assert (whole(1234567), whole(0), whole(None)) == ("1,234,567", "0", "–")


def test_a_moment_is_told_to_the_second_in_the_readers_time_zone() -> None:
    with timezone.override("Asia/Shanghai"):
        assert moment(datetime(2026, 11, 1, 18, 30, 5, tzinfo=UTC)) == "2026-11-02 02:30:05"


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        ("2026-11-22", date(2026, 11, 22), date(2026, 11, 22)),
    ],
)
def test_a_period_has_its_first_and_last_day(text: str, first: date, last: date) -> None:
    period = read_period(text)
    assert period is not None
    assert (period.first, period.last) == (first, last)


@pytest.mark.parametrize("text", ["", "today", "2026-13", "2026-02-30", "0000", "2026-1", "2026-11-22-1", "20261122"])
def test_what_is_no_period_is_none(text: str) -> None:
    assert read_period(text) is None


def titles(first: date, last: date, query: str = "") -> list[str]:
    return [step.title for step in drill_down(QueryDict(query), first, last).steps]


def test_the_first_steps_are_the_widest_that_differ() -> None:
    assert titles(date(2025, 12, 31), date(2027, 1, 1)) == ["2025", "2026", "2027"]
    assert titles(date(2026, 9, 30), date(2026, 11, 1)) == ["September 2026", "October 2026", "November 2026"]
    assert titles(date(2026, 11, 21), date(2026, 11, 22)) == ["November 21", "November 22"]


def test_steps_within_a_period_end_where_the_rows_do() -> None:
    first, last = date(2026, 11, 29), date(2027, 2, 2)
    assert titles(first, last, "day=2026") == ["November 2026", "December 2026"]
    assert titles(first, last, "day=2026-11") == ["November 29", "November 30"]
    assert titles(first, last, "day=2026-11-30") == []


def test_the_way_back_leads_one_step_up() -> None:
    first, last = date(2026, 11, 29), date(2027, 2, 2)
    ways = {
        query: (back.title, back.link) if (back := drill_down(QueryDict(f"day={query}"), first, last).back) else None
        for query in ("2026-11-30", "2026-11", "2026", "today", "")
    }
    assert ways == {
        "2026-11-30": ("November 2026", "?day=2026-11"),
        "2026-11": ("2026", "?day=2026"),
        "2026": ("All dates", "?"),
        "today": ("All dates", "?"),
        "": None,
    }
