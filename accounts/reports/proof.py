"""Does the ledger add up? Four equations, each to the row and to the unit.

    outcomes   opened = open + settled + refused + failed + cancelled + abandoned
    rows       rows in the ledger = opened - pruned
    sums       every sum of UsageDay and UsageSession = that of the rows, wherever no row was pruned
    budgets    what a budget's period has counted = the sum of its days, and what it holds back = that of open rows

The gateway goes on writing meanwhile, so both sides of an equation are read by one statement: one statement sees the
database at one moment. The first and the last equation are quick at any size; the two between read every row, one day
after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import BigIntegerField, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from accounts.models import BudgetPeriod, BudgetScope, UsageDay, UsageRecord, UsageStatus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

_ENDED = tuple(status.value for status in UsageStatus if status != UsageStatus.OPEN)
_ZERO = Value(0, output_field=BigIntegerField())
_ONE = Value(1, output_field=BigIntegerField())


@dataclass(frozen=True, slots=True)
class Standing:
    """One line of the first equation; `subject` is a day, the id of a member, or None."""

    subject: Any
    opened: int
    settled: int
    refused: int
    failed: int
    cancelled: int
    abandoned: int
    open: int

    @property
    def accounted(self) -> int:
        return self.open + self.settled + self.refused + self.failed + self.cancelled + self.abandoned

    @property
    def difference(self) -> int:
        return self.opened - self.accounted

    @property
    def holds(self) -> bool:
        return not self.difference

    def __add__(self, other: Standing) -> Standing:
        mine, theirs = self._counts(), other._counts()
        return Standing(self.subject, *(one + another for one, another in zip(mine, theirs, strict=True)))

    def _counts(self) -> tuple[int, ...]:
        return (
            self.opened, self.settled, self.refused, self.failed, self.cancelled, self.abandoned, self.open,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """One budget's period against the roll-ups and the open rows; nano-AIU."""

    period: BudgetPeriod
    settled_in_days: int
    reserved_in_rows: int

    @property
    def settled_difference(self) -> int:
        return self.period.settled_nano - self.settled_in_days

    @property
    def reserved_difference(self) -> int:
        return self.period.reserved_nano - self.reserved_in_rows

    @property
    def holds(self) -> bool:
        return not self.settled_difference and not self.reserved_difference


def standings(group: str, since: date | None = None) -> list[Standing]:
    """Return the first equation for each `day` (from `since` on) or `member` (None: requests without one)."""
    days = UsageDay.objects.order_by() if since is None else UsageDay.objects.filter(day__gte=since).order_by()
    rolled = days.values(group).annotate(**{f"sum_{name}": Sum(name) for name in ("opened", *_ENDED)}, sum_open=_ZERO)
    # Neither grouped nor narrowed: either would lure the database from the small index of what is open to a great one.
    rows = UsageRecord.objects.filter(status=UsageStatus.OPEN).order_by()
    still = rows.annotate(**{f"sum_{name}": _ZERO for name in ("opened", *_ENDED)}, sum_open=_ONE)
    names = (group, *(f"sum_{name}" for name in ("opened", *_ENDED, "open")))
    both = rolled.values_list(*names).union(still.values_list(*names), all=True)
    found: dict[Any, Standing] = {}
    for subject, *counts in both:
        if since is not None and subject < since:
            continue
        line = Standing(subject, *counts)
        found[subject] = found[subject] + line if subject in found else line
    return list(found.values())


def whole(lines: list[Standing]) -> Standing:
    """Return the sum of lines."""
    return sum(lines, Standing(None, 0, 0, 0, 0, 0, 0, 0))


def budget_standings(since: date | None = None) -> Iterator[BudgetStanding]:
    """Yield the periods that end after `since`, all of them by default."""
    periods = BudgetPeriod.objects.select_related("budget__team", "budget__member", "budget__key")
    chosen = periods if since is None else periods.filter(end__gt=since)
    for scope in BudgetScope:
        own = {} if scope == BudgetScope.INSTALLATION else {scope.value: OuterRef(f"budget__{scope.value}")}
        lines = chosen.filter(budget__scope=scope).annotate(
            days=_sum_of(UsageDay.objects.filter(**own), "nano"),
            held=_sum_of(UsageRecord.objects.filter(status=UsageStatus.OPEN, **own), "reserved_nano"),
        )
        for period in lines.order_by("-start", "pk").iterator(chunk_size=500):
            yield BudgetStanding(period, period.days, period.held)


def _sum_of(rows: QuerySet[Any], column: str) -> Coalesce:
    within = rows.filter(day__gte=OuterRef("start"), day__lt=OuterRef("end")).order_by()
    total = within.annotate(one=_ZERO).values("one").annotate(total=Sum(column)).values("total")
    return Coalesce(Subquery(total), _ZERO)


def ledger_days() -> tuple[date, date] | None:
    """Return the first and the last day of which there are rows or roll-ups."""
    ends = [
        day
        for days in (UsageDay.objects.order_by("day"), UsageRecord.objects.order_by("day"))
        for day in (days.values_list("day", flat=True).first(), days.values_list("day", flat=True).last())
        if day is not None
    ]
    return (min(ends), max(ends)) if ends else None
