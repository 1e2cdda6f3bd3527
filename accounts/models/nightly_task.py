"""Work that is done once a night by one of the running processes: which night was last, and who is at it now."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class NightlyTask(models.Model):
    """The lease is claimed by a conditional update; `done_day` is the day whose first hours the work was done in."""

    name = models.CharField(_("name"), max_length=40, primary_key=True)
    done_day = models.DateField(_("last done on"))
    done_at = models.DateTimeField(_("last done"), null=True)
    lease_owner = models.CharField(_("done by"), max_length=80, blank=True)
    lease_until = models.DateTimeField(_("until"), null=True)

    class Meta:
        verbose_name = _("nightly task")
        verbose_name_plural = _("nightly tasks")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
