"""Budget periods within one transaction: which ones a row falls into, whether there is room, what changed.

    admit     a request is let in when, for every hard budget in scope, settled + reserved + its reservation stay
              within the limit; its reservation is then held in every budget in scope
    move      a row that ends gives its reservation back and adds its cost; a corrected one adds the difference

The periods concerned are locked when they are read, so two processes never let in the same credits twice. Overshoot
comes only from answers dearer than their reservation: at most Σ (actual - reserved) of the requests in flight.

A period is made from the ledger's sums when its first request opens. Between those sums and the first update no row
may slip by: every writer holds `share` of a lock for its transaction, the maker of a period holds it alone. (SQLite
has one writer; its transactions are that lock.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from accounts.days import end_of, start_of
from accounts.ledger.booked import Booked, day_of
from accounts.ledger.budget_lines import BudgetLine, BudgetLines
from accounts.models import (
    Budget,
    BudgetPeriod,
    BudgetWarning,
    UsageDay,
    UsageRecord,
    UsageStatus,
)
from accounts.models.usage_record import NANO_PER_CREDIT
from bridge.errors import Exhausted

# Any number does that nothing else in the database uses.
_LOCK = 0x62726467
# SQLite takes no deeper expressions than 1000.
_SLOTS = 200
_SCOPE_FIELDS = {"team": "team_id", "member": "member_id", "key": "key_id"}


class BudgetSpent(Exhausted):
    """A hard budget of the gateway's own has no room for the request."""


class PeriodsMissing(Exception):
    """Periods must be made before the transaction can go on; it is to be begun anew after `make`."""

    def __init__(self, missing: Iterable[tuple[BudgetLine, date]]) -> None:
        super().__init__("budget periods are missing")
        self._missing = tuple(missing)

    def make(self) -> None:
        with transaction.atomic():
            _lock(share=False)
            # A budget may have been deleted since the transaction began that missed its period.
            left = set(
                Budget.objects.filter(pk__in={line.id for line, _start in self._missing}).values_list("pk", flat=True)
            )
            for line, start in self._missing:
                if line.id in left:
                    _make_period(line, start)


@dataclass(slots=True)
class _Period:
    """A locked period and what this transaction adds to it."""

    id: int
    line: BudgetLine
    end: date
    settled: int
    reserved: int
    settled_change: int = 0
    reserved_change: int = 0
    refused: bool = False

    @property
    def spent(self) -> int:
        return self.settled + self.settled_change + self.reserved + self.reserved_change

    def has_room(self, nano: int) -> bool:
        return self.spent + nano <= self.line.limit and self.spent < self.line.limit

    def percent_reached(self) -> Iterator[int]:
        """Marks that are passed; a refusal passes them all."""
        settled = self.settled + self.settled_change
        return (
            mark
            for mark in BudgetWarning.MARKS
            if self.refused or (self.line.limit > 0 and settled * 100 >= self.line.limit * mark)
        )


class Periods:
    """The periods that one transaction concerns."""

    def __init__(self, lines: BudgetLines) -> None:
        _lock(share=True)
        lines.refresh()
        self._lines = lines
        self._held: dict[tuple[int, date], _Period] = {}

    def prepare(self, opening: Iterable[Booked], moving: Iterable[Booked]) -> None:
        """Lock the periods of these rows, all at once. Raises PeriodsMissing when an opening row has none yet."""
        if not self._lines.by_id:
            return
        needed = {slot for row in opening for slot in self._slots(row)}
        wanted = needed | {slot for row in moving for slot in self._slots(row)}
        wanted -= self._held.keys()
        if not wanted:
            return
        for number, budget, start, end, settled, reserved in _lock_periods(wanted):
            self._held[budget, start] = _Period(number, self._lines.by_id[budget], end, settled, reserved)
        missing = needed - self._held.keys()
        if missing:
            raise PeriodsMissing((self._lines.by_id[budget], start) for budget, start in sorted(missing))

    def admit(self, row: Booked) -> BudgetSpent | None:
        """Hold the row's reservation in every budget in scope, or say which hard one has no room for it."""
        periods = self._of(row)
        for period in periods:
            if period.line.refuses and period.line.active and not period.has_room(row.reserved):
                period.refused = True
                return _refusal(period, row.reserved)
        for period in periods:
            period.reserved_change += row.held
        return None

    def move(self, before: Booked, after: Booked) -> None:
        for period in self._of(after):
            period.settled_change += after.cost - before.cost
            period.reserved_change += after.held - before.held

    def flush(self) -> None:
        changed = [period for period in self._held.values() if period.settled_change or period.reserved_change]
        changes = [
            (period.settled_change, period.reserved_change, period.id)
            for period in sorted(changed, key=lambda period: period.id)
        ]
        if changes:
            table = BudgetPeriod._meta.db_table
            with connection.cursor() as cursor:
                cursor.executemany(
                    f'UPDATE "{table}" SET "settled_nano" = "settled_nano" + %s,'  # noqa: S608 - our own table
                    ' "reserved_nano" = "reserved_nano" + %s WHERE "id" = %s',
                    changes,
                )
        self._warn()

    def _warn(self) -> None:
        """One warning for each mark of each period; the constraint keeps a second one out."""
        warnings = [
            BudgetWarning(
                period_id=period.id, percent=mark, spent_nano=period.spent, limit_nano=period.line.limit,
            )
            for period in self._held.values()
            if period.line.active and (period.settled_change > 0 or period.refused)
            for mark in period.percent_reached()
        ]  # fmt: skip
        if warnings:
            BudgetWarning.objects.bulk_create(warnings, ignore_conflicts=True)

    def _slots(self, row: Booked) -> Iterator[tuple[int, date]]:
        for line in self._lines.of(row):
            yield line.id, start_of(line.span, row.day)

    def _of(self, row: Booked) -> list[_Period]:
        return [period for slot in self._slots(row) if (period := self._held.get(slot)) is not None]


