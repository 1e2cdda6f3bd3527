"""The equations that read every row: the roll-ups against the ledger, day by day and conversation by conversation.

A group of which rows were pruned is compared by its number of rows alone; the sums of what is gone live in the
roll-up only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import BigIntegerField, Case, Count, F, Q, Sum, Value, When
from django.db.models.functions import Coalesce, Left

from accounts.models import Member, UsageDay, UsageRecord, UsageSession, UsageStatus
from accounts.reports.measures import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from django.db.models import QuerySet

_INTEGER = BigIntegerField()
_ZERO = Value(0, output_field=_INTEGER)
_ENDED = tuple(status.value for status in UsageStatus if status != UsageStatus.OPEN)
_TOKENS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
_COST = Coalesce("nano_reported", "nano_computed", 0, output_field=_INTEGER)
_STAND_IN = Case(When(nano_reported=None, then=Coalesce("nano_computed", 0)), default=0, output_field=_INTEGER)
_OF_DAY = ("member", "key", "team", "seat", "program", "model")
_OF_SESSION = ("key", "session")
_SESSION_COLUMNS = tuple(name for name in COLUMNS if name != "total_ms")


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a roll-up and the rows disagree: in which column of which group, and by how much."""

    where: str
    column: str
    rolled_up: int
    in_rows: int

    def __str__(self) -> str:
        return f"{self.where}: {self.column} is {self.rolled_up:,} in the roll-up and {self.in_rows:,} in the rows"


def compare_days(first: date, last: date) -> Iterator[Difference]:
    """Yield what UsageDay and the rows disagree on, one day after the other."""
    for offset in range((last - first).days + 1):
        yield from compare_day(first + timedelta(days=offset))


def compare_day(day: date) -> Iterator[Difference]:
    rolled = UsageDay.objects.filter(day=day).order_by().values(*_OF_DAY).annotate(**_rolled(COLUMNS, Sum("pruned")))
    rows = UsageRecord.objects.filter(day=day).order_by().annotate(model=Left("served_model", 200))
    yield from _compare(rolled, rows, _OF_DAY, COLUMNS, str(day))


def compare_sessions() -> Iterator[Difference]:
    """Yield what UsageSession and the rows disagree on, one member after the other.

    Conversations do not count what was pruned of them: one with fewer rows than it opened is left to the days.
    """
    members = [*Member.objects.order_by("pk").values_list("pk", flat=True), None]
    for member in members:
        own = Q(member=member)
        pruned = UsageDay.objects.filter(own).aggregate(total=Sum("pruned", default=0))["total"]
        sessions = UsageSession.objects.filter(own).order_by().values(*_OF_SESSION)
        rows = UsageRecord.objects.filter(own).exclude(session="").exclude(key=None).order_by()
        found = _compare(
            sessions.annotate(**_rolled(_SESSION_COLUMNS, _ZERO)), rows, _OF_SESSION, _SESSION_COLUMNS, "conversation"
        )
        yield from (one for one in found if not pruned)


def _rolled(columns: Sequence[str], pruned: Any) -> dict[str, Any]:
    return {**{f"sum_{name}": Sum(name) for name in columns}, "sum_pruned": pruned}


def _counted(columns: Sequence[str]) -> dict[str, Any]:
    """The same columns summed from rows; open ones count as opened and for nothing else."""
    ended = ~Q(status=UsageStatus.OPEN)
    sums: dict[str, Any] = {
        "opened": Count("pk"),
        **{status: Count("pk", filter=Q(status=status)) for status in _ENDED},
        **{name: Sum(F(name), filter=ended, default=0) for name in _TOKENS},
        "nano": Sum(_COST, filter=ended, default=0),
        "nano_stand_in": Sum(_STAND_IN, filter=ended, default=0),
        "premium_thousandths": Sum("premium_thousandths", filter=ended, default=0),
        "total_ms": Sum("total_ms", filter=ended, default=0),
    }
    return {**{f"sum_{name}": sums[name] for name in columns}, "sum_pruned": _ZERO}


def _compare(
    rolled: QuerySet[Any, Any], rows: QuerySet[UsageRecord], groups: Sequence[str], columns: Sequence[str], where: str
) -> Iterator[Difference]:
    """Read both sides in one statement and yield where they differ, group by group."""
    names = (*groups, *(f"sum_{name}" for name in columns), "sum_pruned", "side")
    left = rolled.annotate(side=Value(0)).values_list(*names)
    right = rows.values(*groups).annotate(**_counted(columns)).annotate(side=Value(1)).values_list(*names)
    sides: dict[tuple[Any, ...], list[list[int]]] = {}
    for line in left.union(right, all=True).iterator():
        key, sums, side = line[: len(groups)], line[len(groups) : -1], line[-1]
        held = sides.setdefault(key, [[0] * len(sums), [0] * len(sums)])[side]
        held[:] = [one + other for one, other in zip(held, sums, strict=True)]
    for key, (rolled_up, in_rows) in sides.items():
        named = ", ".join(f"{name} {value}" for name, value in zip(groups, key, strict=True) if value not in {None, ""})
        yield from _differences(f"{where}, {named}" if named else where, columns, rolled_up, in_rows)


def _differences(where: str, columns: Sequence[str], rolled_up: list[int], in_rows: list[int]) -> Iterator[Difference]:
    pruned = rolled_up[-1]
    if rolled_up[0] - pruned != in_rows[0]:
        yield Difference(where, "opened - pruned", rolled_up[0] - pruned, in_rows[0])
    if pruned:
        return
    for name, one, other in zip(columns[1:], rolled_up[1:-1], in_rows[1:-1], strict=True):
        if one != other:
            yield Difference(where, name, one, other)
