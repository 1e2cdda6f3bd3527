"""Seats and members that want a look: idle seats, seats that carry most of the cost, members without usage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Subquery, Sum

from accounts.models import Member, Seat, UsageDay
from accounts.models.usage_record import NANO_PER_CREDIT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

IDLE_DAYS = 14
HEAVY_PERCENT = 50
_PERCENT = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class SeatUse:
    """What a seat carried in the range. `percent` is its part of the cost of all seats; None when there was none."""

    seat: Seat
    requests: int
    nano: int
    percent: Decimal | None
    last_day: date | None
    is_idle: bool
    is_heavy: bool

    @property
    def credits(self) -> Decimal:
        return Decimal(self.nano) / NANO_PER_CREDIT


def seat_use(since: date, until: date, today: date, *, heavy_percent: int = HEAVY_PERCENT) -> list[SeatUse]:
    """Return every seat, the dearest first. Idle: no request for `IDLE_DAYS` days and connected for as long."""
    sums = {seat: (opened, nano) for seat, opened, nano in _sums(since, until)}
    whole = sum(nano for _opened, nano in sums.values())
    last = UsageDay.objects.filter(seat=OuterRef("pk")).order_by("-day").values("day")[:1]
    seats = (
        Seat.objects.select_related("owner").defer("github_token", "copilot_token").annotate(last_day=Subquery(last))
    )
    idle_before = today - timedelta(days=IDLE_DAYS)
    found = []
    for seat in seats:
        opened, nano = sums.get(seat.pk, (0, 0))
        percent = (Decimal(nano * 100) / whole).quantize(_PERCENT) if whole else None
        seen = max(seat.created_at.date(), seat.last_day) if seat.last_day else seat.created_at.date()
        is_heavy = len(sums) > 1 and percent is not None and percent > heavy_percent
        found.append(SeatUse(seat, opened, nano, percent, seat.last_day, seen <= idle_before, is_heavy))
    return sorted(found, key=lambda use: (-use.nano, -use.requests, str(use.seat)))


def _sums(since: date, until: date) -> Sequence[tuple[int, int, int]]:
    days = UsageDay.objects.filter(day__range=(since, until)).exclude(seat=None).order_by()
    sums = days.values("seat").annotate(requests=Sum("opened"), spent=Sum("nano"))
    return list(sums.values_list("seat", "requests", "spent"))


def members_without_usage(since: date, until: date) -> list[Member]:
    """Return active members of whom the range knows no request."""
    used = UsageDay.objects.filter(member=OuterRef("pk"), day__range=(since, until))
    return list(Member.objects.filter(~Exists(used), is_active=True).select_related("team"))
