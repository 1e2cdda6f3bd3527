"""Budget periods: what is held, what is refused and in which words, when it is warned, where periods begin."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.days import end_of, start_of
from accounts.ledger import BudgetSpent
from accounts.ledger.bookkeeper import Act, Bookkeeper
from accounts.ledger.budget_lines import BudgetLine
from accounts.ledger.periods import PeriodsMissing
from accounts.models import (
    Budget,
    BudgetPeriod,
    BudgetWarning,
    UsageDay,
    UsageRecord,
)
from tests.accounts.ledger.acts import a_budget, an_end, an_opening, callers

pytestmark = pytest.mark.django_db


def test_a_refusal_names_whose_budget_what_is_left_and_when_it_resets() -> None:
    caller = callers()[0]
    a_budget(2 * 10**9, member_id=caller.member, span="month")
    act = Act(an_opening(caller, reserved=3 * 10**9))
    error = Bookkeeper(uuid4()).commit([act])[act]
    assert isinstance(error, BudgetSpent)
    assert (error.status, error.code, error.final) == (429, "insufficient_quota", True)
    for words in ("2 credits per month", "2 credits are left", "may need 3", "2026-12-01 00:00 UTC"):
        assert words in str(error)
    assert not UsageRecord.objects.exists()
    assert not UsageDay.objects.exists()


def test_a_request_is_held_in_every_budget_in_scope_and_the_tightest_refuses() -> None:
    caller, other = callers()[0], callers()[2]
    wide, tight = a_budget(100), a_budget(10, key_id=caller.key, span="day")
    keeper = Bookkeeper(uuid4())
    acts = [Act(an_opening(who, reserved=6)) for who in (caller, caller, other)]
    assert list(keeper.commit(acts)) == [acts[1]]
    assert _reserved(wide) == 12
    assert _reserved(tight) == 6


def _reserved(budget: Budget) -> int:
    return BudgetPeriod.objects.get(budget=budget).reserved_nano


def test_a_soft_budget_warns_at_80_and_100_percent_once_and_refuses_nothing() -> None:
    caller = callers()[0]
    budget = a_budget(100, hard=False)
    keeper = Bookkeeper(uuid4())
    marks = []
    for cost in (79, 1, 5, 15, 40):
        opening = an_opening(caller)
        assert not keeper.commit([Act(opening)])
        keeper.commit([Act(settlement=an_end(opening.id, nano=cost))])
        marks.append([w.percent for w in BudgetWarning.objects.filter(period__budget=budget).order_by("percent")])
    assert marks == [[], [80], [80], [80, 100], [80, 100]]


def test_a_hard_budget_that_refuses_for_want_of_room_is_told_as_used_up() -> None:
    caller = callers()[0]
    a_budget(100)
    keeper = Bookkeeper(uuid4())
    assert keeper.commit([Act(an_opening(caller, reserved=101))])
    assert {warning.percent for warning in BudgetWarning.objects.all()} == {80, 100}


def test_a_switched_off_budget_counts_on_but_refuses_nothing() -> None:
    caller = callers()[0]
    budget = a_budget(1, active=False)
    assert not Bookkeeper(uuid4()).commit([Act(an_opening(caller, reserved=50))])
    assert _reserved(budget) == 50


def test_a_budget_made_in_the_middle_of_a_period_counts_what_was_spent_before() -> None:
    caller = callers()[0]
    keeper = Bookkeeper(uuid4())
    spent, flying = an_opening(caller), an_opening(caller, reserved=4)
    keeper.commit([Act(spent), Act(flying)])
    keeper.commit([Act(settlement=an_end(spent.id, nano=30))])
    budget = a_budget(40)
    act = Act(an_opening(caller, reserved=7))
    assert act in keeper.commit([act])
    period = BudgetPeriod.objects.get(budget=budget)
    assert (period.settled_nano, period.reserved_nano) == (30, 4)


def test_a_budget_that_is_deleted_before_its_period_is_made_is_no_fault() -> None:
    budget = a_budget(10)
    line = BudgetLine(budget.pk, "installation", None, "month", 10, True, True)
    budget.delete()
    PeriodsMissing([(line, date(2026, 11, 1))]).make()
    assert not BudgetPeriod.objects.exists()


def test_a_raised_limit_holds_from_the_next_request_on() -> None:
    caller = callers()[0]
    budget = a_budget(10)
    keeper = Bookkeeper(uuid4())
    first, second = Act(an_opening(caller, reserved=11)), Act(an_opening(caller, reserved=11))
    assert keeper.commit([first])
    budget.limit_nano = 11
    budget.save()
    assert not keeper.commit([second])


def test_a_request_of_yesterday_that_ends_today_counts_on_the_day_it_was_opened() -> None:
    caller = callers()[0]
    budget = a_budget(100, span="day")
    keeper = Bookkeeper(uuid4())
    yesterday = an_opening(caller, reserved=3)
    keeper.commit([Act(yesterday)])
    keeper.commit([Act(an_opening(caller, 1, reserved=1)), Act(settlement=an_end(yesterday.id, nano=9))])
    periods = BudgetPeriod.objects.filter(budget=budget).order_by("start")
    assert [(p.start.day, p.settled_nano, p.reserved_nano) for p in periods] == [(30, 9, 0), (1, 0, 1)]


@pytest.mark.parametrize(
    ("span", "start", "end"),
    [
        ("day", date(2026, 12, 31), date(2027, 1, 1)),
        ("week", date(2026, 12, 28), date(2027, 1, 4)),
        ("month", date(2026, 12, 1), date(2027, 1, 1)),
    ],
)
def test_periods_begin_on_the_day_on_monday_and_on_the_first(span: str, start: date, end: date) -> None:
    assert start_of(span, date(2026, 12, 31)) == start
    assert end_of(span, start) == end


@given(span=st.sampled_from(["day", "week", "month"]), day=st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_every_day_lies_in_one_period(span: str, day: date) -> None:
    start = start_of(span, day)
    end = end_of(span, start)
    assert start <= day < end
    assert start_of(span, end) == end
    assert start_of(span, end - timedelta(days=1)) == start
