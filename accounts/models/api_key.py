"""A key by which a member's programs call the gateway; only its digest is stored."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import PROTECT, CharField, DateTimeField, ForeignKey, JSONField, Manager, TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.member import Member
from accounts.models.watched import Kept, KeptQuerySet
from accounts.secrets import digest, hint, new_secret

if TYPE_CHECKING:
    from datetime import datetime, timedelta


class Door(TextChoices):
    """The doors a key can be limited to; token counting belongs to `messages`."""

    CHAT = "chat", _("Chat Completions")
    RESPONSES = "responses", _("Responses")
    MESSAGES = "messages", _("Messages")
    EMBEDDINGS = "embeddings", _("Embeddings")
    MODELS = "models", _("Model list")


class ApiKeyQuerySet(KeptQuerySet["ApiKey"]):
    def live(self, now: datetime | None = None) -> ApiKeyQuerySet:
        """Keys that open doors at `now`; their members may still be inactive."""
        at = now or timezone.now()
        return self.filter(revoked_at=None).exclude(expires_at__lte=at)

    def for_secret(self, text: str) -> ApiKey | None:
        """The key whose text this is, live or not."""
        return self.filter(digest=digest(text)).first()

    def issue(
        self,
        member: Member,
        name: str = "",
        *,
        expires_at: datetime | None = None,
        secret: str | None = None,
        **limits: Any,
    ) -> tuple[ApiKey, str]:
        """Make a key and return it with its text, which is not kept and cannot be shown again.

        `secret` is a text of the caller's choice; `limits` are `doors`, `models`, `addresses` and `replaces`.
        Raises ValidationError when a limit is malformed or the text is already a key.
        """
        text = new_secret() if secret is None else secret
        key = ApiKey(member=member, name=name, digest=digest(text), hint=hint(text), expires_at=expires_at, **limits)
        key.full_clean()
        key.save()
        return key, text


class ApiKey(Kept):
    quiet_fields: ClassVar[frozenset[str]] = frozenset({"last_used_at"})

    member = ForeignKey(Member, on_delete=PROTECT, related_name="keys", verbose_name=_("member"))
    name = CharField(_("name"), max_length=120, blank=True)
    digest = CharField(_("digest"), max_length=64, unique=True, editable=False)
    hint = CharField(_("key"), max_length=24, editable=False)
    created_at = DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = DateTimeField(_("revoked"), null=True, blank=True)
    doors = JSONField(_("doors"), default=list, blank=True, help_text=_("Empty: every door."))
    models = JSONField(
        _("models"), default=list, blank=True, help_text=_("Names with * as a wildcard. Empty: every model.")
    )
    addresses = JSONField(
        _("addresses"),
        default=list,
        blank=True,
        help_text=_("Networks such as 10.0.0.0/8. Empty: everywhere."),
    )
    last_used_at = DateTimeField(_("last used"), null=True, blank=True, editable=False)
    replaces = ForeignKey(
        "self",
        on_delete=PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="replacements",
        verbose_name=_("replaces"),
    )

    objects = Manager.from_queryset(ApiKeyQuerySet)()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint})" if self.name else self.hint

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())

    def clean(self) -> None:
        faults = {
            "doors": _faulty(self.doors, _is_door, _("%(value)s is no door; doors are %(known)s.")),
            "models": _faulty(self.models, _is_wildcard, _("%(value)s is not a model name or wildcard.")),
            "addresses": _faulty(self.addresses, _is_network, _("%(value)s is not a network address.")),
        }
        if any(faults.values()):
            raise ValidationError({name: fault for name, fault in faults.items() if fault})

    def revoke(self) -> None:
        """End the key at once; a second call changes nothing."""
        if self.revoked_at is None:
            self.revoked_at = timezone.now()
            self.save(update_fields=["revoked_at"])

    def rotate(self, overlap: timedelta) -> tuple[ApiKey, str]:
        """Issue a successor with the same limits and lifetime; this key ends after `overlap`.

        Raises ValidationError when this key no longer lives.
        """
        with transaction.atomic():
            held = ApiKey.objects.select_for_update().get(pk=self.pk)
            if not held.is_live:
                raise ValidationError(_("A key that has ended cannot be rotated; issue a new one."))
            now = timezone.now()
            successor, text = ApiKey.objects.issue(
                held.member,
                held.name,
                expires_at=now + (held.expires_at - held.created_at) if held.expires_at else None,
                doors=held.doors,
                models=held.models,
                addresses=held.addresses,
                replaces=held,
            )
            self._end_by(now + overlap, now)
        return successor, text

    def _end_by(self, end: datetime, now: datetime) -> None:
        if end <= now:
            self.revoke()
            return
        self.expires_at = min(end, self.expires_at) if self.expires_at else end
        self.save(update_fields=["expires_at"])


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
