"""A group of members who share seats, routes, limits and budgets."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from accounts.models.limited import Limited
from accounts.models.watched import Kept, KeptQuerySet


class Team(Limited, Kept):
    name = models.CharField(_("name"), max_length=120, unique=True)
    slug = models.SlugField(_("slug"), max_length=120, unique=True, allow_unicode=True, blank=True)
    active = models.BooleanField(_("active"), default=True)
    note = models.TextField(_("note"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = models.Manager.from_queryset(KeptQuerySet)()

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **options: Any) -> None:
        if not self.slug:
            self.slug = slugify(self.name, allow_unicode=True) or f"team-{type(self).objects.count() + 1}"
        super().save(*args, **options)

    def deactivate(self) -> None:
        self.active = False
        self.save(update_fields=["active"])
