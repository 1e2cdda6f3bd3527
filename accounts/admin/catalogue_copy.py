"""The model lists that are kept for a restart, one per seat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.columns import column
from accounts.admin.rows import ReadOnlyAdmin
from accounts.models import CatalogueCopy
from bridge.copilot.catalogue import read_catalogue
from bridge.errors import Unavailable

if TYPE_CHECKING:
    from django.utils.safestring import SafeString


def names_in(copy: CatalogueCopy) -> list[str]:
    """Return the ids of the models in a kept list; none if it cannot be read."""
    try:
        return sorted(read_catalogue(bytes(copy.body), copy.fetched_at.timestamp()).models)
    except Unavailable:
        return []


@admin.register(CatalogueCopy)
class CatalogueCopyAdmin(ReadOnlyAdmin):
    list_display = ("seat", "fetched_at", "model_count")
    list_select_related = ("seat",)
    search_fields = ("seat__login", "seat__label")
    search_help_text = _("Label or GitHub login of the seat")
    date_hierarchy = "fetched_at"
    fields = ("seat", "fetched_at", "model_names")
    readonly_fields = ("model_names",)

    @column(_("models"))
    def model_count(self, copy: CatalogueCopy) -> int:
        return len(names_in(copy))

    @column(_("models"))
    def model_names(self, copy: CatalogueCopy) -> SafeString | str:
        names = names_in(copy)
        return format_html_join("", "<div>{}</div>", ((name,) for name in names)) or gettext("The list cannot be read.")
