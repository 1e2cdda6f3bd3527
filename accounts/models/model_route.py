"""What a requested model name becomes.

Where rows come from: `shipped` rows are the defaults of `accounts/shipped.py`; `environment` rows are
MODEL_MAPPING, which takes the place of the shipped rows when it is set, even to nothing; `console` rows
are made by people and never touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.api_key import ApiKey
from accounts.models.member import Member
from accounts.models.scoping import names_its_row
from accounts.models.team import Team
from accounts.models.watched import Watched, WatchedQuerySet
from accounts.shipped import ROUTES

if TYPE_CHECKING:
    from collections.abc import Mapping


class RouteScope(models.TextChoices):
    EVERYONE = "everyone", _("everyone")
    TEAM = "team", _("team")
    MEMBER = "member", _("member")
    KEY = "key", _("API key")


class RouteOrigin(models.TextChoices):
    SHIPPED = "shipped", _("shipped")
    ENVIRONMENT = "environment", _("environment")
    CONSOLE = "console", _("console")


class ModelRouteQuerySet(WatchedQuerySet["ModelRoute"]):
    def sync_origins(self, mapping: Mapping[str, str] | None) -> bool:
        """Make the shipped and environment rows those that MODEL_MAPPING (None: not set) asks for.

        Returns whether anything changed; rows that are right already, and what a person switched off or noted
        on them, stay as they are.
        """
        shipped: Mapping[str, str] = ROUTES if mapping is None else {}
        with transaction.atomic():
            changes = [
                self._sync(RouteOrigin.SHIPPED, shipped),
                self._sync(RouteOrigin.ENVIRONMENT, mapping or {}),
            ]
        return any(changes)

    def _sync(self, origin: RouteOrigin, wanted: Mapping[str, str]) -> bool:
        held = {route.pattern: route for route in self.filter(origin=origin)}
        stale = [route.pk for pattern, route in held.items() if pattern not in wanted]
        if stale:
            self.filter(pk__in=stale).delete()
        moved = [
            self.filter(pk=held[pattern].pk).update(target=target)
            for pattern, target in wanted.items()
            if pattern in held and held[pattern].target != target
        ]
        missing = [
            ModelRoute(origin=origin, pattern=pattern, target=target)
            for pattern, target in wanted.items()
            if pattern not in held
        ]
        self.bulk_create(missing)
        return bool(stale or moved or missing)


class ModelRoute(Watched):
    pattern = models.CharField(
        _("requested name"), max_length=200, help_text=_("A model name, or with * as a wildcard.")
    )
    scope = models.CharField(_("for"), max_length=16, choices=RouteScope, default=RouteScope.EVERYONE)
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, null=True, blank=True, related_name="routes", verbose_name=_("team")
    )
    member = models.ForeignKey(
        Member,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="routes",
        verbose_name=_("member"),
    )
    key = models.ForeignKey(
        ApiKey,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="routes",
        verbose_name=_("API key"),
    )
    priority = models.IntegerField(_("priority"), default=0, help_text=_("The higher one wins."))
    target = models.CharField(_("becomes"), max_length=200)
    fallbacks = models.JSONField(
        _("fallbacks"), default=list, blank=True, help_text=_("Taken in order when the model is not live.")
    )
    active = models.BooleanField(_("active"), default=True)
    note = models.TextField(_("note"), blank=True)
    origin = models.CharField(
        _("origin"), max_length=16, choices=RouteOrigin, default=RouteOrigin.CONSOLE, editable=False
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = models.Manager.from_queryset(ModelRouteQuerySet)()

    class Meta:
        verbose_name = _("model route")
        verbose_name_plural = _("model routes")
        ordering = ["pattern", "-priority", "id"]
        constraints = [
            models.CheckConstraint(
                condition=names_its_row("everyone"),
                name="route_scope_names_its_row",
                violation_error_message=_("Name exactly what the scope asks for: a team, a member or a key."),
            ),
            models.UniqueConstraint(
                fields=["origin", "pattern"],
                condition=~Q(origin="console"),
                name="route_pattern_once_per_origin",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pattern} → {self.target}"

    def clean(self) -> None:
        right = isinstance(self.fallbacks, list) and all(isinstance(name, str) and name for name in self.fallbacks)
        if not right:
            raise ValidationError({"fallbacks": _("Fallbacks are a list of model names.")})
