"""Runs a query on the roll-ups. The sums are made by the database, one line at a time reaches the caller."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q, Sum

from accounts.days import start_of
from accounts.models import UsageDay, UsageSession
from accounts.reports.dimensions import Dimension, Per, StartOf
from accounts.reports.measures import COLUMNS, Measures, ReportRow
from accounts.reports.names import Name, names_of, unnamed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.db.models import QuerySet

    from accounts.reports.query import ReportQuery, Value
    from accounts.reports.viewer import Viewer

CHUNK = 2000
_LATEST_DAYS = 120
# Of what there are so many that the latest periods fill a page; a wrong guess costs a third of the time, no more.
_FILLS_A_PAGE = {
    Per.DAY: frozenset(Dimension) - {Dimension.ALL},
    Per.WEEK: frozenset({Dimension.MEMBER, Dimension.KEY, Dimension.MODEL}),
    Per.MONTH: frozenset({Dimension.MEMBER, Dimension.KEY}),
}
# Sums stand beside columns of the same name.
_SUMS = {f"sum_{name}": Sum(name, default=0) for name in COLUMNS}
_OF_SESSIONS = tuple(name for name in COLUMNS if name != "total_ms")


def run(viewer: Viewer, query: ReportQuery, *, start: int = 0, limit: int | None = None) -> Iterator[ReportRow]:
    """Yield the report's lines: the latest period first, within it the dearest first, unless `query.order` says else.

    `start` and `limit` cut a page out of them.
    """
    end = None if limit is None else start + limit
    if query.by == Dimension.SESSION:
        yield from _sessions(viewer, query, start, end)
    elif query.by == Dimension.ALL and query.per == Per.RANGE:
        yield from [ReportRow(None, None, unnamed(query.by), totals(viewer, query))][start:end]
    else:
        yield from _days(viewer, query, start, end)


def totals(viewer: Viewer, query: ReportQuery) -> Measures:
    """Return the sums of all lines of the report."""
    if query.by == Dimension.SESSION:
        sums = {f"sum_{name}": Sum(name, default=0) for name in _OF_SESSIONS}
        found = _session_rows(viewer, query).aggregate(**sums)
    else:
        found = _day_rows(viewer, query).aggregate(**_SUMS)
    return Measures(**{name.removeprefix("sum_"): value for name, value in found.items()})


def _days(viewer: Viewer, query: ReportQuery, start: int, end: int | None) -> Iterator[ReportRow]:
    """A first page of periods, the latest first, is looked for in the latest ones before all are summed."""
    latest = _latest(query)
    if start == 0 and end is not None and latest is not None:
        found = list(_lines(viewer, latest, 0, end))
        if len(found) == end:
            yield from found
            return
    yield from _lines(viewer, query, start, end)


def _latest(query: ReportQuery) -> ReportQuery | None:
    """The same query for its last whole periods; None where that is the same, or lines are not sorted by period."""
    if query.order or query.by not in _FILLS_A_PAGE.get(query.per, ()):
        return None
    since = start_of(query.per, query.until - timedelta(days=_LATEST_DAYS))
    return replace(query, since=since) if since > query.since else None


def _lines(viewer: Viewer, query: ReportQuery, start: int, end: int | None) -> Iterator[ReportRow]:
    groups = [*(["period"] if query.per != Per.RANGE else []), *([query.by.value] if query.by != Dimension.ALL else [])]
    rows: QuerySet[Any, Any] = _day_rows(viewer, query)
    if query.per != Per.RANGE:
        rows = rows.annotate(period=F("day") if query.per == Per.DAY else StartOf(query.per, "day"))
    lines = rows.values(*groups).annotate(**_SUMS).order_by(*_order(query, groups)).values_list(*groups, *_SUMS)
    names = names_of(viewer, query.by)
    for line in lines[start:end].iterator(chunk_size=CHUNK):
        period = line[0] if query.per != Per.RANGE else None
        subject = line[len(groups) - 1] if query.by != Dimension.ALL else None
        name = _name(query.by, subject, names)
        yield ReportRow(period, subject, name.text, Measures(*line[len(groups) :]), name.detail)


def _order(query: ReportQuery, groups: list[str]) -> list[str]:
    periods = ["-period"] if query.per != Per.RANGE else []
    if query.order:
        sign, column = ("-", query.order[1:]) if query.order.startswith("-") else ("", query.order)
        return [f"{sign}sum_{column}", *periods, *groups[-1:]]
    return [*periods, "-sum_nano", "-sum_opened", *groups[-1:]]


def _sessions(viewer: Viewer, query: ReportQuery, start: int, end: int | None) -> Iterator[ReportRow]:
    order = query.order if query.order.removeprefix("-") in _OF_SESSIONS else "-nano"
    rows = _session_rows(viewer, query).order_by(order, "-id")
    lines: QuerySet[UsageSession, Any] = rows.values_list("pk", "session", "member", *_OF_SESSIONS)
    members = names_of(viewer, Dimension.MEMBER)
    for pk, session, member, *sums in lines[start:end].iterator(chunk_size=CHUNK):
        yield ReportRow(None, pk, session, Measures(*sums), members[member].text if member in members else "")


def _name(by: Dimension, subject: Value, names: Any) -> Name:
    if subject is None or subject == "":
        return Name(unnamed(by))
    return names.get(subject) or Name(str(subject))


def _day_rows(viewer: Viewer, query: ReportQuery) -> QuerySet[UsageDay]:
    rows = UsageDay.objects.filter(day__range=(query.since, query.until)).order_by()
    return viewer.of_rows(rows).filter(condition(query))


def _session_rows(viewer: Viewer, query: ReportQuery) -> QuerySet[UsageSession]:
    rows = UsageSession.objects.filter(last_day__range=(query.since, query.until)).order_by()
    return viewer.of_rows(rows).filter(condition(query))


def condition(query: ReportQuery, columns: Mapping[Dimension, str] | None = None) -> Q:
    """Return the query's filters; `columns` says where a table calls a dimension something else."""
    found = Q()
    for name, values in query.filters.items():
        column = (columns or {}).get(name, name.value)
        known = [value for value in values if value is not None]
        one = Q(**{f"{column}__in": known}) if known else Q()
        found &= one | Q(**{f"{column}__isnull": True}) if None in values else one
    return found
