"""How long a seat lasts, for the pages that show it: what is left, the forecast, the windows and the last 30 days.

A forecast is made of few readings for each seat, so that a list of many seats is two quick looks into the database; the
newest figure is the seat's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.utils import timezone

from accounts.models import QuotaReading
from accounts.models.quota_reading import Grain
from accounts.quotas.forecast import Forecast, Point, forecast
from accounts.quotas.levels import LOW_PERCENT, percent_left
from accounts.quotas.readings import levels_of
from accounts.quotas.words import day_of, forecast_in_words, left_in_words, unit_of, window_in_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from accounts.models import Seat
    from accounts.quotas.levels import Levels, Sighting
    from bridge.copilot.quota import Quota

# Longer than a month, so that the run since the last reset is whole.
_LOOK_BACK = timedelta(days=35)
# A pace is known after hours; of the days before these, one reading each will do.
_FINELY = timedelta(days=3)
HISTORY: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a page says of one seat. Words are empty when nothing is known; `forecast` is None then.

    `is_scarce`: it runs out before it resets, or is as good as empty.
    """

    left: str = ""
    end: str = ""
    resets: str = ""
    unit: str = ""
    windows: tuple[str, ...] = ()
    forecast: Forecast | None = None
    is_scarce: bool = False


NOTHING_KNOWN: Final = Outlook()


@dataclass(frozen=True, slots=True)
class HistoryDay:
    """What was left at the end of a day, and how much went on it; None when a reset hides that."""

    day: date
    left: float
    total: float
    used: float | None


def outlooks(seats: Iterable[Seat], now: datetime) -> dict[int, Outlook]:
    """Return the outlook of each seat, by its id."""
    levels = {seat.pk: levels_of(seat) for seat in seats}
    points = _points_since(levels, now - _LOOK_BACK, now - _FINELY)
    return {seat: _outlook(found, points[seat], now) for seat, found in levels.items()}


def outlook(seat: Seat, now: datetime) -> Outlook:
    return outlooks([seat], now)[seat.pk]


def history(seat: Seat, now: datetime) -> list[Point]:
    """Return what was left of the seat's governing allowance during the last 30 days, in its unit or in percent."""
    return _points_since({seat.pk: levels_of(seat)}, now - HISTORY, now - HISTORY)[seat.pk]


def by_day(points: Sequence[Point]) -> list[HistoryDay]:
    """Return one line for each day of the installation's time zone that has readings, the newest first."""
    zone = timezone.get_default_timezone()
    last: dict[date, Point] = {}
    for point in points:
        last[datetime.fromtimestamp(point.at, UTC).astimezone(zone).date()] = point
    lines: list[HistoryDay] = []
    before: Point | None = None
    for day, point in last.items():
        used = None if before is None or point.left > before.left else before.left - point.left
        lines.append(HistoryDay(day, point.left, point.total, used))
        before = point
    return lines[::-1]


def _points_since(levels: Mapping[int, Levels], since: datetime, finely_since: datetime) -> dict[int, list[Point]]:
    """The readings of each seat's governing allowance and its newest figure, in one unit: its own, or else percent."""
    governing = {seat: found.governing for seat, found in levels.items()}
    wanted = {(seat, seen.quota.name): seen.quota for seat, seen in governing.items() if seen is not None}
    points: dict[int, list[Point]] = {seat: [] for seat in levels}
    for seat, name, at, total, left, percent, reset_at in _readings(wanted, since, finely_since):
        quota = wanted.get((seat, name))
        if quota is None:
            continue
        amount, whole = (left, total) if _has_amount(quota) else (percent, 100.0)
        if amount is not None and whole:
            points[seat].append(Point(at.timestamp(), amount, whole, reset_at.timestamp() if reset_at else None))
    for found in points.values():
        found.sort(key=lambda point: point.at)
    for seat, seen in governing.items():
        if seen is not None and seen.at >= since.timestamp():
            _add_newest(points[seat], seen)
    return points


def _readings(
    wanted: Collection[tuple[int, str]], since: datetime, finely_since: datetime
) -> Iterator[tuple[int, str, datetime, float | None, float | None, float | None, datetime | None]]:
    """Yield seat, name and figures of the readings: one a day, and one an hour of the time since `finely_since`."""
    rows = QuotaReading.objects.order_by().filter(
        seat__in={seat for seat, _name in wanted}, name__in={name for _seat, name in wanted}, unlimited=False
    )
    for grain, first in ((Grain.DAILY, since), (Grain.HOURLY, finely_since)):
        yield from rows.filter(grain=grain, at__gte=first).values_list(
            "seat", "name", "at", "entitlement", "remaining", "percent_remaining", "reset_at"
        )


def _has_amount(quota: Quota) -> bool:
    return quota.remaining is not None and bool(quota.entitlement)


def _add_newest(points: list[Point], seen: Sighting) -> None:
    quota = seen.quota
    left, total = (quota.remaining, quota.entitlement) if _has_amount(quota) else (percent_left(quota), 100.0)
    if left is None or not total or quota.unlimited or (points and points[-1].at >= seen.at):
        return
    points.append(Point(seen.at, left, total, quota.reset_at))


def _outlook(levels: Levels, points: Sequence[Point], now: datetime) -> Outlook:
    windows = tuple(words for seen in levels.windows if (words := window_in_words(seen.quota, now)))
    governing = levels.governing
    if governing is None:
        return Outlook(windows=windows)
    quota = governing.quota
    found = None if quota.unlimited else forecast(points, now.timestamp())
    percent = percent_left(quota)
    is_over = quota.reset_at is not None and quota.reset_at <= now.timestamp()
    is_low = percent is not None and percent < LOW_PERCENT and not quota.unlimited and not is_over
    return Outlook(
        left=left_in_words(quota),
        end=forecast_in_words(found),
        resets=day_of(quota.reset_at) if quota.reset_at and not quota.unlimited else "",
        unit=unit_of(quota) if _has_amount(quota) else "%",
        windows=windows,
        forecast=found,
        is_scarce=is_low or (found is not None and not found.lasts),
    )
