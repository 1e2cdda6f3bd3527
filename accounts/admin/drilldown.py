"""Years, months and days to step through a ledger of millions of rows.

Django's own drill-down looks at every row to learn which days there are. This one takes the first and the last day and
offers all between them: every year, every month of a year, every day of a month.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.utils import formats
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import QueryDict

DAY = "day"
RANGE = ".."
_PAGE = "p"
_PERIOD = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")


@dataclass(frozen=True, slots=True)
class Period:
    """A year, a month or a day; `text` is its ISO form."""

    text: str
    first: date
    last: date

    @property
    def title(self) -> str:
        if self.first == self.last:
            return formats.date_format(self.first, "MONTH_DAY_FORMAT")
        is_year = len(self.text) == len("2026")
        return self.text if is_year else formats.date_format(self.first, "YEAR_MONTH_FORMAT")

    @property
    def parent(self) -> str:
        return self.text.rpartition("-")[0]


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    link: str


@dataclass(frozen=True, slots=True)
class Drilldown:
    """Where one is (empty: everywhere), the way back, and the periods within."""

    here: str
    back: Step | None
    steps: tuple[Step, ...]


def read_period(text: str) -> Period | None:
    """Return the period of `2026`, `2026-11` or `2026-11-22`; None for anything else."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        first = date(year or 0, month or 1, day or 1)
    except ValueError:
        return None
    if day:
        return Period(text, first, first)
    last_month = month or 12
    return Period(text, first, date(first.year, last_month, monthrange(first.year, last_month)[1]))


def days_in(text: str) -> tuple[date, date] | None:
    """Return the first and the last day of a period, or of two with `..` between them; None for anything else."""
    first, between, last = text.partition(RANGE)
    begin, end = read_period(first), read_period(last if between else first)
    return None if begin is None or end is None or begin.first > end.last else (begin.first, end.last)


def drill_down(query: QueryDict, first: date, last: date) -> Drilldown:
    """Return the steps from the period that the address names, between the first and the last day of the rows."""
    asked = query.get(DAY, "")
    period = read_period(asked)
    if period is None:
        back = Step(_("All dates"), _link(query, "")) if asked else None
        return Drilldown("", back, _steps(query, _widest(first, last)))
    back = Step(_up(period), _link(query, period.parent))
    within = _within(period)
    return Drilldown(period.title, back, _steps(query, [p for p in within if p.first <= last and p.last >= first]))


def _up(period: Period) -> str:
    parent = read_period(period.parent)
    return parent.title if parent else _("All dates")


def _widest(first: date, last: date) -> list[Period]:
    """Return years, or the months or days of the only year or month there is."""
    if first.year != last.year:
        return _known(f"{year:04}" for year in range(first.year, last.year + 1))
    if first.month != last.month:
        return _known(f"{first.year:04}-{month:02}" for month in range(first.month, last.month + 1))
    return _known((first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1))


def _within(period: Period) -> list[Period]:
    if period.first == period.last:
        return []
    if not period.parent:
        return _known(f"{period.text}-{month:02}" for month in range(1, 13))
    return _known(f"{period.text}-{day:02}" for day in range(1, period.last.day + 1))


def _known(texts: Iterable[str]) -> list[Period]:
    return [period for text in texts if (period := read_period(text))]


def _steps(query: QueryDict, periods: list[Period]) -> tuple[Step, ...]:
    return tuple(Step(period.title, _link(query, period.text)) for period in periods)


def _link(query: QueryDict, day: str) -> str:
    """Return the same list for other days, from its first page."""
    changed = query.copy()
    changed.pop(_PAGE, None)
    changed.pop(DAY, None)
    if day:
        changed[DAY] = day
    return f"?{changed.urlencode()}"
