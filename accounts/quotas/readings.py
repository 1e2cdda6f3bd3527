"""What GitHub says is left of a seat, kept: the newest figures on the seat, their history as readings.

A reading is written when a figure changed, and once an hour when it did not; answers' headers lead to one writing a
minute and seat at most. The first reading of an hour outlives the others (five weeks instead of two days), the first of
a day outlives those (400 days); which of them a reading is, its `grain`, is decided when it is written. An unlimited
allowance is written down when it becomes one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Q

from accounts.models import QuotaReading, QuotaSource, Seat
from accounts.models.quota_reading import Grain
from accounts.quotas.levels import Levels, read_levels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.copilot.account import AccountState
    from bridge.copilot.quota import Quota

PAUSE: Final = timedelta(seconds=60)
REPEAT: Final = timedelta(hours=1)
_KEPT = {Grain.ALL: timedelta(days=2), Grain.HOURLY: timedelta(days=35), Grain.DAILY: timedelta(days=400)}
# What readings are kept of; the upstream may name other allowances, which say nothing of the gateway's work.
_NAMES = frozenset({"premium_models", "premium_interactions", "chat", "session", "weekly"})
_FIGURES = ("unlimited", "entitlement", "remaining", "percent_remaining", "overage", "reset_at")
_BATCH = 500


def levels_of(seat: Seat) -> Levels:
    """Return what the seat's row says is left of it."""
    return read_levels(seat.quota, seat.quota_seen_at.timestamp() if seat.quota_seen_at else None, seat.sku)


def levels_of_all() -> dict[int, Levels]:
    """Return the same for every seat."""
    seats = Seat.objects.only("quota", "quota_seen_at", "sku")
    return {seat.pk: levels_of(seat) for seat in seats}


def quotas_of(account: AccountState) -> tuple[Quota, ...]:
    """Return an account's allowances, each with its unit: the account page names it for all of them at once."""
    return tuple(
        replace(quota, token_based=account.token_based) if quota.token_based is None else quota
        for quota in account.quotas
    )


def note(seat: int, quotas: Iterable[Quota], at: float, source: str = QuotaSource.HEADERS) -> None:
    """Keep what was seen of a seat's allowances at `at`; those that were not named stay as they were."""
    seen = tuple(quotas)
    with transaction.atomic():
        rows = Seat.objects.select_for_update().only("quota", "quota_seen_at", "sku")
        row = rows.filter(pk=seat).first()
        if row is None or not seen:
            return
        levels = levels_of(row).with_quotas(seen, at)
        moment = _moment(at)
        Seat.objects.filter(pk=seat).quiet_update(quota=levels.column(), quota_seen_at=moment)
        _write_readings(seat, seen, moment, source)


def thin(now: datetime) -> int:
    """Delete readings whose time is over, a few hundred at a time, and return how many that were."""
    deleted = 0
    over = Q()
    for grain, kept in _KEPT.items():
        over |= Q(grain=grain, at__lt=now - kept)
    youngest = now - min(_KEPT.values())
    for seat in Seat.objects.order_by().values_list("pk", flat=True):
        gone = QuotaReading.objects.order_by().filter(over, seat=seat, at__lt=youngest)
        while batch := list(gone.values_list("pk", flat=True)[:_BATCH]):
            deleted += QuotaReading.objects.filter(pk__in=batch).delete()[0]
    return deleted


def _write_readings(seat: int, quotas: tuple[Quota, ...], at: datetime, source: str) -> None:
    last = {
        name: QuotaReading.objects.filter(seat=seat, name=name).first()
        for name in (quota.name for quota in quotas)
        if name in _NAMES
    }
    from_headers = (reading.at for reading in last.values() if reading is not None and reading.source == source)
    newest = max(from_headers, default=None)
    if source == QuotaSource.HEADERS and newest is not None and at < newest + PAUSE:
        return  # another process wrote meanwhile
    readings = [_reading(seat, quota, at, source) for quota in quotas if quota.name in last]
    news = [reading for reading in readings if _is_news(reading, last[reading.name])]
    for reading in news:
        reading.grain = _grain(reading.at, last[reading.name])
    QuotaReading.objects.bulk_create(news)


def _reading(seat: int, quota: Quota, at: datetime, source: str) -> QuotaReading:
    return QuotaReading(
        seat_id=seat,
        name=quota.name,
        at=at,
        source=source,
        unlimited=quota.unlimited,
        entitlement=quota.entitlement,
        remaining=quota.remaining,
        percent_remaining=quota.percent_remaining,
        overage=quota.overage_count,
        reset_at=None if quota.reset_at is None else _moment(quota.reset_at),
    )


def _is_news(reading: QuotaReading, before: QuotaReading | None) -> bool:
    if before is None:
        return True
    if reading.at <= before.at:
        return False
    if reading.unlimited and before.unlimited:
        return False
    has_changed = any(getattr(reading, name) != getattr(before, name) for name in _FIGURES)
    return has_changed or reading.at >= before.at + REPEAT


def _grain(at: datetime, before: QuotaReading | None) -> Grain:
    """Days and hours are those of UTC: which reading is kept is nobody's business day."""
    if before is None or before.at.astimezone(UTC).date() != at.astimezone(UTC).date():
        return Grain.DAILY
    return Grain.HOURLY if before.at.hour != at.hour else Grain.ALL


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
