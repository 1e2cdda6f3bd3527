"""The trail in the console: who did what to which row, when and why; nobody changes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RelatedDropdownFilter

from accounts.admin.columns import NOTHING, column, moment
from accounts.admin.rows import ReadOnlyAdmin
from accounts.models import TrailEntry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

_SHORT = 60
_SIDES = ("old", "new", "added", "removed")


class ActFilter(DropdownFilter):
    """Acts that the trail knows, by name."""

    title = _("act")
    parameter_name = "act"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        names = TrailEntry.objects.order_by("action").values_list("action", flat=True).distinct()
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(action=self.value()) if self.value() else queryset


@admin.register(TrailEntry)
class TrailEntryAdmin(ReadOnlyAdmin):
    list_display = ("number", "moment_of", "actor_name", "action", "subject_in_short", "summary", "reason")
    list_display_links = ("number", "moment_of")
    sortable_by = ("number",)
    list_filter = (ActFilter, ("actor", RelatedDropdownFilter))
    search_fields = ("subject_name", "actor_name", "action", "reason", "=subject_id", "=hash")
    search_help_text = _("What, by whom, act, reason, id or hash")
    date_hierarchy = "at"
    fieldsets = (
        (None, {"fields": (("number", "moment_of"), ("actor_name", "action"), "subject", "reason")}),
        (_("What changed"), {"fields": ("changes",)}),
        (_("Seal"), {"fields": ("hash", "previous_hash")}),
    )
    readonly_fields = ("moment_of", "subject", "changes")

    @column(_("at"))
    def moment_of(self, entry: TrailEntry) -> str:
        return moment(entry.at)

    @column(_("what"))
    def subject(self, entry: TrailEntry) -> str | SafeString:
        """The row by its name at that time, with a link to its page if it has one."""
        return self._linked(entry, entry.subject_name)

    @column(_("what"))
    def subject_in_short(self, entry: TrailEntry) -> str | SafeString:
        return self._linked(entry, Truncator(entry.subject_name).chars(_SHORT))

    def _linked(self, entry: TrailEntry, name: str) -> str | SafeString:
        named = " ".join(part for part in (kind_title(entry.subject_type), name) if part) or NOTHING
        try:
            page = reverse(f"{self.admin_site.name}:accounts_{entry.subject_type}_change", args=[entry.subject_id])
        except NoReverseMatch:
            return named
        return format_html('<a href="{}">{}</a>', page, named)

    @column(_("What changed"))
    def summary(self, entry: TrailEntry) -> str:
        names = ", ".join(_column_title(entry.subject_type, name) for name in _changes(entry))
        return Truncator(names).chars(_SHORT) or NOTHING

    @column("")
    def changes(self, entry: TrailEntry) -> str | SafeString:
        return difference(entry) or NOTHING


def kind_title(kind: str) -> str:
    """Return what rows of a kind are called in the reader's language."""
    model = _model_of(kind)
    return kind if model is None else str(model._meta.verbose_name)


def difference(entry: TrailEntry) -> str | SafeString:
    """Return what changed as a table of columns with their old and new values; nothing when nothing did."""
    rows = format_html_join(
        "",
        '<tr class="border-b border-base-200 dark:border-base-800">'
        '<th scope="row" class="text-left py-1 pr-4">{}</th><td class="py-1 pr-4">{}</td><td class="py-1">{}</td></tr>',
        (_line(_column_title(entry.subject_type, name), change) for name, change in _changes(entry).items()),
    )
    if not rows:
        return ""
    return format_html(
        '<table class="w-full"><thead><tr><th scope="col" class="text-left pr-4">{}</th>'
        '<th scope="col" class="text-left pr-4">{}</th><th scope="col" class="text-left">{}</th></tr></thead>'
        "<tbody>{}</tbody></table>",
        gettext("column"),
        gettext("value before"),
        gettext("value after"),
        rows,
    )


def _model_of(kind: str) -> type[Model] | None:
    try:
        return apps.get_model("accounts", kind)
    except LookupError:
        return None


def _column_title(kind: str, name: str) -> str:
    """A column by its title; rows and acts may have lost it since, or never had one of that name."""
    model = _model_of(kind)
    titles = {} if model is None else {field.name: field for field in model._meta.get_fields()}
    return str(getattr(titles.get(name), "verbose_name", name))


def _changes(entry: TrailEntry) -> dict[str, Any]:
    told = json.loads(entry.detail)
    return told if isinstance(told, dict) else {}


def _line(name: str, change: Any) -> tuple[str, str, str]:
    """A column's cells; a secret is only said to have changed, and what an act counted has no old value."""
    if not isinstance(change, dict):
        return name, NOTHING, _shown(change)
    if change.get("changed") is True:
        return name, "", gettext("changed; the value is secret")
    if not set(change) & set(_SIDES):
        return name, NOTHING, _shown(change)
    left = change.get("old", change.get("removed"))
    right = change.get("new", change.get("added"))
    return name, _shown(left), _shown(right)


def _shown(value: Any) -> str:
    match value:
        case None | "":
            return NOTHING
        case {"id": number, "name": name}:
            return f"{name} (#{number})"
        case str() | int() | float():
            return str(value)
        case list() if all(isinstance(item, str) for item in value):
            return ", ".join(value) or NOTHING
        case _:
            return json.dumps(value, ensure_ascii=False)
