"""Efforts, budgets and the way from one to the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.effort import EFFORTS, budget_of_effort, effort_of_budget, nearest_effort

efforts = st.sampled_from(EFFORTS)


@pytest.mark.parametrize(
    ("tokens", "effort"),
    [(0, "low"), (1024, "low"), (4095, "low"), (4096, "medium"), (16_383, "medium"), (16_384, "high"), (10**6, "high")],
)
def test_a_budget_stands_for_an_effort(tokens: int, effort: str) -> None:
    assert effort_of_budget(tokens) == effort


@pytest.mark.parametrize("effort", ["low", "medium", "high"])
def test_an_effort_comes_back_from_its_budget(effort: str) -> None:
    assert effort_of_budget(budget_of_effort(effort)) == effort


@given(efforts, st.integers(0, 5000), st.integers(5001, 100_000))
def test_a_budget_stays_within_its_limits(effort: str, least: int, most: int) -> None:
    assert least <= budget_of_effort(effort, least, most) <= most


def test_more_effort_is_never_a_smaller_budget() -> None:
    budgets = [budget_of_effort(effort) for effort in EFFORTS]
    assert budgets == sorted(budgets)
    assert budgets[0] < budgets[-1]


def test_a_word_that_nobody_knows_is_a_medium_budget() -> None:
    assert budget_of_effort("heroic") == budget_of_effort("medium")


@given(efforts, st.sets(efforts, min_size=1))
def test_the_nearest_effort_is_listed_and_none_is_nearer(effort: str, listed: set[str]) -> None:
    nearest = nearest_effort(effort, listed)
    assert nearest in listed

    def distance(other: str) -> int:
        return abs(EFFORTS.index(other) - EFFORTS.index(effort))

    assert distance(nearest) == min(map(distance, listed))


def test_of_two_efforts_as_near_the_weaker_is_taken() -> None:
    assert nearest_effort("medium", ("high", "low")) == "low"


def test_an_unknown_word_is_taken_only_where_it_is_listed() -> None:
    assert nearest_effort("heroic", ("low", "heroic")) == "heroic"
    assert nearest_effort("heroic", ("low", "high")) is None
    assert nearest_effort("low", ("heroic",)) is None
    assert nearest_effort("low", ()) is None
