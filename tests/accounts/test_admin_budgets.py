"""Budgets in the console: made in credits, seen as bars, changed in what may change."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.days import end_of, start_of
from accounts.models import Budget, BudgetPeriod, BudgetWarning
from tests.accounts.console import owner
from tests.accounts.rows import a_member

__all__ = ["owner"]

pytestmark = pytest.mark.django_db

LIST = "admin:accounts_budget_changelist"


def test_a_budget_is_made_in_credits_and_kept_in_nano(owner: Client) -> None:
    member = a_member("mo")
    form = {"scope": "member", "member": member.pk, "span": "week", "limit": "12.5", "hard": "on", "active": "on"}
    answer = owner.post(reverse("admin:accounts_budget_add"), form)
    assert answer.status_code == 302
    budget = Budget.objects.get()
    assert (budget.limit_nano, budget.member, budget.span, budget.hard) == (12_500_000_000, member, "week", True)


@pytest.mark.parametrize(
    "form",
    [
        {"scope": "member", "span": "week", "limit": "1"},
        {"scope": "installation", "span": "week", "limit": "-1"},
        {"scope": "installation", "span": "year", "limit": "1"},
        {"scope": "installation", "span": "day", "limit": "9300000000.0"},
        {"scope": "installation", "span": "day", "limit": "1e30"},
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(owner: Client, form: dict[str, str]) -> None:
    answer = owner.post(reverse("admin:accounts_budget_add"), form)
    assert answer.status_code == 200
    assert not Budget.objects.exists()


def test_the_list_shows_what_is_spent_and_reserved_of_this_period(owner: Client) -> None:
    budget = Budget.objects.create(limit_nano=10 * 10**9, span="month")
    start = start_of("month", timezone.localdate())
    BudgetPeriod.objects.create(
        budget=budget, start=start, end=end_of("month", start), settled_nano=8 * 10**9, reserved_nano=10**9
    )
    page = owner.get(reverse(LIST)).content.decode()
    assert "90 % · 9.000" in page
    assert "budget-bar near" in page
    assert str(end_of("month", start)) in page


def test_whom_and_what_a_budget_counts_is_fixed(owner: Client) -> None:
    budget = Budget.objects.create(limit_nano=10, span="month")
    form = {"scope": "installation", "span": "day", "limit": "3", "hard": "", "active": "on"}
    owner.post(reverse("admin:accounts_budget_change", args=[budget.pk]), form | _no_periods())
    budget.refresh_from_db()
    assert (budget.span, budget.limit_nano, budget.hard) == ("month", 3 * 10**9, False)


def _no_periods() -> dict[str, str]:
    return {"periods-TOTAL_FORMS": "0", "periods-INITIAL_FORMS": "0"}


def test_a_budget_is_switched_off_and_on(owner: Client) -> None:
    budget = Budget.objects.create(limit_nano=10)
    for act, active in (("switch_off_one", False), ("switch_on_one", True)):
        owner.post(reverse(f"admin:accounts_budget_{act}", args=[budget.pk]), {"confirmed": "yes"})
        budget.refresh_from_db()
        assert budget.active is active


def test_warnings_stand_in_the_console(owner: Client) -> None:
    budget = Budget.objects.create(limit_nano=10 * 10**9, note="tools")
    period = BudgetPeriod.objects.create(budget=budget, start=timezone.localdate(), end=timezone.localdate())
    warning = BudgetWarning.objects.create(period=period, percent=80, spent_nano=8 * 10**9, limit_nano=10 * 10**9)
    page = owner.get(reverse("admin:accounts_budgetwarning_changelist")).content.decode()
    assert "80 %" in page
    assert "8.000" in page
    assert owner.get(reverse("admin:accounts_budgetwarning_change", args=[warning.pk])).status_code == 200
