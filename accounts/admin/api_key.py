"""API keys in the console: issue, limit, rotate, revoke.

A key's text exists for one answer: the page that follows the form. It goes into no message, session, cookie, history
entry or address, and the answer is not stored by browsers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models.functions import Coalesce
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RelatedDropdownFilter

from accounts.admin.api_key_forms import ApiKeyForm, RotationForm
from accounts.admin.columns import Tone, badge, button, column, many
from accounts.admin.errand import Errand, ask, is_confirmed
from accounts.admin.filters import KeyStateFilter
from accounts.admin.limits import LIMIT_FIELDSETS, limits_text
from accounts.admin.rows import ConsoleAdmin
from accounts.models import ApiKey, Door

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.functional import _StrOrPromise

_TONES = {"live": Tone.GOOD, "ending": Tone.CARE, "expired": Tone.PLAIN, "revoked": Tone.BAD}
_WORDS = {"live": _("live"), "ending": _("ends soon"), "expired": _("expired"), "revoked": _("revoked")}
_SOON_DAYS = 7
_SHOWN_ONCE = "text_shown_once"


def state_of(key: ApiKey) -> str:
    """Return `live`, `ending` (within a week), `expired` or `revoked`."""
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is None:
        return "live"
    left = key.expires_at - timezone.now()
    if left.total_seconds() <= 0:
        return "expired"
    return "ending" if left.days < _SOON_DAYS else "live"


def _revoke(key: ApiKey) -> bool:
    if key.revoked_at is not None:
        return False
    key.revoke()
    return True


_REVOKE: Errand[ApiKey] = Errand(
    title=_("Revoke"),
    question=_("Programs that use this key are refused within a second, and what they are running ends. For good."),
    act=_revoke,
    done=_("%(row)s is revoked."),
    unchanged=_("%(row)s was revoked before."),
    changed="revoked",
    danger=True,
)


@admin.register(ApiKey)
class ApiKeyAdmin(ConsoleAdmin):
    form = ApiKeyForm
    list_display = (
        "hint", "name", "owner", "state_badge", "door_names", "limits", "created_at", "expires_at", "last_used_at",
    )  # fmt: skip
    list_display_links = ("hint", "name")
    list_filter = (KeyStateFilter, ("member", RelatedDropdownFilter), ("member__team", RelatedDropdownFilter))
    list_select_related = ("member",)
    search_fields = ("name", "hint", "member__username")
    search_help_text = _("Name, visible part of the key, or member")
    date_hierarchy = "created_at"
    autocomplete_fields = ("member",)
    fieldsets = (
        (None, {"fields": ("hint", "state_badge", "member", "name", "expires_at")}),
        *LIMIT_FIELDSETS,
        (_("Dates"), {"fields": ("created_at", "last_used_at", "revoked_at", "replaces")}),
    )
    add_fieldsets = (
        (None, {"fields": ("member", "name", "expires_at")}),
        *LIMIT_FIELDSETS,
    )
    actions = ("revoke_many",)
    actions_detail = ("rotate_one", "revoke_one")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return ("hint", "state_badge", "member", "created_at", "last_used_at", "revoked_at", "replaces")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A revoked key has ended for good; there is nothing to change about it."""
        ended = isinstance(obj, ApiKey) and obj.revoked_at is not None
        return not ended and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        limits = {name: getattr(obj, name) for name in ApiKey.limit_fields}
        issued, secret = ApiKey.objects.issue(obj.member, obj.name, expires_at=obj.expires_at, **limits)
        # The row that Django made of the form was never saved: it takes the place of the issued one until the answer.
        vars(obj).update(vars(issued) | {_SHOWN_ONCE: secret})

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        return self._show_once(request, obj, vars(obj).pop(_SHOWN_ONCE), _("The key is issued"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            **(extra_context or {}),
            "title": _("Issue an API key"),
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
        }
        page: HttpResponse = super().add_view(request, form_url, context)
        return page

    @column(_("member"), sorted_by="member__username")
    def owner(self, key: ApiKey) -> str:
        return key.member.username

    @badge(_("state"), _TONES, sorted_by=Coalesce("revoked_at", "expires_at"))
    def state_badge(self, key: ApiKey) -> tuple[str, _StrOrPromise]:
        state = state_of(key)
        return state, _WORDS[state]

    @column(_("doors"))
    def door_names(self, key: ApiKey) -> str:
        return ", ".join(str(Door(door).label) for door in key.doors if door in Door.values) or str(_("all"))

    @column(_("limits"))
    def limits(self, key: ApiKey) -> str:
        return limits_text(key)

    @many(_("Revoke"))
    def revoke_many(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        return self.on_many(request, queryset, _REVOKE)

    @button(_("Revoke"), icon="block", danger=True)
    def revoke_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, object_id, _REVOKE)

    @button(_("Rotate"), icon="autorenew")
    def rotate_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        key: ApiKey = self.row(request, object_id)
        form = RotationForm(request.POST if is_confirmed(request) else None)
        if not form.is_valid():
            question = _(
                "A new key with the same limits takes the place of this one. It is shown once, on the next page."
            )
            return ask(self, request, [key], title=_("Rotate"), question=question, form=form)
        try:
            successor, secret = key.rotate(form.overlap_time)
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
            return self.page_of(key)
        self.log_addition(request, successor, [{"added": {}}])
        self.log_change(request, key, [{"changed": {"fields": ["expires"]}}])
        return self._show_once(request, successor, secret, _("The key is rotated"))

    def _show_once(self, request: HttpRequest, key: ApiKey, secret: str, title: _StrOrPromise) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "model_admin": self,
            "title": title,
            "key": key,
            "secret": secret,
            "page_of_key": reverse(f"{self.admin_site.name}:accounts_apikey_change", args=[key.pk]),
        }
        return TemplateResponse(request, "admin/accounts/secret.html", context)
