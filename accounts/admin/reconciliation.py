"""Reconciliations in the console: how GitHub and the ledger stand for each seat, the likely causes, the rows behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.db.models import ExpressionWrapper, F, IntegerField
from django.db.models.functions import Abs
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RelatedDropdownFilter

from accounts.admin.columns import NOTHING, Tone, badge, button, column, credits_text, many, moment, whole
from accounts.admin.errand import ask, is_confirmed
from accounts.admin.rows import ConsoleAdmin, ReadOnlyAdmin
from accounts.github import open_github
from accounts.models import Reconciliation, Seat, SeatState
from accounts.reconciling.comparing import reconcile
from accounts.reconciling.drift import Cause, sentence, verdict
from accounts.reconciling.ledger_sums import LONGEST_REQUEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.functional import _StrOrPromise
    from django.utils.safestring import SafeString

_QUESTION = _(
    "GitHub is asked what its counter shows, and what it moved since the last comparison is held against the ledger."
)
_TITLE = _("Reconcile")
_WORDS = {"agrees": _("agrees"), "differs": _("differs"), "unknown": _("not comparable")}
_TONES = {"agrees": Tone.GOOD, "differs": Tone.CARE, "unknown": Tone.PLAIN}
_DRIFT = ExpressionWrapper(F("github_nano") - F("ledger_nano"), output_field=IntegerField())
# Which of the seat's requests a cause speaks of, as the usage list filters them.
_ROWS_OF = {
    Cause.ABANDONED: {"status__exact": "abandoned"},
    Cause.OPEN: {"status__exact": "open"},
    Cause.ESTIMATED: {"nano_reported__isnull": "True", "nano_computed__gt": "0"},
    Cause.UNPRICED: {"nano_reported__isnull": "True", "nano_computed__isnull": "True", "http_status__exact": "200"},
}


async def _reconcile(seats: Sequence[Seat]) -> list[Reconciliation]:
    async with open_github() as github:
        return [await reconcile(github, seat) for seat in seats]


def reconcile_now(request: HttpRequest, seats: Sequence[Seat]) -> None:
    """Compare each seat now and tell the person how it stands."""
    for row in async_to_sync(_reconcile)(seats):
        level = messages.SUCCESS if row.agrees else messages.WARNING
        messages.add_message(request, level, f"{row.seat.account}: {verdict(row)}")


class ReconcilingAdmin(ConsoleAdmin):
    """What the console of seats has for reconciliation: a button on a seat and an action on ticked ones."""

    @many(_TITLE)
    def reconcile_many(self, request: HttpRequest, queryset: QuerySet[Seat]) -> HttpResponse | None:
        seats = [seat for seat in queryset if self.has_change_permission(request, seat)]
        if not is_confirmed(request):
            return ask(self, request, seats, title=_TITLE, question=_QUESTION)
        reconcile_now(request, _with_secrets(seats))
        return None

    @button(_TITLE, icon="balance")
    def reconcile_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        seat: Seat = self.row(request, object_id)
        if not is_confirmed(request):
            return ask(self, request, [seat], title=_TITLE, question=_QUESTION)
        reconcile_now(request, _with_secrets([seat]))
        return self.page_of(seat)


def _with_secrets(seats: Iterable[Seat]) -> list[Seat]:
    """The console's rows leave tokens in the database."""
    return list(Seat.objects.filter(pk__in=[seat.pk for seat in seats]))


