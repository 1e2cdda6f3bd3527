"""Reports in the console: usage by whatever one likes, what wants a look, the proof that it adds up, conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponseBadRequest, QueryDict
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.paginator import InfinitePaginator

from accounts.admin.columns import NOTHING, column, credits_text, whole
from accounts.admin.dashboard import requests_link
from accounts.admin.filters import LastDayFilter
from accounts.admin.proof import proof_context
from accounts.admin.rows import ReadOnlyAdmin
from accounts.days import this_day
from accounts.models import UsageDay, UsageSession
from accounts.reports.attention import HEAVY_PERCENT, IDLE_DAYS, members_without_usage, seat_use
from accounts.reports.conversations import find_conversation
from accounts.reports.dimensions import RELATED, Dimension, Per
from accounts.reports.export import PARAMETERS, ledger_download, report_download
from accounts.reports.pages import PAGE, days_of, read_page
from accounts.reports.query import parse
from accounts.reports.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

    from accounts.reports.measures import ReportRow
    from accounts.reports.query import ReportQuery, Value

# What Django itself puts into the addresses of lists.
_OF_DJANGO = frozenset({"q", "e", "p", "o", "all", "_changelist_filters"})
_COLUMN_OF = {Dimension.MODEL: "served_model", Dimension.PROGRAM: "program", Dimension.SESSION: "session"}


@admin.register(UsageDay)
class UsageDayAdmin(ReadOnlyAdmin):
    """The list of this table is the report on it."""

    def get_urls(self) -> list[Any]:
        pages: tuple[tuple[str, Callable[..., HttpResponseBase]], ...] = (
            ("export", self.export),
            ("requests", self.requests),
            ("attention", self.attention),
            ("proof", self.proof),
        )
        own = [
            path(f"{name}/", self.admin_site.admin_view(view), name=f"accounts_usageday_{name}") for name, view in pages
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        self._check(request)
        query, faults = _asked(request)
        page = read_page(Viewer.everything(), query, request.GET, _behind)
        return self._page(
            request,
            "admin/accounts/report.html",
            {"title": _("Usage"), "report": page, "faults": faults, "dimensions": Dimension, "spans": Per},
            status=400 if faults else 200,
        )

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """The whole report as a file."""
        self._check(request)
        asked = request.GET
        return _file(lambda: report_download(Viewer.everything(), parse(asked, ignored=_IGNORED), asked))

    def requests(self, request: HttpRequest) -> HttpResponseBase:
        """The requests behind a report as a file."""
        self._check(request)
        asked = request.GET
        return _file(lambda: ledger_download(Viewer.everything(), parse(asked, ignored=_IGNORED, of_rows=True), asked))

    def attention(self, request: HttpRequest) -> TemplateResponse:
        self._check(request)
        query, faults = _asked(request)
        seats = seat_use(query.since, query.until, this_day())
        context = {
            "title": _("Seats and members"),
            "query": query,
            "faults": faults,
            "seats": seats,
            "idle_days": IDLE_DAYS,
            "heavy_percent": HEAVY_PERCENT,
            "members": members_without_usage(query.since, query.until),
        }
        return self._page(request, "admin/accounts/attention.html", context, status=400 if faults else 200)

    def proof(self, request: HttpRequest) -> TemplateResponse:
        self._check(request)
        return self._page(request, "admin/accounts/proof.html", {"title": _("Proof"), **proof_context()})

    def _check(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _page(
        self, request: HttpRequest, template: str, context: dict[str, Any], status: int = 200
    ) -> TemplateResponse:
        whole_context = {**self.admin_site.each_context(request), "opts": self.model._meta, **context}
        return TemplateResponse(request, template, whole_context, status=status)


@admin.register(UsageSession)
class UsageSessionAdmin(ReadOnlyAdmin):
    """Conversations, the latest first; the page of one is its tree of turns."""

    paginator = InfinitePaginator
    list_display = (
        "session",
        "member",
        "program",
        "first_day",
        "last_day",
        "requests",
        "tokens_in",
        "tokens_out",
        "cost",
    )
    list_select_related = ("member",)
    list_filter = (LastDayFilter, ("member", RelatedDropdownFilter), ("team", RelatedDropdownFilter))
    search_fields = ("session__startswith",)
    search_help_text = _("The beginning of a conversation's id")
    sortable_by = ("cost",)
    actions = None

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request) or request.method not in {"GET", "HEAD"}:
            raise PermissionDenied
        number = int(object_id) if object_id.isascii() and object_id.isdigit() else 0
        found = find_conversation(Viewer.everything(), number)
        if found is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("Conversation"),
            "conversation": found,
            "request_page": "admin:accounts_usagerecord_change",
        }
        return TemplateResponse(request, "admin/accounts/session.html", context)

    @column(_("requests"), sorted_by="opened")
    def requests(self, session: UsageSession) -> str:
        return whole(session.opened)

    @column(_("input"))
    def tokens_in(self, session: UsageSession) -> str:
        return whole(session.input_tokens + session.cached_tokens + session.cache_write_tokens)

    @column(_("output"))
    def tokens_out(self, session: UsageSession) -> str:
        return whole(session.output_tokens)

    @column(_("credits"), sorted_by="nano")
    def cost(self, session: UsageSession) -> str:
        return credits_text(session.nano) if session.opened else NOTHING


_IGNORED = _OF_DJANGO | PARAMETERS | {PAGE}


def _asked(request: HttpRequest) -> tuple[ReportQuery, list[str]]:
    """Return what the address asks for; what is wrong with it in sentences, and then the default query."""
    try:
        return parse(request.GET, ignored=_IGNORED), []
    except ValidationError as fault:
        return parse(QueryDict()), [f"{name}: {text}" for name, texts in fault.message_dict.items() for text in texts]


def _file(make: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    try:
        return make()
    except ValidationError as fault:
        return HttpResponseBadRequest("\n".join(fault.messages), content_type="text/plain; charset=utf-8")


def _behind(query: ReportQuery, row: ReportRow) -> str:
    """The requests that a line counts, or the page of a conversation."""
    if query.by == Dimension.SESSION:
        return reverse("admin:accounts_usagesession_change", args=[row.subject])
    narrowed: dict[Dimension, tuple[Value, ...]] = {**query.filters}
    if query.by != Dimension.ALL:
        narrowed[query.by] = (row.subject,)
    first, last = days_of(query, row)
    lookups = dict(_lookup(name, values[0]) for name, values in narrowed.items() if len(values) == 1)
    return requests_link(day=f"{first}..{last}", **lookups)


def _lookup(name: Dimension, value: Value) -> tuple[str, Any]:
    if name not in RELATED:
        return f"{_COLUMN_OF[name]}__exact", value
    return (f"{name.value}_id__isnull", "True") if value is None else (f"{name.value}__id__exact", value)