def _lock_periods(slots: set[tuple[int, date]]) -> Iterator[tuple[int, int, date, date, int, int]]:
    """The periods that are there, locked in one order for all processes; plain SQL for speed."""
    as_date = connection.ops.adapt_datefield_value
    locking = " FOR UPDATE" if connection.features.has_select_for_update else ""
    ordered = sorted(slots)
    for at in range(0, len(ordered), _SLOTS):
        batch = ordered[at : at + _SLOTS]
        pairs = " OR ".join(['("budget_id" = %s AND "start" = %s)'] * len(batch))
        sql = (
            'SELECT "id", "budget_id", "start", "end", "settled_nano", "reserved_nano"'  # noqa: S608 - marks alone
            f' FROM "{BudgetPeriod._meta.db_table}" WHERE {pairs} ORDER BY "budget_id", "start"{locking}'
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [value for budget, start in batch for value in (budget, as_date(start))])
            rows = cursor.fetchall()
        for number, budget, start, end, settled, reserved in rows:
            yield number, budget, day_of(start), day_of(end), settled, reserved


def _lock(*, share: bool) -> None:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock{'_shared' if share else ''}(%s)", [_LOCK])


def _make_period(line: BudgetLine, start: date) -> None:
    """Make a period with what the ledger holds of it already."""
    end = end_of(line.span, start)
    scope: dict[str, Any] = {_SCOPE_FIELDS[line.scope]: line.subject} if line.subject is not None else {}
    days = UsageDay.objects.filter(day__gte=start, day__lt=end, **scope)
    rows = UsageRecord.objects.filter(status=UsageStatus.OPEN, day__gte=start, day__lt=end, **scope)
    BudgetPeriod.objects.bulk_create(
        [
            BudgetPeriod(
                budget_id=line.id,
                start=start,
                end=end,
                settled_nano=days.aggregate(sum=Sum("nano"))["sum"] or 0,
                reserved_nano=rows.aggregate(sum=Sum("reserved_nano"))["sum"] or 0,
            )
        ],
        ignore_conflicts=True,
    )


def _refusal(period: _Period, needed: int) -> BudgetSpent:
    line = period.line
    budget = Budget.objects.select_related("team", "member", "key").filter(pk=line.id).first()
    params = {
        "whose": budget.whose if budget is not None else line.scope,
        "span": line.span,
        "limit": _credits(line.limit),
        "left": _credits(max(0, line.limit - period.spent)),
        "needed": _credits(needed),
        "reset": f"{period.end} 00:00 {timezone.get_default_timezone_name()}",
    }
    text = (
        "The budget of %(limit)s credits per %(span)s for %(whose)s is used up: %(left)s credits are left and this "
        "request may need %(needed)s. It resets at %(reset)s; the gateway's owner can raise it."
    )
    return BudgetSpent(text, params)


def _credits(nano: int) -> str:
    return f"{(Decimal(nano) / NANO_PER_CREDIT).quantize(Decimal('0.0001')).normalize():f}"
