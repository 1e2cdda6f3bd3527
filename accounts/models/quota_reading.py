"""What GitHub said was left of a seat, again and again: the history behind forecasts and reconciliation."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.seat import Seat


class QuotaSource(models.TextChoices):
    HEADERS = "headers", _("headers of an answer")
    ACCOUNT = "account", _("the account's own page")


class Grain(models.IntegerChoices):
    """How long a reading is kept: the first one of an hour longer than the others, the first one of a day longest."""

    ALL = 0, _("two days")
    HOURLY = 1, _("five weeks")
    DAILY = 2, _("400 days")


class QuotaReading(models.Model):
    """One allowance of one seat at one moment, in the unit of its entitlement; None is what GitHub did not say.

    These are GitHub's own figures, which lag and may be negative: they are shown and acted upon, never booked.
    """

    seat = models.ForeignKey(
        Seat, on_delete=models.CASCADE, db_index=False, related_name="readings", verbose_name=_("seat")
    )
    name = models.CharField(_("allowance"), max_length=40)
    at = models.DateTimeField(_("at"))
    source = models.CharField(_("source"), max_length=16, choices=QuotaSource)
    unlimited = models.BooleanField(_("unlimited"), default=False)
    entitlement = models.FloatField(_("entitlement"), null=True)
    remaining = models.FloatField(_("remaining"), null=True)
    percent_remaining = models.FloatField(_("percent remaining"), null=True)
    overage = models.FloatField(_("overage"), default=0)
    reset_at = models.DateTimeField(_("resets"), null=True)
    grain = models.PositiveSmallIntegerField(_("kept for"), choices=Grain, default=Grain.ALL)

    class Meta:
        verbose_name = _("quota reading")
        verbose_name_plural = _("quota readings")
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["seat", "name", "at"], name="reading_by_seat"),
            models.Index(fields=["seat", "name", "grain", "at"], name="reading_by_grain"),
        ]

    def __str__(self) -> str:
        return f"{self.seat_id} {self.name} {self.at}"

    @property
    def used(self) -> float | None:
        """How much of the entitlement is gone, overage included; None when GitHub did not say."""
        if self.entitlement is None or self.remaining is None:
            return None
        return self.entitlement - self.remaining + (self.overage if self.remaining >= 0 else 0.0)