class VerdictFilter(DropdownFilter):
    title = _("verdict")
    parameter_name = "verdict"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, _StrOrPromise]]:
        return list(_WORDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = queryset.filter(github_nano__isnull=False)
        match self.value():
            case "agrees":
                return known.filter(distance__lte=F("tolerance_nano"))
            case "differs":
                return known.filter(distance__gt=F("tolerance_nano"))
            case "unknown":
                return queryset.filter(github_nano=None)
            case _:
                return queryset


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnlyAdmin):
    list_display = (
        "made", "account", "span", "github", "ledger", "drift", "share", "verdict_badge", "first_cause",
    )  # fmt: skip
    list_display_links = ("made",)
    list_filter = (("seat", RelatedDropdownFilter), VerdictFilter)
    list_select_related = ("seat",)
    search_fields = ("seat__login", "seat__label")
    search_help_text = _("GitHub login or label")
    date_hierarchy = "made_at"
    fieldsets = (
        (None, {"fields": ("account", "made", "span", "verdict_in_words")}),
        (_("Figures"), {"fields": ("unit", "github", "ledger", "drift", "share", "tolerance", "counted")}),
        (_("Likely causes"), {"fields": ("cause_list", "rows_behind")}),
    )
    readonly_fields = (
        "account", "made", "span", "verdict_in_words", "unit", "github", "ledger", "drift", "share", "tolerance",
        "counted", "cause_list", "rows_behind",
    )  # fmt: skip
    actions_list = ("reconcile_all",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reconciliation]:
        rows: QuerySet[Reconciliation] = super().get_queryset(request)
        return rows.annotate(moved=_DRIFT, distance=Abs(_DRIFT))

    def has_reconcile_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_seat")

    @button(_("Reconcile all seats"), icon="balance", permission="reconcile")
    def reconcile_all(self, request: HttpRequest) -> HttpResponse:
        seats = list(Seat.objects.exclude(state=SeatState.DISABLED))
        if not is_confirmed(request):
            return ask(self, request, seats, title=_("Reconcile all seats"), question=_QUESTION)
        reconcile_now(request, seats)
        return HttpResponseRedirect(reverse(f"{self.admin_site.name}:accounts_reconciliation_changelist"))

    @column(_("made"), sorted_by="made_at")
    def made(self, row: Reconciliation) -> str:
        return moment(row.made_at)

    @column(_("seat"), sorted_by="seat__login")
    def account(self, row: Reconciliation) -> str:
        return str(row.seat)

    @column(_("time compared"))
    def span(self, row: Reconciliation) -> str:
        return f"{moment(row.since)} – {moment(row.until)}"

    @column(_("GitHub"), sorted_by="github_nano")
    def github(self, row: Reconciliation) -> str:
        return credits_text(row.github_nano)

    @column(_("ledger"), sorted_by="ledger_nano")
    def ledger(self, row: Reconciliation) -> str:
        return credits_text(row.ledger_nano)

    @column(_("drift"), sorted_by="moved")
    def drift(self, row: Reconciliation) -> str:
        if row.drift_nano is None:
            return NOTHING
        return f"{'−' if row.drift_nano < 0 else '+'}{credits_text(abs(row.drift_nano))}" if row.drift_nano else "0"

    @column(_("drift, %"))
    def share(self, row: Reconciliation) -> str:
        share = row.drift_percent
        return NOTHING if share is None else f"{formats.number_format(share, 1, force_grouping=True)} %"

    @column(_("tolerance"))
    def tolerance(self, row: Reconciliation) -> str:
        return credits_text(row.tolerance_nano)

    @column(_("requests"))
    def counted(self, row: Reconciliation) -> str:
        return whole(row.requests)

    @badge(_("verdict"), _TONES)
    def verdict_badge(self, row: Reconciliation) -> tuple[str, _StrOrPromise]:
        key = "unknown" if row.drift_nano is None else "agrees" if row.agrees else "differs"
        return key, _WORDS[key]

    @column(_("verdict"))
    def verdict_in_words(self, row: Reconciliation) -> str:
        return verdict(row)

    @column(_("likeliest cause"))
    def first_cause(self, row: Reconciliation) -> str:
        return sentence(row.causes[0], row.unit) if row.causes else NOTHING

    @column(_("likely causes"))
    def cause_list(self, row: Reconciliation) -> str | SafeString:
        lines = format_html_join(
            "", "<li>{}{}</li>", ((sentence(cause, row.unit), _link(row, cause)) for cause in row.causes)
        )
        return format_html('<ol class="list-decimal ml-4">{}</ol>', lines) if lines else NOTHING

    @column(_("requests behind"))
    def rows_behind(self, row: Reconciliation) -> SafeString:
        behind = {"settled_at__gt": row.since.isoformat(), "settled_at__lte": row.until.isoformat()}
        title = gettext("%(count)s requests in the ledger") % {"count": whole(row.requests)}
        return format_html('<a href="{}">{}</a>', _list_of_rows(row, behind), title)


def _link(row: Reconciliation, cause: dict[str, Any]) -> str | SafeString:
    found = _ROWS_OF.get(cause.get("code", ""))
    return "" if found is None else format_html(' <a href="{}">{}</a>', _list_of_rows(row, found), gettext("Show them"))


def _list_of_rows(row: Reconciliation, filters: dict[str, str]) -> str:
    zone = timezone.get_default_timezone()
    days = {
        "day__gte": timezone.localtime(row.since - LONGEST_REQUEST, zone).date().isoformat(),
        "day__lte": timezone.localtime(row.until, zone).date().isoformat(),
    }
    query = urlencode({"seat__id__exact": row.seat_id, **days, **filters})
    return f"{reverse('admin:accounts_usagerecord_changelist')}?{query}"
