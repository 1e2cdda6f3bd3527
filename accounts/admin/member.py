"""Members in the console: who they are, what they may, and how to end their access."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter, RelatedDropdownFilter

from accounts.admin.columns import Tone, badge, button, column, many
from accounts.admin.errand import Errand
from accounts.admin.member_forms import MemberForm, NewMemberForm, NewPasswordForm, is_last_owner
from accounts.admin.rows import ConsoleAdmin
from accounts.models import Member, Role

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    _UserAdmin = UserAdmin[Member]
else:
    _UserAdmin = UserAdmin  # generic in the stubs only

_TONES = {Role.OWNER: Tone.NEWS, Role.AUDITOR: Tone.CARE, Role.MEMBER: Tone.PLAIN}


def _deactivate(member: Member) -> bool:
    if is_last_owner(member):
        raise ValidationError(_("The last active owner stays one; make another member an owner first."))
    if not member.is_active:
        return False
    member.deactivate()
    return True


_DEACTIVATE: Errand[Member] = Errand(
    title=_("Deactivate"),
    question=_("Sign-in, portal and every key of this member end at once. The ledger keeps the name."),
    act=_deactivate,
    done=_("%(row)s is deactivated."),
    unchanged=_("%(row)s was not active."),
    changed="active",
    danger=True,
)


@admin.register(Member)
class MemberAdmin(_UserAdmin, ConsoleAdmin):  # type: ignore[misc] # two ModelAdmins, as Unfold asks for
    form = MemberForm
    add_form = NewMemberForm
    change_password_form = NewPasswordForm
    list_display = ("who", "role_badge", "team", "is_active", "live_keys", "seat_count", "last_login", "date_joined")
    list_display_links = ("who",)
    list_filter = (
        ("role", ChoicesDropdownFilter),
        ("is_active", BooleanRadioFilter),
        ("team", RelatedDropdownFilter),
        ("must_change_password", BooleanRadioFilter),
    )
    search_fields = ("username", "first_name", "last_name", "email")
    search_help_text = _("User name, name or e-mail")
    ordering = ("username",)
    date_hierarchy = "date_joined"
    filter_horizontal = ()
    autocomplete_fields = ("team",)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "must_change_password")}),
        (_("Person"), {"fields": (("first_name", "last_name"), "email", "language", "time_zone")}),
        (_("Access"), {"fields": ("role", "team", "is_active")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "usable_password", "password1", "password2", "must_change_password")}),
        (_("Person"), {"fields": (("first_name", "last_name"), "email", "language", "time_zone")}),
        (_("Access"), {"fields": ("role", "team")}),
    )
    actions = ("deactivate_many",)
    actions_detail = ("set_password", "deactivate_one")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Member]:
        live = Q(keys__revoked_at=None) & (Q(keys__expires_at=None) | Q(keys__expires_at__gt=timezone.now()))
        rows: QuerySet[Member] = super().get_queryset(request).select_related("team")
        return rows.annotate(
            live_key_count=Count("keys", filter=live & Q(keys__isnull=False), distinct=True),
            held_seats=Count("seats", distinct=True),
        )

    def user_change_password(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        """One's own password is changed where the old one is asked for."""
        if options.get("id") == str(request.user.pk):
            return redirect("password")
        page: HttpResponse = super().user_change_password(request, *args, **options)
        return page

    @column(_("member"), sorted_by="username")
    def who(self, member: Member) -> str:
        name = member.get_full_name()
        return f"{member.username} ({name})" if name else member.username

    @badge(_("role"), _TONES, sorted_by="role")
    def role_badge(self, member: Member) -> tuple[str, str]:
        return member.role, member.get_role_display()

    @column(_("live keys"), sorted_by="live_key_count")
    def live_keys(self, member: Any) -> int:
        return int(member.live_key_count)

    @column(_("seats"), sorted_by="held_seats")
    def seat_count(self, member: Any) -> int:
        return int(member.held_seats)

    @button(_("Set a password"), icon="password")
    def set_password(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect(f"{self.admin_site.name}:auth_user_password_change", object_id)

    @many(_("Deactivate"))
    def deactivate_many(self, request: HttpRequest, queryset: QuerySet[Member]) -> HttpResponse | None:
        return self.on_many(request, queryset, _DEACTIVATE)

    @button(_("Deactivate"), icon="person_off", danger=True)
    def deactivate_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, object_id, _DEACTIVATE)
