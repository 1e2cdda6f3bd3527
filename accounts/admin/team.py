"""Teams in the console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import Count
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter

from accounts.admin.columns import button, column, many
from accounts.admin.errand import Errand
from accounts.admin.limits import LIMIT_FIELDSETS, LimitsForm, limits_text
from accounts.admin.rows import ConsoleAdmin
from accounts.models import Door, Team

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


def _deactivate(team: Team) -> bool:
    if not team.active:
        return False
    team.deactivate()
    return True


_DEACTIVATE: Errand[Team] = Errand(
    title=_("Deactivate"),
    question=_("Seats, routes and limits of this team no longer concern its members. The ledger keeps the name."),
    act=_deactivate,
    done=_("%(row)s is deactivated."),
    unchanged=_("%(row)s was not active."),
    changed="active",
    danger=True,
)


class TeamForm(LimitsForm):
    """What a key may manage is said by its member's role, not by the team."""

    door_choices: ClassVar[Any] = [choice for choice in Door.choices if choice[0] != Door.MANAGEMENT]

    class Meta:
        model = Team
        fields = ("name", "slug", "active", "note", *Team.limit_fields)


@admin.register(Team)
class TeamAdmin(ConsoleAdmin):
    list_display = ("name", "active", "member_count", "seat_count", "limits", "created_at")
    list_filter = (("active", BooleanRadioFilter),)
    search_fields = ("name", "slug", "note")
    search_help_text = _("Name or note")
    date_hierarchy = "created_at"
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("created_at",)
    form = TeamForm
    fieldsets = ((None, {"fields": ("name", "slug", "active", "note", "created_at")}), *LIMIT_FIELDSETS)
    actions = ("deactivate_many",)
    actions_detail = ("deactivate_one",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        rows: QuerySet[Team] = super().get_queryset(request)
        return rows.annotate(member_total=Count("members", distinct=True), seat_total=Count("seats", distinct=True))

    @column(_("members"), sorted_by="member_total")
    def member_count(self, team: Any) -> int:
        return int(team.member_total)

    @column(_("seats"), sorted_by="seat_total")
    def seat_count(self, team: Any) -> int:
        return int(team.seat_total)

    @column(_("limits"))
    def limits(self, team: Any) -> str:
        return limits_text(team)

    @many(_("Deactivate"))
    def deactivate_many(self, request: HttpRequest, queryset: QuerySet[Team]) -> HttpResponse | None:
        return self.on_many(request, queryset, _DEACTIVATE)

    @button(_("Deactivate"), icon="group_off", danger=True)
    def deactivate_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, object_id, _DEACTIVATE)
