"""Reports and single requests as files."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import UsageRecord
from accounts.models.usage_record import NANO_PER_CREDIT
from accounts.reports.dimensions import Dimension, last_of
from accounts.reports.downloads import Download, Form
from accounts.reports.measures import COLUMNS
from accounts.reports.running import condition, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from django.http import QueryDict

    from accounts.reports.measures import ReportRow
    from accounts.reports.query import ReportQuery
    from accounts.reports.viewer import Viewer

# Parameters of a download beside those of the query.
PARAMETERS = frozenset({"format", "bom"})
_DERIVED = (
    "open", "credits", "credits_reported", "credits_stand_in", "premium_requests", "miss_share", "average_ms",
)  # fmt: skip
REPORT_HEADER = ("since", "until", "id", "name", "of", *COLUMNS, *_DERIVED)
# Rows have fifty columns: fewer of them at a time.
_CHUNK = 500
# What an owner notes about a request is not the member's to read.
_OWNERS_ONLY = frozenset({"note"})
_LEDGER_COLUMNS = tuple(field.attname for field in UsageRecord._meta.concrete_fields)


def report_download(viewer: Viewer, query: ReportQuery, parameters: QueryDict) -> Download:
    """Return the whole report as a file. Raises ValidationError for an unknown format."""
    rows = (_report_cells(query, row) for row in run(viewer, query))
    name = f"usage-by-{query.by}-{query.since}-{query.until}"
    return Download(name, form_of(parameters), REPORT_HEADER, rows, mark=_wants_mark(parameters))


def ledger_download(viewer: Viewer, query: ReportQuery, parameters: QueryDict) -> Download:
    """Return every request of the query's range and filters as a file, oldest first."""
    columns = [name for name in _LEDGER_COLUMNS if viewer.sees_all or name not in _OWNERS_ONLY]
    rows = _ledger_cells(viewer, query, columns)
    name = f"requests-{query.since}-{query.until}"
    return Download(name, form_of(parameters), [*columns, "nano", "credits"], rows, mark=_wants_mark(parameters))


def ledger_rows(viewer: Viewer, query: ReportQuery) -> QuerySet[UsageRecord]:
    """Return the requests that the query's range and filters mean, and that the viewer may see."""
    rows = UsageRecord.objects.filter(day__range=(query.since, query.until))
    return viewer.of_rows(rows).filter(condition(query, {Dimension.MODEL: "served_model"}))


def form_of(parameters: QueryDict) -> Form:
    text = parameters.get("format") or Form.CSV.value
    if text not in list(Form):
        told = _("%(value)s is none of %(known)s.") % {"value": text, "known": ", ".join(Form)}
        raise ValidationError({"format": [told]})
    return Form(text)


def _wants_mark(parameters: QueryDict) -> bool:
    return parameters.get("bom") in {"1", "true", "yes"}


def _report_cells(query: ReportQuery, row: ReportRow) -> tuple[Any, ...]:
    first, last = query.since, query.until
    if row.period is not None:
        first, last = max(first, row.period), min(last, last_of(query.per, row.period))
    sums = (getattr(row.measures, name) for name in (*COLUMNS, *_DERIVED))
    return (first, last, row.subject, row.name, row.detail, *sums)


def _ledger_cells(viewer: Viewer, query: ReportQuery, columns: list[str]) -> Iterator[tuple[Any, ...]]:
    reported, computed = columns.index("nano_reported"), columns.index("nano_computed")
    lines = ledger_rows(viewer, query).order_by("day", "id").values_list(*columns)
    for line in lines.iterator(chunk_size=_CHUNK):
        nano = line[computed] if line[reported] is None else line[reported]
        yield (*line, nano, None if nano is None else Decimal(nano) / NANO_PER_CREDIT)
