"""Device logins in the console: who tried to connect what and how it ended; the codes stay hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from accounts.admin.columns import Tone, badge
from accounts.admin.rows import ReadOnlyAdmin
from accounts.models import DeviceLogin, LoginState

if TYPE_CHECKING:
    from django.http import HttpRequest

_TONES = {
    LoginState.PENDING: Tone.NEWS,
    LoginState.CONNECTED: Tone.GOOD,
    LoginState.DENIED: Tone.BAD,
    LoginState.EXPIRED: Tone.PLAIN,
    LoginState.FAILED: Tone.BAD,
    LoginState.REPLACED: Tone.PLAIN,
}
_HIDDEN = "••••-••••"


@admin.register(DeviceLogin)
class DeviceLoginAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "member", "host", "serves", "state_badge", "detail", "seat", "expires_at")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("serves", ChoicesDropdownFilter),
        ("member", RelatedDropdownFilter),
    )
    list_select_related = ("member", "seat")
    search_fields = ("member__username", "host", "seat__login", "label", "detail")
    search_help_text = _("Member, host, GitHub login or outcome")
    date_hierarchy = "created_at"
    fields = (
        "member", "host", "serves", "label", "state_badge", "detail", "seat", "verification_uri", "created_at",
        "expires_at", "next_poll_at", "interval",
    )  # fmt: skip
    readonly_fields = ("state_badge",)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> DeviceLogin | None:
        """The row names itself by its code; the copy that the page is made of has none."""
        login: DeviceLogin | None = super().get_object(request, object_id, from_field)
        if login is not None:
            login.user_code = _HIDDEN
        return login

    @badge(_("state"), _TONES, sorted_by="state")
    def state_badge(self, login: DeviceLogin) -> tuple[str, Any]:
        return login.state, login.get_state_display()
