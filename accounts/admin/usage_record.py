"""The usage ledger in the console: found quickly, read in full, changed in note, tag and cost centre only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.paginator import InfinitePaginator

from accounts.admin.columns import NOTHING, Tone, badge, button, column, credits_text, moment, whole
from accounts.admin.correction import correction_page, corrections_of
from accounts.admin.drilldown import Drilldown, drill_down
from accounts.admin.filters import DayFilter, DoorFilter, ModelFilter
from accounts.admin.ledger_list import LedgerList, request_id
from accounts.admin.rows import ConsoleAdmin, ReadOnlyInline
from accounts.corrections import PERMISSION
from accounts.models import CostSource, UsageAttempt, UsageRecord, UsageStatus
from accounts.reports.conversations import conversation_of

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.template.response import TemplateResponse

STATUS_TONES = {
    UsageStatus.OPEN: Tone.NEWS,
    UsageStatus.SETTLED: Tone.GOOD,
    UsageStatus.REFUSED: Tone.CARE,
    UsageStatus.FAILED: Tone.BAD,
    UsageStatus.CANCELLED: Tone.PLAIN,
    UsageStatus.ABANDONED: Tone.BAD,
}
_MEASURED = tuple(
    field.name for field in UsageRecord._meta.concrete_fields if field.name not in UsageRecord.editable_fields
)


class UsageAttemptInline(ReadOnlyInline):
    model = UsageAttempt
    fields = readonly_fields = (
        "number", "seat_name", "upstream_format", "status", "error_code", "cost", "started_ms", "total_ms",
    )  # fmt: skip

    @column(_("credits"))
    def cost(self, attempt: UsageAttempt) -> str:
        return credits_text(attempt.nano)


@admin.register(UsageRecord)
class UsageRecordAdmin(ConsoleAdmin):
    """Ordered by day and id, as an index is: any page is read from it without sorting.

    Pages have no number of all rows: counting them would read the whole index at every look. What no index answers is
    looked for in the newest days only (`LedgerList`).
    """

    paginator = InfinitePaginator
    list_display = (
        "opened", "who", "key_hint", "door", "model_names", "status_badge", "tokens_in", "tokens_cached",
        "tokens_out", "cost", "through", "first_byte", "whole_time", "attempts",
    )  # fmt: skip
    sortable_by = ("opened", "tokens_in", "tokens_out", "cost", "whole_time")
    list_select_related = False
    list_filter = (
        DayFilter,
        ("status", ChoicesDropdownFilter),
        DoorFilter,
        ModelFilter,
        ("member", RelatedDropdownFilter),
        ("seat", RelatedDropdownFilter),
        ("streamed", BooleanRadioFilter),
    )
    search_fields = ("member_name", "key_name", "requested_model", "served_model", "tag", "cost_centre")
    search_help_text = _("Request id, member, key, model, tag or cost centre")
    list_before_template = "admin/accounts/drilldown.html"
    inlines = (UsageAttemptInline,)
    actions = None
    actions_detail = ("correct_one",)
    readonly_fields = (*_MEASURED, "status_badge", "cost", "all_input", "conversation", "corrections")
    fieldsets = (
        (
            None,
            {"fields": (("id", "status_badge"), ("opened_at", "settled_at"), ("day", "http_status"), "error_code")},
        ),
        (
            _("Who"),
            {"fields": (("member_name", "team_name"), ("key_name", "seat_name"), ("client", "ip"), "instance")},
        ),
        (
            _("What"),
            {
                "fields": (
                    ("requested_model", "served_model"), "route", ("door", "upstream_format"),
                    ("streamed", "initiator"), ("session", "conversation"),
                )
            },
        ),
        (
            _("How much"),
            {
                "fields": (
                    ("all_input", "input_tokens"), ("cached_tokens", "cache_write_tokens"),
                    ("output_tokens", "reasoning_tokens"), ("cost", "cost_source"),
                    ("nano_reported", "nano_computed"), "premium_thousandths",
                )
            },
        ),
        (
            _("How it went"),
            {
                "fields": (
                    ("first_byte_ms", "total_ms"), ("attempts", "stop_reason"), "dropped", "upstream_id",
                )
            },
        ),
        (_("Corrections"), {"fields": ("corrections",)}),
        (_("Booked"), {"fields": UsageRecord.editable_fields}),
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """A request id is looked up by the key; only other words are looked for in the rows."""
        asked = request_id(search_term)
        if asked is not None:
            return queryset.filter(pk=asked), False
        found: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, search_term)
        return found

    def get_queryset(self, request: HttpRequest) -> QuerySet[UsageRecord]:
        """Keys are fetched beside the page's rows: joined, they would be looked up for every row that is skipped."""
        rows: QuerySet[UsageRecord] = super().get_queryset(request)
        return rows.prefetch_related("key")

    def get_changelist(self, request: HttpRequest, **options: Any) -> Any:
        return LedgerList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        context = {**(extra_context or {}), "drilldown": self._drilldown(request)}
        page: TemplateResponse = super().changelist_view(request, context)
        return page

    def _drilldown(self, request: HttpRequest) -> Drilldown | None:
        """Return the steps through the ledger's days; its first and last day are read from the ends of an index."""
        days = UsageRecord.objects.values_list("day", flat=True)
        first, last = days.order_by("day").first(), days.order_by("-day").first()
        return None if first is None or last is None else drill_down(request.GET, first, last)

    def has_correct_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(PERMISSION)

    @button(_("Correct"), icon="edit_note", permission="correct")
    def correct_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return correction_page(self, request, self.row(request, object_id))

    @column(_("Corrections"))
    def corrections(self, record: UsageRecord) -> str:
        return corrections_of(record)

    @column(_("opened"), sorted_by="id")
    def opened(self, record: UsageRecord) -> str:
        return moment(record.opened_at)

    @column(_("member"))
    def who(self, record: UsageRecord) -> str:
        return record.member_name or NOTHING

    @column(_("seat"))
    def through(self, record: UsageRecord) -> str:
        return record.seat_name or NOTHING

    @column(_("API key"))
    def key_hint(self, record: UsageRecord) -> str:
        hint = record.key.hint if record.key else ""
        return f"{record.key_name} {hint}".strip() or NOTHING

    @column(_("model"))
    def model_names(self, record: UsageRecord) -> str:
        if not record.served_model or record.served_model == record.requested_model:
            return record.requested_model or record.served_model or NOTHING
        return format_html("{} → {}", record.requested_model, record.served_model)

    @badge(_("status"), STATUS_TONES)
    def status_badge(self, record: UsageRecord) -> tuple[str, str]:
        return record.status, record.get_status_display()

    @column(_("input"), sorted_by="input_tokens")
    def tokens_in(self, record: UsageRecord) -> str:
        return whole(record.input_tokens)

    @column(_("cached"))
    def tokens_cached(self, record: UsageRecord) -> str:
        return whole(record.cached_tokens)

    @column(_("output"), sorted_by="output_tokens")
    def tokens_out(self, record: UsageRecord) -> str:
        return whole(record.output_tokens)

    @column(_("all input tokens"))
    def all_input(self, record: UsageRecord) -> str:
        return whole(record.input_tokens + record.cached_tokens + record.cache_write_tokens)

    @column(_("cost of the conversation"))
    def conversation(self, record: UsageRecord) -> str:
        number = conversation_of(record)
        if number is None:
            return NOTHING
        page = reverse("admin:accounts_usagesession_change", args=[number])
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', page, _("its turns"))

    @column(_("credits"), sorted_by=Coalesce("nano_reported", "nano_computed"))
    def cost(self, record: UsageRecord) -> str:
        text = credits_text(record.nano)
        return f"≈ {text}" if record.cost_source == CostSource.ESTIMATED and record.nano is not None else text

    @column(_("first byte, ms"))
    def first_byte(self, record: UsageRecord) -> str:
        return whole(record.first_byte_ms)

    @column(_("total, ms"), sorted_by="total_ms")
    def whole_time(self, record: UsageRecord) -> str:
        return whole(record.total_ms)
