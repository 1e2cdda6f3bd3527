"""What the ledger holds of a seat between two moments, in the unit in which GitHub counts the seat.

A request counts when it was settled after the first moment and up to the second. The index on seat and day finds the
rows: a request is settled within two days of being opened.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import BigIntegerField, Case, Count, F, Q, Sum, Value, When
from django.db.models.functions import Coalesce

from accounts.days import day_at
from accounts.models import CostSource, QuotaUnit, UsageDay, UsageRecord, UsageStatus
from accounts.reconciling.drift import NANO, Evidence

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.db.models.expressions import Combinable

LONGEST_REQUEST = timedelta(days=2)
LAG = timedelta(minutes=10)
# Headers show the state of some requests ago, however long these took.
LAG_OF_HEADERS = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Measured:
    """Sums of settled requests. `nano` is in billionths of the unit, what follows `requests` in nano-AIU."""

    nano: int = 0
    requests: int = 0
    unpriced: int = 0
    stand_in: int = 0
    stand_in_rows: int = 0
    computed: int = 0
    discounted: int = 0
    reported: int = 0

    def __add__(self, other: Measured) -> Measured:
        return Measured(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


def measure(seat: int, since: datetime, until: datetime, unit: QuotaUnit) -> Measured:
    """Return the sums of the seat's requests settled in (since, until]."""
    cost = Coalesce("nano_reported", "nano_computed")
    both = Q(nano_reported__isnull=False, nano_computed__isnull=False)
    found = settled(seat, since, until).aggregate(
        nano=_sum(_worth(unit)),
        requests=Count("id"),
        unpriced=Count("id", filter=Q(nano_reported=None, nano_computed=None, http_status=200)),
        stand_in=_sum(cost, Q(nano_reported=None)),
        stand_in_rows=Count("id", filter=Q(nano_reported=None, nano_computed__gt=0)),
        computed=_sum(F("nano_computed"), Q(nano_reported=None, cost_source=CostSource.COMPUTED)),
        discounted=_sum(F("nano_computed"), both),
        reported=_sum(F("nano_reported"), both),
    )
    return Measured(**found)


def evidence_of(
    seat: int, since: datetime, until: datetime, unit: QuotaUnit, total: Measured, *, coarse: bool
) -> Evidence:
    """Return what may explain a drift between the two moments. `coarse`: the readings are those of headers."""
    lag = LAG_OF_HEADERS if coarse else LAG
    by_credits = unit == QuotaUnit.CREDITS
    rows = _opened(seat, since - LONGEST_REQUEST, until)
    under_way = Q(status=UsageStatus.OPEN) | Q(settled_at__gt=until)
    known = rows.aggregate(
        open_rows=Count("id", filter=under_way & Q(opened_at__lte=until)),
        open_reserved=_sum(F("reserved_nano"), under_way & Q(opened_at__lte=until)),
        abandoned=Count("id", filter=Q(status=UsageStatus.ABANDONED, opened_at__gt=since, opened_at__lte=until)),
        abandoned_reserved=_sum(
            F("reserved_nano"), Q(status=UsageStatus.ABANDONED, opened_at__gt=since, opened_at__lte=until)
        ),
    )
    if not by_credits:
        known |= {"open_reserved": 0, "abandoned_reserved": 0}
    return Evidence(
        late_before=measure(seat, since - lag, since, unit).nano,
        late_until=measure(seat, max(since, until - lag), until, unit).nano,
        unpriced=total.unpriced if by_credits else 0,
        stand_in=total.stand_in if by_credits else 0,
        stand_in_rows=total.stand_in_rows if by_credits else 0,
        computed=total.computed,
        discounted=total.discounted if by_credits else 0,
        reported=total.reported,
        **known,
    )


def settled(seat: int, since: datetime, until: datetime) -> QuerySet[UsageRecord]:
    """Return the seat's requests settled in (since, until], abandoned ones without a cost left out."""
    rows = _opened(seat, since - LONGEST_REQUEST, until).filter(settled_at__gt=since, settled_at__lte=until)
    return rows.exclude(status=UsageStatus.ABANDONED, nano_reported=None, nano_computed=None)


def pruned_rows(seat: int, since: datetime, until: datetime) -> int:
    """Return how many of the seat's requests of these days were deleted by retention."""
    days = UsageDay.objects.filter(seat=seat, day__range=(day_at(since), day_at(until)))
    return int(days.aggregate(rows=Coalesce(Sum("pruned"), 0))["rows"])


def _opened(seat: int, first: datetime, last: datetime) -> QuerySet[UsageRecord]:
    return UsageRecord.objects.filter(seat=seat, day__gte=day_at(first), day__lte=day_at(last)).order_by()


def _worth(unit: QuotaUnit) -> Combinable:
    match unit:
        case QuotaUnit.CREDITS:
            return Coalesce("nano_reported", "nano_computed")
        case QuotaUnit.REQUESTS:
            return F("premium_thousandths") * Value(NANO // 1000, output_field=BigIntegerField())
        case _:
            of_user = When(initiator="user", http_status=200, then=Value(NANO))
            return Case(of_user, default=Value(0), output_field=BigIntegerField())


def _sum(worth: Any, condition: Q | None = None) -> Coalesce:
    return Coalesce(Sum(worth, filter=condition), 0, output_field=BigIntegerField())
