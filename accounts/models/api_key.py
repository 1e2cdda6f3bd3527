"""A key by which a member's programs call the gateway; only its digest is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import PROTECT, CharField, DateTimeField, ForeignKey, Manager
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.limited import Door, Limited
from accounts.models.member import Member
from accounts.models.watched import Kept, KeptQuerySet
from accounts.models.wildcard import fits
from accounts.secrets import digest, hint, new_secret

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from accounts.models.team import Team


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

        `secret` is a text of the caller's choice; `limits` are `limit_fields` and `replaces`.
        Raises ValidationError when a limit is malformed or wider than the team's, or the text is already a key.
        """
        text = new_secret() if secret is None else secret
        key = ApiKey(member=member, name=name, digest=digest(text), hint=hint(text), expires_at=expires_at, **limits)
        key.full_clean()
        key.save()
        return key, text


class ApiKey(Limited, Kept):
    quiet_fields: ClassVar[frozenset[str]] = frozenset({"last_used_at"})

    member = ForeignKey(Member, on_delete=PROTECT, related_name="keys", verbose_name=_("member"))
    name = CharField(_("name"), max_length=120, blank=True)
    digest = CharField(_("digest"), max_length=64, unique=True, editable=False)
    hint = CharField(_("key"), max_length=24, editable=False)
    created_at = DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = DateTimeField(_("revoked"), null=True, blank=True)
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
        """A key is issued with no more than its team may do; what a team forbids later, it forbids at use."""
        super().clean()
        team = self.member.team if self.member_id is not None else None
        if team is None or not team.active or self._takes_over_all:
            return
        faults = {**_beyond_lists(self, team), **_beyond_numbers(self, team)}
        if faults:
            raise ValidationError(faults)

    @property
    def _takes_over_all(self) -> bool:
        """Whether the key has the limits of the one it replaces, which may be older than those of the team."""
        former = self.replaces
        return former is not None and all(getattr(self, name) == getattr(former, name) for name in self.limit_fields)

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
                replaces=held,
                **{name: getattr(held, name) for name in ApiKey.limit_fields},
            )
            self._end_by(now + overlap, now)
        return successor, text

    def _end_by(self, end: datetime, now: datetime) -> None:
        if end <= now:
            self.revoke()
            return
        self.expires_at = min(end, self.expires_at) if self.expires_at else end
        self.save(update_fields=["expires_at"])


def _beyond_lists(key: ApiKey, team: Team) -> dict[str, ValidationError]:
    """What the key's lists name and the team's do not. The management API is no door of a team's."""
    named = {
        "doors": [door for door in key.doors if team.doors and door not in {*team.doors, Door.MANAGEMENT}],
        # A wildcard lies within another when that one fits it letter by letter.
        "models": [name for name in key.models if team.models and not any(fits(p, name) for p in team.models)],
    }
    text = _("The team %(team)s may not use: %(values)s.")
    return {
        name: ValidationError(text, params={"team": team, "values": ", ".join(values)})
        for name, values in named.items()
        if values
    }


def _beyond_numbers(key: ApiKey, team: Team) -> dict[str, ValidationError]:
    """Numbers of the key that are larger than the team's and so would promise what does not hold."""
    text = _("The team %(team)s has a limit of %(limit)d; enter that or less.")
    numbers = {name: (getattr(key, name), getattr(team, name)) for name in key.number_fields}
    return {
        name: ValidationError(text, params={"team": team, "limit": limit})
        for name, (wanted, limit) in numbers.items()
        if wanted is not None and limit is not None and wanted > limit
    }
