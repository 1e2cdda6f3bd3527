"""The processes of the gateway: which run now, and what each has open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count, OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

from accounts.admin.columns import Tone, badge, column
from accounts.admin.rows import ReadOnlyAdmin
from accounts.admin.running import is_alive
from accounts.models import Instance, UsageRecord, UsageStatus

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.functional import _StrOrPromise

_TONES = {"running": Tone.GOOD, "silent": Tone.BAD, "stopped": Tone.PLAIN}
_WORDS = {"running": _("running"), "silent": _("silent"), "stopped": _("stopped")}


@admin.register(Instance)
class InstanceAdmin(ReadOnlyAdmin):
    list_display = ("process", "life", "version", "started_at", "heartbeat_at", "stopped_at", "open_rows")
    search_fields = ("host", "version")
    search_help_text = _("Host or version")
    date_hierarchy = "started_at"
    fields = ("id", "host", "pid", "version", "life", "open_rows", "started_at", "heartbeat_at", "stopped_at")
    readonly_fields = ("life", "open_rows")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Instance]:
        rows: QuerySet[Instance] = super().get_queryset(request)
        opened = UsageRecord.objects.filter(status=UsageStatus.OPEN, instance=OuterRef("pk")).order_by()
        return rows.annotate(open_total=Subquery(opened.values("instance").annotate(total=Count("pk")).values("total")))

    @column(_("process"), sorted_by="host")
    def process(self, instance: Instance) -> str:
        return str(instance)

    @badge(_("state"), _TONES)
    def life(self, instance: Instance) -> tuple[str, _StrOrPromise]:
        state = "stopped" if instance.stopped_at else "running" if is_alive(instance) else "silent"
        return state, _WORDS[state]

    @column(_("open requests"))
    def open_rows(self, instance: Any) -> int:
        return int(instance.open_total or 0)
