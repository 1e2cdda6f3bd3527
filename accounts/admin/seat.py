"""Seats in the console: how each is, what is left of it, whom it serves; check, revive, disable. Tokens never show."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from accounts.admin.app_seat import AppSeatAdmin
from accounts.admin.columns import NOTHING, Tone, badge, button, column, many
from accounts.admin.errand import Errand, ask, is_confirmed
from accounts.admin.filters import SeatStateFilter
from accounts.admin.seat_forms import SeatForm
from accounts.admin.seat_outlook import history_chart, outlook_of, show_outlooks
from accounts.github import open_github
from accounts.models import Seat, SeatState, Serves
from accounts.seats import Checked, check
from accounts.serving import warning_of_reviving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.admin.views.main import ChangeList
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

_TONES = {
    SeatState.ACTIVE: Tone.GOOD,
    SeatState.COOLING: Tone.CARE,
    SeatState.EXHAUSTED: Tone.CARE,
    SeatState.NEEDS_LOGIN: Tone.BAD,
    SeatState.SUSPENDED: Tone.BAD,
    SeatState.DISABLED: Tone.PLAIN,
}


async def _ask_github(seats: Sequence[Seat]) -> list[Checked]:
    async with open_github() as github:
        return list(await asyncio.gather(*(check(github, seat) for seat in seats)))


def _warn_of_a_second_seat(seat: Seat) -> str:
    """Return GitHub's risk if the seat comes back beside another that serves the same people."""
    return warning_of_reviving([seat])


_REVIVE: Errand[Seat] = Errand(
    title=_("Revive"),
    question=_("The seat counts as active again whatever was wrong; what GitHub says at its next use may change that."),
    act=Seat.revive,
    done=_("%(row)s is active."),
    unchanged=_("%(row)s was active before."),
    changed="state",
    warn=_warn_of_a_second_seat,
)


def _disable(seat: Seat) -> bool:
    return seat.state != SeatState.DISABLED and seat.disable(gettext("Switched off in the console."))


_DISABLE: Errand[Seat] = Errand(
    title=_("Disable"),
    question=_("No new request takes this seat until somebody revives it."),
    act=_disable,
    done=_("%(row)s is disabled."),
    unchanged=_("%(row)s was disabled before."),
    changed="state",
    danger=True,
)


