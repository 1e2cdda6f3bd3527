"""What is left of seats, as the console shows it: outlooks for a whole list at once, and the chart of a seat's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.template.loader import render_to_string
from django.utils import timezone

from accounts.admin.columns import NOTHING
from accounts.quotas.outlook import HISTORY, Outlook, by_day, history, outlook, outlooks
from accounts.quotas.words import rounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from django.utils.safestring import SafeString

    from accounts.models import Seat
    from accounts.quotas.forecast import Point

_WIDTH, _HEIGHT = 600, 120
_SHOWN = "console_outlook"


@dataclass(frozen=True, slots=True)
class Line:
    """One day of the chart as a row of its table."""

    day: date
    left: str
    used: str


def show_outlooks(seats: Iterable[Seat]) -> None:
    """Work out the outlooks of these rows together and leave each with its row."""
    rows = list(seats)
    found = outlooks(rows, timezone.now())
    for seat in rows:
        vars(seat)[_SHOWN] = found[seat.pk]


def outlook_of(seat: Seat) -> Outlook:
    """Return the outlook that was left with the row, or work it out."""
    found = vars(seat).get(_SHOWN)
    if not isinstance(found, Outlook):
        found = vars(seat)[_SHOWN] = outlook(seat, timezone.now())
    return found


def history_chart(seat: Seat) -> str | SafeString:
    """Return the chart of the last 30 days with its figures as a table; a dash when there are none yet."""
    now = timezone.now()
    points = history(seat, now)
    if len(points) < 2:
        return NOTHING
    context = {
        "lines": [
            Line(day.day, rounded(day.left), NOTHING if day.used is None else rounded(day.used))
            for day in by_day(points)
        ],
        "path": _path(points, (now - HISTORY).timestamp(), now.timestamp()),
        "unit": outlook_of(seat).unit,
        "top": rounded(max(point.total for point in points)),
        "width": _WIDTH,
        "height": _HEIGHT,
    }
    return render_to_string("admin/accounts/seat_history.html", context)


def _path(points: Sequence[Point], since: float, until: float) -> str:
    """The points of the line, in the chart's own units; what is overdrawn lies on the ground."""
    top = max(max(point.total, point.left) for point in points)
    drawn = []
    for point in points:
        x = _WIDTH * (point.at - since) / (until - since)
        y = _HEIGHT * (1 - max(point.left, 0.0) / top)
        drawn.append(f"{x:.1f},{y:.1f}")
    return " ".join(drawn)
