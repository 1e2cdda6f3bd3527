"""What budgets have taken: spent, reserved and left of the period that today lies in, and when it ends.

A period has a row from its first request on. Before that nothing was reserved in it, and what was spent, by requests
older than the budget, stands in the roll-ups: the row begins with the same sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import Q, Sum
from django.utils import timezone

from accounts.days import end_of, start_of, this_day
from accounts.models import Budget, BudgetPeriod, BudgetScope, BudgetSpan, UsageDay
from accounts.models.usage_record import NANO_PER_CREDIT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from accounts.directory import Caller
    from accounts.models import Member


@dataclass(frozen=True, slots=True)
class Spending:
    """A budget in its running period; money in nano-AIU. `end` is the first day after the period."""

    budget: Budget
    start: date
    end: date
    settled: int
    reserved: int

    @property
    def left(self) -> int:
        return max(0, self.budget.limit_nano - self.settled - self.reserved)

    @property
    def resets_at(self) -> datetime:
        """Midnight of the installation, when the next period begins."""
        return timezone.make_aware(datetime.combine(self.end, time.min), timezone.get_default_timezone())

    @property
    def taken(self) -> int:
        return self.settled + self.reserved

    @property
    def percent(self) -> int:
        """How much of the limit is taken, rounded down; a limit of nothing is all taken."""
        return 100 * self.taken // self.budget.limit_nano if self.budget.limit_nano else 100

    @property
    def taken_credits(self) -> Decimal:
        return Decimal(self.taken) / NANO_PER_CREDIT

    @property
    def left_credits(self) -> Decimal:
        return Decimal(self.left) / NANO_PER_CREDIT

    @property
    def refuses(self) -> bool:
        """Whether the next request would be refused, however small."""
        return self.budget.hard and self.budget.active and not self.left


def spendings_of(budgets: Iterable[Budget]) -> list[Spending]:
    """Return how each budget stands now, in the order given."""
    today = this_day()
    held = list(budgets)
    starts = {start_of(span, today) for span in BudgetSpan}
    periods = {
        (period.budget_id, period.start): period
        for period in BudgetPeriod.objects.filter(budget__in=[budget.pk for budget in held], start__in=starts)
    }
    return [_spending(budget, today, periods.get((budget.pk, start_of(budget.span, today)))) for budget in held]


def budgets_for(caller: Caller) -> list[Budget]:
    """Return the budgets in force that a request of `caller` is counted in; key 0 is no key."""
    concerns = Q(scope=BudgetScope.INSTALLATION) | Q(member=caller.member)
    if caller.key:
        concerns |= Q(key=caller.key)
    if caller.team is not None:
        concerns |= Q(team=caller.team)
    return list(Budget.objects.filter(concerns, active=True).select_related("team", "member", "key").order_by("id"))


def budgets_of(member: Member) -> list[Budget]:
    """Return the budgets in force that are a member's own: the member's, and those of the member's keys."""
    own = Budget.objects.filter(Q(member=member) | Q(key__member=member), active=True)
    return list(own.select_related("team", "member", "key").order_by("scope", "id"))


def _spending(budget: Budget, today: date, period: BudgetPeriod | None) -> Spending:
    start = start_of(budget.span, today)
    if period is not None:
        return Spending(budget, start, period.end, period.settled_nano, period.reserved_nano)
    end = end_of(budget.span, start)
    days = UsageDay.objects.filter(day__gte=start, day__lt=end)
    if budget.scope != BudgetScope.INSTALLATION:
        days = days.filter(**{budget.scope: budget.subject_id})
    return Spending(budget, start, end, days.aggregate(sum=Sum("nano"))["sum"] or 0, 0)
