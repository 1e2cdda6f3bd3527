"""The one act that changes what was measured: it keeps the old value, who did it and why."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.member import Member


class Correction(models.Model):
    """One corrected column of one ledger row; the row may be pruned, this stays. Made by `accounts.corrections`."""

    record = models.UUIDField(_("request id"), db_index=True, editable=False)
    column = models.CharField(_("column"), max_length=40, editable=False)
    old = models.TextField(_("old"), blank=True, editable=False)
    new = models.TextField(_("new"), blank=True, editable=False)
    reason = models.TextField(_("reason"), editable=False)
    by = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("by")
    )
    by_name = models.CharField(_("by"), max_length=150, editable=False)
    at = models.DateTimeField(_("at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.record} {self.column}: {self.old} → {self.new}"