@admin.register(Seat)
class SeatAdmin(AppSeatAdmin):
    form = SeatForm
    list_display = (
        "account_name",
        "holder",
        "whom",
        "state_badge",
        "left",
        "lasts",
        "why",
        "plan",
        "quota_seen_at",
        "last_used_at",
    )
    list_display_links = ("account_name",)
    list_filter = (
        SeatStateFilter,
        ("serves", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("owner", RelatedDropdownFilter),
    )
    list_select_related = ("owner",)
    list_before_template = "admin/accounts/connect_a_seat.html"
    search_fields = ("label", "login", "host", "owner__username", "plan")
    search_help_text = _("Label, GitHub login, host, owner or plan")
    date_hierarchy = "created_at"
    autocomplete_fields = ("teams",)
    readonly_fields = (
        "account_name", "owner", "kind", "state_badge", "why", "plan", "sku", "left", "lasts", "resets",
        "windows", "quota_seen_at", "history", "api_base", "copilot_expires_at", "created_at", "last_used_at",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("account_name", "owner", "label")}),
        (_("Whom it serves"), {"fields": ("serves", "teams", "risk_accepted")}),
        (_("How it is"), {"fields": ("state_badge", "why", "plan", "sku")}),
        (_("What is left"), {"fields": ("left", "lasts", "resets", "windows", "quota_seen_at", "history")}),
        (_("Connection"), {"fields": ("kind", "api_base", "copilot_expires_at", "created_at", "last_used_at")}),
    )
    actions = ("check_many", "reconcile_many", "revive_many", "disable_many")
    actions_detail = ("check_one", "reconcile_one", "revive_one", "disable_one")
    actions_list = ("add_app",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Seat]:
        """Tokens stay in the database; an errand that needs them loads them by itself."""
        rows: QuerySet[Seat] = super().get_queryset(request).prefetch_related("teams")
        return rows.defer("github_token", "copilot_token", "private_key")

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The outlooks of all seats shown are worked out at once."""
        listed = super().get_changelist_instance(request)
        show_outlooks(listed.result_list)
        return listed

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A seat is connected by signing in at GitHub."""
        return False

    @column(_("account"), sorted_by="login")
    def account_name(self, seat: Seat) -> str:
        return f"{seat.label} ({seat.account})" if seat.label else seat.account

    @column(_("owner"), sorted_by="owner__username")
    def holder(self, seat: Seat) -> str:
        return seat.owner.username if seat.owner else gettext("the organisation")

    @column(_("serves"), sorted_by="serves")
    def whom(self, seat: Seat) -> str:
        teams = ", ".join(team.name for team in seat.teams.all()) if seat.serves == Serves.TEAM else ""
        return teams or seat.get_serves_display()

    @badge(_("state"), _TONES, sorted_by="state")
    def state_badge(self, seat: Seat) -> tuple[str, str]:
        return (
            (SeatState.ACTIVE, str(SeatState.ACTIVE.label)) if seat.usable else (seat.state, seat.get_state_display())
        )

    @column(_("reason"))
    def why(self, seat: Seat) -> str:
        if seat.usable:
            return NOTHING
        if seat.state_until is None:
            return seat.state_reason or NOTHING
        until = formats.date_format(timezone.localtime(seat.state_until), "DATETIME_FORMAT")
        told = gettext("until %(time)s") % {"time": until}
        return f"{told}: {seat.state_reason}" if seat.state_reason else told

    @column(_("left"))
    def left(self, seat: Seat) -> str:
        return outlook_of(seat).left or NOTHING

    @column(_("lasts"))
    def lasts(self, seat: Seat) -> str:
        return outlook_of(seat).end or NOTHING

    @column(_("resets"))
    def resets(self, seat: Seat) -> str:
        return outlook_of(seat).resets or NOTHING

    @column(_("short limits"))
    def windows(self, seat: Seat) -> str:
        return "; ".join(outlook_of(seat).windows) or NOTHING

    @column(_("last 30 days"))
    def history(self, seat: Seat) -> str:
        return history_chart(seat)

    @many(_("Check now"))
    def check_many(self, request: HttpRequest, queryset: QuerySet[Seat]) -> None:
        self._check(request, list(queryset.values_list("pk", flat=True)))

    @button(_("Check now"), icon="network_check")
    def check_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        seat: Seat = self.row(request, object_id)
        if not is_confirmed(request):
            question = _("GitHub is asked how this seat is; a rest that no longer holds ends.")
            return ask(self, request, [seat], title=_("Check now"), question=question)
        self._check(request, [seat.pk])
        return self.page_of(seat)

    @many(_("Revive"))
    def revive_many(self, request: HttpRequest, queryset: QuerySet[Seat]) -> HttpResponse | None:
        if is_confirmed(request):
            return self.on_many(request, queryset, _REVIVE)
        seats = [seat for seat in queryset if self.has_change_permission(request, seat)]
        warning = warning_of_reviving(seats)  # of all together: two that come back may serve the same people
        warnings = [warning] if warning else []
        return ask(self, request, seats, title=_REVIVE.title, question=_REVIVE.question, warnings=warnings)

    @button(_("Revive"), icon="restart_alt")
    def revive_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, object_id, _REVIVE)

    @many(_("Disable"))
    def disable_many(self, request: HttpRequest, queryset: QuerySet[Seat]) -> HttpResponse | None:
        return self.on_many(request, queryset, _DISABLE)

    @button(_("Disable"), icon="power_settings_new", danger=True)
    def disable_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, object_id, _DISABLE)

    def _check(self, request: HttpRequest, keys: Sequence[int]) -> None:
        for checked in async_to_sync(_ask_github)(list(Seat.objects.filter(pk__in=keys))):
            level = messages.SUCCESS if checked.well else messages.WARNING
            messages.add_message(request, level, checked.sentence)
