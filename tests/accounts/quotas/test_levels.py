"""What is known to be left of a seat, and what that means for choosing it."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.quotas.levels import FRESH_SECONDS, UNKNOWN, Levels, Standing, percent_left, read_levels
from bridge.copilot.quota import Quota

NOW = 1_800_000_000.0
LATER = NOW + 86_400


def seen(*quotas: Quota, at: float = NOW, **fields: Any) -> Levels:
    return Levels(**fields).with_quotas(quotas, at)


def premium(**fields: Any) -> Quota:
    return Quota("premium_interactions", **{"entitlement": 1500.0, "reset_at": LATER, **fields})


STANDINGS = [
    ((premium(remaining=700.0, percent_remaining=46.0),), Standing.WELL),
    ((premium(remaining=29.0, percent_remaining=1.9),), Standing.LOW),
    ((premium(remaining=29.0),), Standing.LOW),
    ((premium(remaining=0.0, percent_remaining=0.0),), Standing.EMPTY),
    ((premium(remaining=-12.5, percent_remaining=-0.8),), Standing.EMPTY),
    ((premium(remaining=None, entitlement=None, percent_remaining=-0.3),), Standing.EMPTY),
    ((premium(remaining=None, entitlement=None, percent_remaining=40.0),), Standing.WELL),
    ((premium(remaining=0.0, percent_remaining=0.0, overage_permitted=True),), Standing.LOW),
    ((premium(remaining=0.0, overage_permitted=True, overage_count=30.0),), Standing.LOW),
    ((premium(unlimited=True, entitlement=None),), Standing.WELL),
    ((Quota("chat", unlimited=True), premium(remaining=0.0)), Standing.EMPTY),
    ((premium(remaining=0.0), Quota("premium_models", entitlement=300.0, remaining=200.0)), Standing.WELL),
    ((premium(remaining=700.0), Quota("session", entitlement=0.0, percent_remaining=0.0)), Standing.EMPTY),
    ((premium(remaining=700.0), Quota("weekly", entitlement=0.0, percent_remaining=-1.0)), Standing.EMPTY),
    ((premium(remaining=700.0), Quota("weekly", entitlement=0.0, percent_remaining=1.0)), Standing.LOW),
    ((premium(remaining=700.0), Quota("session", entitlement=0.0, percent_remaining=50.0)), Standing.WELL),
    ((), Standing.WELL),
]  # fmt: skip


@pytest.mark.parametrize(("quotas", "standing"), STANDINGS)
def test_what_is_left_decides_how_a_seat_stands(quotas: tuple[Quota, ...], standing: Standing) -> None:
    assert seen(*quotas).standing(NOW) is standing


def test_chat_messages_govern_a_free_account_and_premium_ones_do_not() -> None:
    quotas = (
        Quota("chat", entitlement=200.0, remaining=150.0),
        Quota("premium_interactions", entitlement=0.0, remaining=0.0),
    )
    assert seen(*quotas, is_free=True).standing(NOW) is Standing.WELL
    assert seen(Quota("chat", entitlement=200.0, remaining=0.0), is_free=True).standing(NOW) is Standing.EMPTY


def test_old_knowledge_locks_no_seat_out() -> None:
    empty = seen(premium(remaining=0.0))
    assert empty.standing(NOW + FRESH_SECONDS - 1) is Standing.EMPTY
    assert empty.standing(NOW + FRESH_SECONDS) is Standing.WELL


def test_a_reset_ends_what_was_known() -> None:
    empty = seen(premium(remaining=0.0, reset_at=NOW + 60), Quota("session", percent_remaining=0.0, reset_at=NOW + 90))
    assert empty.standing(NOW + 59) is Standing.EMPTY
    assert empty.standing(NOW + 60) is Standing.EMPTY
    assert empty.standing(NOW + 90) is Standing.WELL


def test_an_answer_that_names_one_allowance_leaves_the_others() -> None:
    levels = seen(premium(remaining=700.0, token_based=True), Quota("weekly", percent_remaining=0.0))
    levels = levels.with_quotas([premium(remaining=690.0)], NOW + 60)
    assert levels.standing(NOW + 60) is Standing.EMPTY
    assert levels.governing is not None
    assert (levels.governing.quota.remaining, levels.governing.quota.token_based) == (690.0, True)


def test_an_allowance_that_is_named_no_more_is_forgotten() -> None:
    levels = seen(Quota("premium_models", entitlement=300.0, remaining=0.0))
    levels = levels.with_quotas([premium(remaining=700.0)], NOW + 3 * 86_400)
    assert [sighting.quota.name for sighting in levels.sightings] == ["premium_interactions"]


def test_of_two_reports_the_newer_sighting_of_each_allowance_counts() -> None:
    one = seen(premium(remaining=5.0), Quota("weekly", percent_remaining=9.0))
    other = seen(premium(remaining=4.0), at=NOW + 10).with_quotas([Quota("session", percent_remaining=3.0)], NOW - 10)
    for merged in (one.merged(other), other.merged(one)):
        assert {s.quota.name: (s.quota.remaining, s.quota.percent_remaining) for s in merged.sightings} == {
            "premium_interactions": (4.0, None),
            "weekly": (None, 9.0),
            "session": (None, 3.0),
        }


def test_the_column_tells_the_same_again() -> None:
    levels = seen(premium(remaining=700.0, token_based=True), Quota("session", percent_remaining=50.0))
    assert read_levels(levels.column(), None) == levels


@pytest.mark.parametrize("column", [None, [], {"x": 1}, {"x": {}}, {"x": {"name": 5}}, {"x": {"name": "x", "at": "y"}}])
def test_a_column_that_cannot_be_read_says_nothing(column: object) -> None:
    assert read_levels(column, NOW) == UNKNOWN


def test_entries_without_a_date_are_as_old_as_the_column() -> None:
    levels = read_levels(
        {"chat": {"name": "chat", "remaining": 3.0, "of_later_versions": 1}}, NOW, "free_limited_copilot"
    )
    assert levels.governing is not None
    assert (levels.governing.at, levels.governing.quota, levels.is_free) == (NOW, Quota("chat", remaining=3.0), True)


def test_percent_is_as_said_or_as_reckoned() -> None:
    assert percent_left(premium(remaining=150.0)) == 10.0
    assert percent_left(premium(remaining=150.0, percent_remaining=9.5)) == 9.5
    assert percent_left(premium(remaining=None)) is None
    assert percent_left(Quota("chat", entitlement=0.0, remaining=0.0)) is None
