"""A report as a page shows it, in the console and in the portal: its lines, its sums, and the links that change it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from accounts.days import this_day
from accounts.reports.dimensions import Dimension, Per, last_of
from accounts.reports.measures import COLUMNS, Measures, ReportRow
from accounts.reports.names import Name, names_of, unnamed
from accounts.reports.query import NONE, ReportQuery, Value
from accounts.reports.running import run, totals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.http import QueryDict

    from accounts.reports.viewer import Viewer

LINES = 200
PAGE = "page"


@dataclass(frozen=True, slots=True)
class Link:
    title: str
    address: str
    is_here: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """A column that counts; `sorting` is `ascending` or `descending` where the lines are sorted by it."""

    title: str
    address: str
    sorting: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A row with the way to its requests and, where it makes sense, to the report of this subject alone."""

    row: ReportRow
    requests: str
    narrowed: str
    period: str


@dataclass(frozen=True, slots=True)
class ReportPage:
    query: ReportQuery
    lines: Sequence[Line]
    sums: Measures
    number: int
    has_more: bool
    heads: Sequence[Head]
    stretches: Sequence[Link]
    filters: Sequence[Link]

    @property
    def previous(self) -> str:
        return address(self.query, page=self.number - 1) if self.number > 1 else ""

    @property
    def next(self) -> str:
        return address(self.query, page=self.number + 1) if self.has_more else ""

    @property
    def is_of_sessions(self) -> bool:
        return self.query.by == Dimension.SESSION

    @property
    def has_periods(self) -> bool:
        return self.query.per != Per.RANGE

    @property
    def export(self) -> str:
        """What the addresses of downloads say of the query."""
        return address(self.query)[1:]

    @property
    def hidden(self) -> Sequence[tuple[str, str]]:
        """The filters as fields of the form that changes the rest."""
        return [(name.value, _text(value)) for name, values in self.query.filters.items() for value in values]


def read_page(
    viewer: Viewer, query: ReportQuery, parameters: QueryDict, requests: Callable[[ReportQuery, ReportRow], str]
) -> ReportPage:
    """Return the page that the address asks for; `requests` says where the requests behind a line are listed."""
    asked = parameters.get(PAGE, "")
    number = max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < len("1000000") else 1
    rows = list(run(viewer, query, start=(number - 1) * LINES, limit=LINES + 1))
    has_more = len(rows) > LINES
    is_whole = number == 1 and not has_more
    return ReportPage(
        query=query,
        lines=[Line(row, requests(query, row), _narrowed(query, row), _period(query, row)) for row in rows[:LINES]],
        sums=_added(rows) if is_whole else totals(viewer, query),
        number=number,
        has_more=has_more,
        heads=_heads(query),
        stretches=_stretches(query),
        filters=_filters(viewer, query),
    )


def address(
    query: ReportQuery,
    *,
    page: int = 1,
    by: Dimension | None = None,
    since: date | None = None,
    until: date | None = None,
    order: str | None = None,
    filters: dict[Dimension, tuple[Value, ...]] | None = None,
) -> str:
    """Return the query string of the report, with some of it changed."""
    said = {"by": (by or query.by).value, "per": query.per.value}
    days = {"since": str(since or query.since), "until": str(until or query.until)}
    kept = query.filters if filters is None else filters
    narrowing = [(name.value, _text(value)) for name, values in kept.items() for value in values]
    sorting = query.order if order is None else order
    rest = [*([("order", sorting)] if sorting else []), *([(PAGE, str(page))] if page > 1 else [])]
    return "?" + urlencode([*said.items(), *days.items(), *narrowing, *rest])


def days_of(query: ReportQuery, row: ReportRow) -> tuple[date, date]:
    """Return the first and the last day that a line counts."""
    if row.period is None:
        return query.since, query.until
    return max(query.since, row.period), min(query.until, last_of(query.per, row.period))


def _text(value: Value) -> str:
    return NONE if value is None or value == "" else str(value)


def _added(rows: Sequence[ReportRow]) -> Measures:
    sums = (sum(getattr(row.measures, name) or 0 for row in rows) for name in COLUMNS)
    is_timed = all(row.measures.total_ms is not None for row in rows)
    added = Measures(*sums)
    return added if is_timed else replace(added, total_ms=None)


def _narrowed(query: ReportQuery, row: ReportRow) -> str:
    """The same days of this subject alone: by model, or by day for a model."""
    if query.by in {Dimension.ALL, Dimension.SESSION}:
        return ""
    first, last = days_of(query, row)
    other = Dimension.MEMBER if query.by == Dimension.MODEL else Dimension.MODEL
    filters = {**query.filters, query.by: (row.subject,)}
    return address(query, by=other, since=first, until=last, filters=filters)


def _period(query: ReportQuery, row: ReportRow) -> str:
    if row.period is None:
        return ""
    match query.per:
        case Per.MONTH:
            return f"{row.period:%Y-%m}"
        case Per.WEEK:
            return f"{row.period} – {last_of(Per.WEEK, row.period):%m-%d}"
        case _:
            return str(row.period)


def _heads(query: ReportQuery) -> list[Head]:
    titles = {
        "opened": _("Requests"), "failed": _("Failed"), "input_tokens": _("Input"), "cached_tokens": _("Cached"),
        "cache_write_tokens": _("Cache write"), "output_tokens": _("Output"), "reasoning_tokens": _("Reasoning"),
        "nano": _("Credits"), "nano_stand_in": _("Not reported"), "premium_thousandths": _("Premium"),
    }  # fmt: skip
    return [_head(query, column, title) for column, title in titles.items()]


def _head(query: ReportQuery, column: str, title: str) -> Head:
    is_falling = query.order == f"-{column}"
    sorting = "descending" if is_falling else "ascending" if query.order == column else ""
    return Head(title, address(query, order=column if is_falling else f"-{column}"), sorting)


def _stretches(query: ReportQuery) -> list[Link]:
    today = this_day()
    month = today.replace(day=1)
    before = month - timedelta(days=1)
    named = (
        (_("Today"), today, today),
        (_("7 days"), today - timedelta(days=6), today),
        (_("This month"), month, today),
        (_("Last month"), before.replace(day=1), before),
        (_("90 days"), today - timedelta(days=89), today),
        (_("365 days"), today - timedelta(days=364), today),
    )
    here = (query.since, query.until)
    return [Link(title, address(query, since=first, until=last), (first, last) == here) for title, first, last in named]


def _filters(viewer: Viewer, query: ReportQuery) -> list[Link]:
    """What narrows the report, each with the way out of it."""
    return [
        Link(f"{name.label}: {_told(viewer, name, value).text}", address(query, filters=_without(query, name, value)))
        for name, values in query.filters.items()
        for value in values
    ]


def _told(viewer: Viewer, name: Dimension, value: Value) -> Name:
    if value is None or value == "":
        return Name(unnamed(name))
    return names_of(viewer, name).get(value, Name(str(value))) if isinstance(value, int) else Name(str(value))


def _without(query: ReportQuery, name: Dimension, value: Value) -> dict[Dimension, tuple[Value, ...]]:
    left = {**query.filters, name: tuple(other for other in query.filters[name] if other != value)}
    return {key: values for key, values in left.items() if values}
