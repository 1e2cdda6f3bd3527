"""What the ledger counted of a seat between two readings of GitHub's own counter, beside what that counter moved."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.seat import Seat


class QuotaUnit(models.TextChoices):
    CREDITS = "credits", _("AI credits")
    REQUESTS = "requests", _("premium requests")
    MESSAGES = "messages", _("chat messages")


class Reconciliation(models.Model):
    """Amounts are billionths of `unit`: nano-AIU where the seat pays with credits.

    `github_nano` is None when GitHub's counter could not be read twice. `causes` is a list of stable codes with
    parameters, the largest first; `accounts.reconciling.drift` makes words of them where they are shown.
    """

    seat = models.ForeignKey(
        Seat, on_delete=models.CASCADE, db_index=False, related_name="reconciliations", verbose_name=_("seat")
    )
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    since = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("until"))
    unit = models.CharField(_("unit"), max_length=16, choices=QuotaUnit, default=QuotaUnit.CREDITS)
    ledger_nano = models.BigIntegerField(_("ledger, nano-AIU"))
    github_nano = models.BigIntegerField(_("GitHub, nano-AIU"), null=True)
    tolerance_nano = models.BigIntegerField(_("tolerance, nano-AIU"), default=0)
    requests = models.BigIntegerField(_("requests"), default=0)
    causes = models.JSONField(_("likely causes"), default=list)

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        ordering = ["-made_at", "-id"]
        indexes = [models.Index(fields=["seat", "made_at"], name="reconciliation_by_seat")]

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%M} – {self.until:%Y-%m-%d %H:%M}"

    @property
    def drift_nano(self) -> int | None:
        """Positive: GitHub counted more than the ledger. None: GitHub's figure is not known."""
        return None if self.github_nano is None else self.github_nano - self.ledger_nano

    @property
    def drift_percent(self) -> Decimal | None:
        """The drift as a share of what GitHub counted; None when that is nothing or not known."""
        if self.drift_nano is None or not self.github_nano:
            return None
        return Decimal(100) * self.drift_nano / self.github_nano

    @property
    def agrees(self) -> bool:
        """Whether both counted the same, as far as GitHub's figures can tell."""
        return self.drift_nano is not None and abs(self.drift_nano) <= self.tolerance_nano
