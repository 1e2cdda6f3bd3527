"""Where a key stands is read at most once a second, by one for all who ask."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.database import in_thread
from accounts.directory import caller_of
from accounts.models import ApiKey, Budget, BudgetPeriod, Team, UsageDay
from accounts.standing import KEPT_SECONDS, Standings, standing_of
from tests.accounts.rows import a_member
from tests.proxy.clock import Clock


def a_day(key: ApiKey, slot: str, **sums: Any) -> UsageDay:
    today = timezone.localdate(timezone=timezone.get_default_timezone())
    return UsageDay.objects.create(**{"slot": slot, "day": today, "key": key, "member": key.member, **sums})


@pytest.mark.django_db
def test_the_days_of_a_key_are_summed_and_others_left_out() -> None:
    key, _ = ApiKey.objects.issue(a_member())
    other, _ = ApiKey.objects.issue(key.member)
    a_day(key, "a", opened=3, settled=2, nano=7, input_tokens=5)
    a_day(key, "b", opened=1, refused=1, nano=4, output_tokens=6)
    a_day(key, "c", day="2020-01-01", opened=9, nano=9)
    a_day(other, "d", opened=9, nano=9)
    standing = standing_of(caller_of(key), None)
    assert (standing.nano, standing.today["opened"], standing.today["refused"]) == (11, 4, 1)
    assert (standing.tokens["input_tokens"], standing.tokens["output_tokens"]) == (5, 6)


@pytest.mark.django_db
def test_what_is_left_of_a_budget_is_never_negative_and_counts_what_is_reserved() -> None:
    team = Team.objects.create(name="Platform")
    key, _ = ApiKey.objects.issue(a_member(team=team))
    today = timezone.localdate(timezone=timezone.get_default_timezone())
    tomorrow = today + timedelta(days=1)
    for number, (settled, reserved) in enumerate([(30, 20), (90, 20), (0, 0)]):
        budget = Budget.objects.create(scope="team", team=team, span="day", limit_nano=100, note=str(number))
        if settled:
            BudgetPeriod.objects.create(
                budget=budget, start=today, end=tomorrow, settled_nano=settled, reserved_nano=reserved
            )
    budgets = standing_of(caller_of(key), None).budgets
    assert [budget.left for budget in budgets] == [50, 0, 100]
    assert {budget.resets_at.date() for budget in budgets} == {tomorrow}


@pytest.mark.django_db(transaction=True)
def test_a_standing_is_kept_for_a_second_and_read_once_for_many() -> None:
    key, _ = ApiKey.objects.issue(a_member())
    caller, clock = caller_of(key), Clock()
    standings = Standings(clock)
    a_day(key, "a", nano=1)

    async def ask() -> list[int]:
        first = await asyncio.gather(*(standings.get(caller, None) for _ in range(20)))
        assert len({id(standing) for standing in first}) == 1
        await in_thread(UsageDay.objects.update)(nano=2)
        clock.at += KEPT_SECONDS - 0.01
        soon = await standings.get(caller, None)
        clock.at += 0.02
        later = await standings.get(caller, None)
        return [first[0].nano, soon.nano, later.nano]

    assert asyncio.run(ask()) == [1, 1, 2]
