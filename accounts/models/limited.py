"""What a key or a team may do: doors, models, addresses, and how much in a minute or at once; empty admits all."""

from __future__ import annotations

import ipaddress
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import JSONField, PositiveIntegerField, TextChoices
from django.utils.translation import gettext_lazy as _


class Door(TextChoices):
    """The doors a key can be limited to; token counting belongs to `messages`.

    The management API is no door of the LLM API: a key opens it only when the key names it.
    """

    CHAT = "chat", _("Chat Completions")
    RESPONSES = "responses", _("Responses")
    MESSAGES = "messages", _("Messages")
    EMBEDDINGS = "embeddings", _("Embeddings")
    MODELS = "models", _("Model list")
    MANAGEMENT = "management", _("Management API")


class Limited(models.Model):
    """Fields of a row that limits what its callers may do; limits of a key and of its team hold together."""

    list_fields: ClassVar[tuple[str, ...]] = ("doors", "models", "addresses")
    number_fields: ClassVar[tuple[str, ...]] = ("requests_per_minute", "tokens_per_minute", "concurrent_requests")
    limit_fields: ClassVar[tuple[str, ...]] = (*list_fields, *number_fields)

    doors = JSONField(_("doors"), default=list, blank=True, help_text=_("Empty: every door but the management API."))
    models = JSONField(
        _("models"), default=list, blank=True, help_text=_("Names with * as a wildcard. Empty: every model.")
    )
    addresses = JSONField(
        _("addresses"), default=list, blank=True, help_text=_("Networks such as 10.0.0.0/8. Empty: everywhere.")
    )
    requests_per_minute = PositiveIntegerField(
        _("requests per minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: no limit."),
    )
    tokens_per_minute = PositiveIntegerField(
        _("tokens per minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Input and output together. Empty: no limit."),
    )
    concurrent_requests = PositiveIntegerField(
        _("requests at once"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: no limit."),
    )

    class Meta:
        abstract = True

    def clean(self) -> None:
        super().clean()
        faults = {
            "doors": _faulty(self.doors, _is_door, _("%(value)s is no door; doors are %(known)s.")),
            "models": _faulty(self.models, _is_wildcard, _("%(value)s is not a model name or wildcard.")),
            "addresses": _faulty(self.addresses, _is_network, _("%(value)s is not a network address.")),
        }
        if any(faults.values()):
            raise ValidationError({name: fault for name, fault in faults.items() if fault})


def _faulty(values: Any, is_right: Any, text: Any) -> list[ValidationError]:
    if not isinstance(values, list):
        return [ValidationError(_("A list is needed."))]
    known = ", ".join(Door.values)
    return [ValidationError(text, params={"value": value, "known": known}) for value in values if not is_right(value)]


def _is_door(value: object) -> bool:
    return value in Door.values


def _is_wildcard(value: object) -> bool:
    return isinstance(value, str) and bool(value) and not any(character.isspace() for character in value)


def _is_network(value: object) -> bool:
    try:
        ipaddress.ip_network(value, strict=False) if isinstance(value, str) else ipaddress.ip_network("")
    except ValueError:
        return False
    return True
