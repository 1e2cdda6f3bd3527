"""The last model list fetched through a seat, so that a restart answers before GitHub does."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.seat import Seat


class CatalogueCopy(models.Model):
    seat = models.OneToOneField(
        Seat, on_delete=models.CASCADE, primary_key=True, related_name="catalogue", verbose_name=_("seat")
    )
    body = models.BinaryField(_("body"))
    fetched_at = models.DateTimeField(_("fetched"))

    class Meta:
        verbose_name = _("model list")
        verbose_name_plural = _("model lists")

    def __str__(self) -> str:
        return f"{self.seat} {self.fetched_at:%Y-%m-%d %H:%M}"
