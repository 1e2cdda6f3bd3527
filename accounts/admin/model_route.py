"""Model routes in the console: which name becomes which model.

Rows that were shipped or come from the environment are decided elsewhere: here they can be switched off and noted,
nothing else. Rows made in the console are the owner's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter, RelatedDropdownFilter

from accounts.admin.columns import Tone, badge, column
from accounts.admin.lists_in_forms import LinesField
from accounts.admin.scoped import drop_unnamed
from accounts.admin.switching import Switch, SwitchedAdmin
from accounts.models import ModelRoute, RouteOrigin

if TYPE_CHECKING:
    from django.http import HttpRequest

    _Form = forms.ModelForm[ModelRoute]
else:
    _Form = forms.ModelForm  # generic in the stubs only

_TONES = {RouteOrigin.SHIPPED: Tone.PLAIN, RouteOrigin.ENVIRONMENT: Tone.CARE, RouteOrigin.CONSOLE: Tone.NEWS}
_DECIDED_ELSEWHERE = ("pattern", "scope", "team", "member", "key", "priority", "target", "fallbacks")


class ModelRouteForm(_Form):
    fallbacks = LinesField(label=_("fallbacks"), help_text=_("Taken in order when the model is not live."))

    class Meta:
        model = ModelRoute
        fields = (*_DECIDED_ELSEWHERE, "active", "note")

    def clean(self) -> dict[str, Any]:
        return drop_unnamed(super().clean() or self.cleaned_data)


@admin.register(ModelRoute)
class ModelRouteAdmin(SwitchedAdmin):
    form = ModelRouteForm
    list_display = ("pattern", "target", "fallback_names", "scope_name", "priority", "active", "origin_badge", "note")
    list_display_links = ("pattern",)
    list_filter = (
        ("origin", ChoicesDropdownFilter),
        ("scope", ChoicesDropdownFilter),
        ("active", BooleanRadioFilter),
        ("team", RelatedDropdownFilter),
        ("member", RelatedDropdownFilter),
    )
    list_select_related = ("team", "member", "key")
    search_fields = ("pattern", "target", "note", "member__username", "team__name")
    search_help_text = _("Model name, note, member or team")
    date_hierarchy = "created_at"
    autocomplete_fields = ("team", "member", "key")
    conditional_fields = {"team": "scope == 'team'", "member": "scope == 'member'", "key": "scope == 'key'"}
    fieldsets = (
        (None, {"fields": ("pattern", "target", "fallbacks", "priority")}),
        (_("For whom"), {"fields": ("scope", "team", "member", "key")}),
        (_("State"), {"fields": ("active", "note", "origin_badge", "created_at")}),
    )
    add_fieldsets = (
        (None, {"fields": ("pattern", "target", "fallbacks", "priority")}),
        (_("For whom"), {"fields": ("scope", "team", "member", "key")}),
        (_("State"), {"fields": ("active", "note")}),
    )
    switch = Switch(
        on=_("The route applies to requests from now on."),
        off=_("Requests no longer take this route; the names pass as they are or take another."),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        decided = () if obj.origin == RouteOrigin.CONSOLE else _DECIDED_ELSEWHERE
        return ("origin_badge", "created_at", *decided)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_own = not isinstance(obj, ModelRoute) or obj.origin == RouteOrigin.CONSOLE
        return is_own and request.user.has_perm("accounts.delete_modelroute")

    @column(_("fallbacks"))
    def fallback_names(self, route: ModelRoute) -> str:
        return ", ".join(route.fallbacks)

    @column(_("for"), sorted_by="scope")
    def scope_name(self, route: ModelRoute) -> str:
        named = route.team or route.member or route.key
        return f"{route.get_scope_display()} {named}" if named else route.get_scope_display()

    @badge(_("origin"), _TONES, sorted_by="origin")
    def origin_badge(self, route: ModelRoute) -> tuple[str, str]:
        return route.origin, route.get_origin_display()
