"""Stored replies in the console: whose they are and how long they stay. What is in them is shown to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RelatedDropdownFilter

from accounts.admin.columns import column
from accounts.admin.rows import ReadOnlyAdmin
from accounts.models import StoredReply

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(StoredReply)
class StoredReplyAdmin(ReadOnlyAdmin):
    list_display = ("id", "key", "member", "created_at", "expires_at", "size_text")
    list_filter = (("key__member", RelatedDropdownFilter),)
    list_select_related = ("key__member",)
    search_fields = ("id", "key__name", "key__hint", "key__member__username")
    search_help_text = _("Response id, key or member")
    date_hierarchy = "created_at"
    fields = ("id", "key", "member", "created_at", "expires_at", "size_text")
    readonly_fields = ("member", "size_text")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StoredReply]:
        rows: QuerySet[StoredReply] = super().get_queryset(request)
        return rows.defer("content")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What somebody wrote can be taken away: no other row depends on it."""
        return bool(ModelAdmin.has_delete_permission(self, request, obj))

    @column(_("member"), sorted_by="key__member__username")
    def member(self, reply: StoredReply) -> str:
        return str(reply.key.member)

    @column(_("size"), sorted_by="size")
    def size_text(self, reply: StoredReply) -> str:
        return filesizeformat(reply.size)
