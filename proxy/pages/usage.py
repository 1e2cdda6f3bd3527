"""The member's own usage: reports, every request with why it went where it did and what it cost, conversations, files.

Whatever the address says, the queries are restricted to the member who is signed in, also for owners and auditors:
what everybody used is shown by the console.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Member, UsageAttempt, UsageDay, UsageRecord, UsageStatus
from accounts.reports.conversations import conversation_of, find_conversation
from accounts.reports.dimensions import Dimension, Per
from accounts.reports.export import PARAMETERS, ledger_download, ledger_rows, report_download
from accounts.reports.pages import PAGE, days_of, read_page
from accounts.reports.query import parse
from accounts.reports.viewer import Viewer
from accounts.reports.window import newest_days
from accounts.spending import budgets_of, spendings_of
from proxy.pages.home import RequestLine, request_line
from proxy.pages.visitors import members_only

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from accounts.reports.measures import ReportRow
    from accounts.reports.query import ReportQuery, Value

SHOWN = 50
# A member's own report has one member, and no say in teams.
OFFERED = tuple(name for name in Dimension if name not in {Dimension.MEMBER, Dimension.TEAM})
STATUS, BEFORE = "status", "before"
_IGNORED = PARAMETERS | {PAGE, STATUS, BEFORE}


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request of the list with the way to its page."""

    line: RequestLine
    address: str


@require_safe
@members_only
def usage(request: HttpRequest, member: Member) -> HttpResponse:
    query, faults = _asked(request)
    report = read_page(Viewer.only(member.pk), query, request.GET, _behind)
    context = {
        "report": report,
        "budgets": spendings_of(budgets_of(member)),
        "faults": faults,
        "dimensions": [(name.value, name.label) for name in OFFERED],
        "spans": Per.choices,
    }
    return render(request, "pages/usage.html", context, status=400 if faults else 200)


@require_safe
@members_only
def usage_file(request: HttpRequest, member: Member) -> HttpResponseBase:
    """The report as a file."""
    asked = _own(request)
    return _file(lambda: report_download(Viewer.only(member.pk), parse(asked, ignored=_IGNORED), asked))


@require_safe
@members_only
def requests_file(request: HttpRequest, member: Member) -> HttpResponseBase:
    """The requests of a range as a file."""
    asked = _own(request)
    return _file(lambda: ledger_download(Viewer.only(member.pk), parse(asked, ignored=_IGNORED, of_rows=True), asked))


@require_safe
@members_only
def requests(request: HttpRequest, member: Member) -> HttpResponse:
    """The requests of a range, the latest first; pages lead on from the last request shown."""
    query, faults = _asked(request, of_rows=True)
    found, window_since = _page_of_rows(member, query, request.GET)
    shown = found[:SHOWN]
    kept = [(name, value) for name, values in request.GET.lists() if name != BEFORE for value in values]
    more = f"?{urlencode([*kept, (BEFORE, shown[-1].pk)])}" if len(found) > SHOWN else ""
    context = {
        "rows": [_row(row) for row in shown],
        "query": query,
        "faults": faults,
        "more": more,
        "looked_since": window_since,
        "status": request.GET.get(STATUS, ""),
        "statuses": UsageStatus.choices,
        "kept": [(name, value) for name, value in kept if name not in {"since", "until", STATUS, BEFORE}],
        "export": urlencode([(name, value) for name, value in kept if name not in {STATUS, BEFORE}]),
    }
    return render(request, "pages/requests.html", context, status=400 if faults else 200)


@require_safe
@members_only
def one_request(request: HttpRequest, member: Member, number: UUID) -> HttpResponse:
    row = UsageRecord.objects.select_related("key").filter(member=member, pk=number).first()
    if row is None:
        raise Http404
    attempts = list(UsageAttempt.objects.filter(record=row.pk).order_by("number"))
    context = {
        "row": row,
        "line": request_line(row),
        "premium": Decimal(row.premium_thousandths or 0) / 1000,
        "attempts": attempts,
        "conversation": conversation_of(row),
    }
    return render(request, "pages/request.html", context)


@require_safe
@members_only
def conversation(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    found = find_conversation(Viewer.only(member.pk), number)
    if found is None:
        raise Http404
    return render(request, "pages/conversation.html", {"conversation": found})


def _asked(request: HttpRequest, *, of_rows: bool = False) -> tuple[ReportQuery, list[str]]:
    """Return what the address asks for; what is wrong with it in sentences, and then the default query."""
    try:
        return parse(_own(request), ignored=_IGNORED, of_rows=of_rows), []
    except ValidationError as fault:
        told = [f"{name}: {text}" for name, texts in fault.message_dict.items() for text in texts]
        return parse(QueryDict(f"by={Dimension.MODEL.value}")), told


def _own(request: HttpRequest) -> QueryDict:
    """The address's parameters, by model unless they say something else."""
    asked = request.GET.copy()
    if not asked.get("by"):
        asked["by"] = Dimension.MODEL.value
    return asked


def _file(make: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    try:
        return make()
    except ValidationError as fault:
        return HttpResponse("\n".join(fault.messages), status=400, content_type="text/plain; charset=utf-8")


def _behind(query: ReportQuery, row: ReportRow) -> str:
    if query.by == Dimension.SESSION:
        return reverse("conversation", args=[row.subject])
    first, last = days_of(query, row)
    narrowed: dict[Dimension, tuple[Value, ...]] = {**query.filters}
    if query.by != Dimension.ALL:
        narrowed[query.by] = (row.subject,)
    told = [
        (name.value, "none" if value in {None, ""} else value) for name, values in narrowed.items() for value in values
    ]
    return f"{reverse('requests')}?{urlencode([('since', first), ('until', last), *told])}"


def _page_of_rows(member: Member, query: ReportQuery, asked: QueryDict) -> tuple[Sequence[UsageRecord], date | None]:
    """Return one more row than a page shows, and since when was looked if the range is longer than that."""
    window = newest_days(UsageDay.objects.filter(member=member), query.since, query.until)
    rows = ledger_rows(Viewer.only(member.pk), query).filter(window.days).order_by("-day", "-id")
    if asked.get(STATUS) in UsageStatus.values:
        rows = rows.filter(status=asked[STATUS])
    last = _last_shown(member, asked.get(BEFORE, ""))
    if last is not None:
        rows = rows.filter(day__lte=last.day, pk__lt=last.pk)
    return list(rows.select_related("key")[: SHOWN + 1]), window.since if window.earlier else None


def _last_shown(member: Member, text: str) -> UsageRecord | None:
    try:
        return UsageRecord.objects.filter(member=member, pk=UUID(text)).only("day").first()
    except ValueError:
        return None


def _row(row: UsageRecord) -> RequestRow:
    return RequestRow(request_line(row), reverse("request", args=[row.pk]))
