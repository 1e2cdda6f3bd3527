"""Seats in the console: how each is, what is left of it, whom it serves; check, revive, disable. Tokens never show."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from typing import TYPE_CHECKING

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from accounts.admin.columns import NOTHING, Tone, badge, button, column, many
from accounts.admin.errand import Errand, ask, is_confirmed
from accounts.admin.filters import SeatStateFilter
from accounts.admin.rows import ConsoleAdmin
from accounts.admin.seat_forms import SeatForm
from accounts.github import open_github
from accounts.models import Seat, SeatState, Serves
from accounts.seats import Checked, check, warning_for
from bridge.copilot.quota import Quota, governing_quota

if TYPE_CHECKING:
    from collections.abc import Sequence

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
_QUOTA_FIELDS = frozenset(field.name for field in fields(Quota))


def left_of(seat: Seat) -> str:
    """Return what remains of the allowance that decides whether the seat can work, in words."""
    held = seat.quota if isinstance(seat.quota, dict) else {}
    quotas = [
        Quota(**{name: value for name, value in entry.items() if name in _QUOTA_FIELDS})
        for entry in held.values()
        if isinstance(entry, dict) and "name" in entry
    ]
    quota = governing_quota(quotas, free=False) or governing_quota(quotas, free=True)
    if quota is None:
        return NOTHING
    if quota.unlimited:
        return gettext("unlimited")
    share = "" if quota.percent_remaining is None else f"{formats.number_format(quota.percent_remaining, 0)} %"
    if quota.remaining is None or quota.entitlement is None:
        return share or NOTHING
    left, total = (
        formats.number_format(number, 0, force_grouping=True) for number in (quota.remaining, quota.entitlement)
    )
    counted = gettext("%(left)s of %(total)s") % {"left": left, "total": total}
    return f"{counted} ({share})" if share else counted


def _rounded(number: float) -> str:
    return formats.number_format(number, 0, use_l10n=True, force_grouping=True)


async def _ask_github(seats: Sequence[Seat]) -> list[Checked]:
    async with open_github() as github:
        return list(await asyncio.gather(*(check(github, seat) for seat in seats)))


def _warn_of_a_second_seat(seat: Seat) -> str:
    """Return GitHub's risk if the seat comes back beside another that serves the same people."""
    return warning_for(seat) if seat.state == SeatState.DISABLED else ""


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
class SeatAdmin(ConsoleAdmin):
    form = SeatForm
    list_display = (
        "account_name",
        "holder",
        "whom",
        "state_badge",
        "why",
        "plan",
        "left",
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
        "account_name", "owner", "kind", "state_badge", "why", "plan", "sku", "left", "quota_seen_at",
        "api_base", "copilot_expires_at", "created_at", "last_used_at",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("account_name", "owner", "label")}),
        (_("Whom it serves"), {"fields": ("serves", "teams", "risk_accepted")}),
        (_("How it is"), {"fields": ("state_badge", "why", "plan", "sku", "left", "quota_seen_at")}),
        (_("Connection"), {"fields": ("kind", "api_base", "copilot_expires_at", "created_at", "last_used_at")}),
    )
    actions = ("check_many", "revive_many", "disable_many")
    actions_detail = ("check_one", "revive_one", "disable_one")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Seat]:
        """Tokens stay in the database; an errand that needs them loads them by itself."""
        rows: QuerySet[Seat] = super().get_queryset(request).prefetch_related("teams")
        return rows.defer("github_token", "copilot_token")

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
        return left_of(seat)

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
        return self.on_many(request, queryset, _REVIVE)

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
