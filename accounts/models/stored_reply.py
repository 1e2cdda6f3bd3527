"""A reply that a caller asked the gateway to keep (`store: true`), with the conversation that led to it.

Unlike the ledger's rows it holds what people wrote: it is encrypted, belongs to the key that asked for it, and
goes by itself after a short while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.api_key import ApiKey
from accounts.vault import EncryptedTextField

if TYPE_CHECKING:
    from datetime import datetime


class StoredReplyQuerySet(models.QuerySet["StoredReply"]):
    def of_key(self, key: int, at: datetime) -> StoredReplyQuerySet:
        """What the key may still read at `at`, the oldest first."""
        return self.filter(key=key, expires_at__gt=at).order_by("created_at", "id")

    def expired(self, at: datetime) -> StoredReplyQuerySet:
        return self.filter(expires_at__lte=at)


class StoredReply(models.Model):
    id = models.CharField(_("response id"), max_length=128, primary_key=True)
    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="stored_replies", verbose_name=_("API key"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires"), db_index=True)
    size = models.PositiveIntegerField(_("bytes"))
    # The last column: SQLite reads the others of a row without going through the megabytes of this one.
    content = EncryptedTextField(_("content"))

    objects = models.Manager.from_queryset(StoredReplyQuerySet)()

    class Meta:
        verbose_name = _("stored reply")
        verbose_name_plural = _("stored replies")
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.id
