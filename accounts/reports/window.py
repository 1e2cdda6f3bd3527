"""How far back a list looks when no index answers it: the newest days that hold a bounded number of requests.

Words, doors and outcomes have no index of their own; looking for one of them through years of requests would take
seconds. The roll-ups know how many rows each day has, so a list takes the newest days that together hold about
`ROWS`, says so, and leads on to earlier ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q, Sum

if TYPE_CHECKING:
    from datetime import date

    from django.db.models import QuerySet

    from accounts.models import UsageDay

ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Window:
    """The days to look at, None where that side is open; `earlier`: the day on which older requests end, if any."""

    since: date | None
    until: date | None
    earlier: date | None = None

    @property
    def days(self) -> Q:
        found = Q() if self.since is None else Q(day__gte=self.since)
        return found if self.until is None else found & Q(day__lte=self.until)


def newest_days(days: QuerySet[UsageDay], since: date | None, until: date | None, rows: int = ROWS) -> Window:
    """Return the newest days between `since` and `until` of the given roll-ups that hold at most `rows` requests, or
    one day if that alone holds more."""
    within = days.filter(Window(since, until).days).order_by("-day").values("day")
    counted = within.annotate(kept=Sum("opened") - Sum("pruned")).values_list("day", "kept")
    total, first = 0, None
    for day, kept in counted.iterator(chunk_size=50):
        if first is not None and total + kept > rows:
            return Window(first, until, earlier=day)
        total, first = total + kept, day
    return Window(since, until)
