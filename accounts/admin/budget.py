"""Budgets in the console: how much may be spent, how much of it is, and the warnings that marks were passed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from accounts.admin.columns import NOTHING, Tone, badge, column, credits_text
from accounts.admin.rows import ReadOnlyAdmin, ReadOnlyInline
from accounts.admin.scoped import drop_unnamed
from accounts.admin.switching import Switch, SwitchedAdmin
from accounts.days import end_of, start_of
from accounts.models import Budget, BudgetPeriod, BudgetWarning
from accounts.models.usage_record import NANO_PER_CREDIT
from accounts.spending import spendings_of

if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList
    from django.db.models import Model
    from django.http import HttpRequest
    from django.utils.functional import _StrOrPromise
    from django.utils.safestring import SafeString

    _Form = forms.ModelForm[Budget]
else:
    _Form = forms.ModelForm  # generic in the stubs only

_COUNTED = ("scope", "team", "member", "key", "span")
_LARGEST = Decimal(2**63 - 1) / NANO_PER_CREDIT
_CARE_PERCENT = 80
_SPENDING = "spending_of_the_period_that_runs"


class BudgetForm(_Form):
    limit = forms.DecimalField(
        label=_("limit in credits"),
        min_value=0,
        max_value=_LARGEST,
        decimal_places=9,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text=_("One credit is $0.01."),
    )

    class Meta:
        model = Budget
        fields = (*_COUNTED, "hard", "active", "note")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk is not None:
            self.initial["limit"] = self.instance.credits.normalize()

    def clean(self) -> dict[str, Any]:
        cleaned = drop_unnamed(super().clean() or self.cleaned_data)
        if "limit" in cleaned:
            self.instance.limit_nano = int(cleaned["limit"] * NANO_PER_CREDIT)
        return cleaned


class BudgetPeriodInline(ReadOnlyInline):
    model = BudgetPeriod
    fields = readonly_fields = ("start", "end", "settled", "reserved")

    @column(_("spent credits"))
    def settled(self, period: BudgetPeriod) -> str:
        return credits_text(period.settled_nano)

    @column(_("reserved credits"))
    def reserved(self, period: BudgetPeriod) -> str:
        return credits_text(period.reserved_nano)


@admin.register(Budget)
class BudgetAdmin(SwitchedAdmin):
    form = BudgetForm
    list_display = ("whose", "span", "limit_credits", "spent", "kind_badge", "active", "resets", "note")
    list_display_links = ("whose",)
    list_filter = (
        ("scope", ChoicesDropdownFilter),
        ("span", ChoicesDropdownFilter),
        ("active", BooleanRadioFilter),
        ("hard", BooleanRadioFilter),
        ("team", RelatedDropdownFilter),
        ("member", RelatedDropdownFilter),
    )
    list_select_related = ("team", "member", "key")
    search_fields = ("note", "team__name", "member__username", "key__name", "key__hint")
    search_help_text = _("Team, member, key or note")
    autocomplete_fields = ("team", "member", "key")
    conditional_fields = {"team": "scope == 'team'", "member": "scope == 'member'", "key": "scope == 'key'"}
    fieldsets = (
        (_("For whom"), {"fields": _COUNTED}),
        (_("How much"), {"fields": ("limit", "hard", "spent", "resets")}),
        (_("State"), {"fields": ("active", "note", "created_at")}),
    )
    add_fieldsets = (
        (_("For whom"), {"fields": _COUNTED}),
        (_("How much"), {"fields": ("limit", "hard")}),
        (_("State"), {"fields": ("active", "note")}),
    )
    inlines = (BudgetPeriodInline,)
    switch = Switch(
        on=_("The budget holds from now on; what was spent in this period counts."),
        off=_("Requests are no longer held to this budget. It goes on counting."),
    )

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """What is spent of the budgets shown is read at once."""
        listed: ChangeList = super().get_changelist_instance(request)
        for row, spending in zip(listed.result_list, spendings_of(listed.result_list), strict=True):
            vars(row)[_SPENDING] = spending
        return listed

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else (*_COUNTED, "spent", "resets", "created_at")

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj is not None else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A budget may go: its counters are sums over the ledger, which stays."""
        return request.user.has_perm("accounts.delete_budget")

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["limit_nano", "hard", "active", "note"])
        else:
            super().save_model(request, obj, form, change)

    @column(_("for"), sorted_by="scope")
    def whose(self, budget: Budget) -> str:
        subject = budget.team or budget.member or budget.key
        return f"{budget.get_scope_display()} {subject}" if subject else budget.get_scope_display()

    @column(_("credits"), sorted_by="limit_nano")
    def limit_credits(self, budget: Budget) -> str:
        return credits_text(budget.limit_nano)

    @column(_("spent"))
    def spent(self, budget: Any) -> SafeString:
        """A bar of what is settled and reserved in the period that runs now."""
        now = vars(budget).get(_SPENDING) or spendings_of([budget])[0]
        percent = now.percent
        tone = "over" if percent >= 100 else "near" if percent >= _CARE_PERCENT else "well"
        return format_html(
            '<span class="budget-bar {}"><meter min="0" max="100" value="{}"></meter> {} % · {}</span>',
            tone,
            min(100, percent),
            percent,
            credits_text(now.taken),
        )

    @column(_("resets"))
    def resets(self, budget: Budget) -> str:
        return f"{end_of(budget.span, start_of(budget.span, timezone.localdate()))}"

    @badge(_("kind"), {"hard": Tone.CARE, "soft": Tone.NEWS}, sorted_by="hard")
    def kind_badge(self, budget: Budget) -> tuple[str, _StrOrPromise]:
        return ("hard", _("hard")) if budget.hard else ("soft", _("soft"))


@admin.register(BudgetWarning)
class BudgetWarningAdmin(ReadOnlyAdmin):
    list_display = ("at", "whose", "percent_badge", "spent", "limit", "period_start", "told_at", "fault")
    list_select_related = ("period__budget__team", "period__budget__member", "period__budget__key")
    list_filter = ("percent",)
    date_hierarchy = "at"
    fields = ("at", "whose", "percent_badge", "spent", "limit", "period_start", "told_at", "tries", "fault")
    readonly_fields = fields

    @column(_("for"))
    def whose(self, warning: BudgetWarning) -> str:
        return str(warning.period.budget)

    @badge(_("percent"), {"80": Tone.CARE, "100": Tone.BAD}, sorted_by="percent")
    def percent_badge(self, warning: BudgetWarning) -> tuple[str, str]:
        return str(warning.percent), f"{warning.percent} %"

    @column(_("spent"))
    def spent(self, warning: BudgetWarning) -> str:
        return credits_text(warning.spent_nano)

    @column(_("limit"))
    def limit(self, warning: BudgetWarning) -> str:
        return credits_text(warning.limit_nano) if warning.limit_nano else NOTHING

    @column(_("period"))
    def period_start(self, warning: BudgetWarning) -> str:
        return f"{warning.period.start}"
