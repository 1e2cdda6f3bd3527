"""One upstream attempt of a request that needed more than one."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.seat import Seat
from accounts.models.usage_record import UsageRecord


class UsageAttempt(models.Model):
    record = models.ForeignKey(
        UsageRecord,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="attempt_rows",
        verbose_name=_("request"),
    )
    number = models.PositiveIntegerField(_("number"))
    seat = models.ForeignKey(
        Seat, on_delete=models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("seat")
    )
    seat_name = models.TextField(_("seat's name"), blank=True)
    upstream_format = models.CharField(_("upstream format"), max_length=32, blank=True)
    status = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    error_code = models.TextField(_("error"), blank=True)
    nano = models.BigIntegerField(_("nano-AIU"), null=True, blank=True)
    started_ms = models.BigIntegerField(_("started after, ms"), default=0)
    total_ms = models.BigIntegerField(_("total, ms"), null=True, blank=True)

    class Meta:
        verbose_name = _("upstream attempt")
        verbose_name_plural = _("upstream attempts")
        ordering = ["record", "number"]
        constraints = [models.UniqueConstraint(fields=["record", "number"], name="attempt_number_once")]

    def __str__(self) -> str:
        return f"{self.record_id} #{self.number}"
