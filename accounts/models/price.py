"""The rate card: what a model's tokens cost from a day on, one row per input tier.

Money is integer nano-AIU per million tokens (1 credit = 10⁹ nano-AIU = $0.01). Which of several rows holds is
decided in `accounts/prices/card.py`.
"""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.watched import Watched, WatchedQuerySet

_NOT_NEGATIVE = [MinValueValidator(0)]


class PriceOrigin(models.TextChoices):
    SHIPPED = "shipped", _("shipped")
    LIVE = "live", _("GitHub's model list")
    IMPORT = "import", _("imported")
    CONSOLE = "console", _("console")


class Price(Watched):
    model = models.CharField(_("model"), max_length=200)
    above_input_tokens = models.PositiveIntegerField(
        _("above input tokens"), default=0, help_text=_("The tier holds for requests with more input than this.")
    )
    valid_from = models.DateField(_("valid from"))
    origin = models.CharField(
        _("origin"), max_length=16, choices=PriceOrigin, default=PriceOrigin.CONSOLE, editable=False
    )
    input_nano = models.BigIntegerField(_("input, nano-AIU per million"), validators=_NOT_NEGATIVE)
    cached_nano = models.BigIntegerField(
        _("cached input, nano-AIU per million"),
        null=True,
        blank=True,
        validators=_NOT_NEGATIVE,
        help_text=_("Empty: as input."),
    )
    cache_write_nano = models.BigIntegerField(
        _("cache write, nano-AIU per million"),
        null=True,
        blank=True,
        validators=_NOT_NEGATIVE,
        help_text=_("Empty: as input."),
    )
    output_nano = models.BigIntegerField(_("output, nano-AIU per million"), validators=_NOT_NEGATIVE)
    active = models.BooleanField(_("active"), default=True)
    note = models.TextField(_("note"), blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = models.Manager.from_queryset(WatchedQuerySet)()

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ["model", "-valid_from", "above_input_tokens"]
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "model", "valid_from", "above_input_tokens"], name="price_once_per_day_and_tier"
            )
        ]

    def __str__(self) -> str:
        above = f" > {self.above_input_tokens:,}" if self.above_input_tokens else ""
        return f"{self.model}{above} · {self.valid_from}"
