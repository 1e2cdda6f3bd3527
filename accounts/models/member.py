"""A person who uses the gateway, and what this person may see of it.

The role decides Django's own flags: an owner is staff and superuser, an auditor is staff and may look at
everything in `accounts` but change nothing, a member sees the portal only.
"""

from __future__ import annotations

from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models.team import Team
from accounts.models.trail_entry import tell
from accounts.models.watched import Kept, KeptQuerySet
from accounts.sessions import end_sessions

_FLAGS = {"owner": (True, True), "auditor": (True, False), "member": (False, False)}


class Role(models.TextChoices):
    OWNER = "owner", _("owner")
    AUDITOR = "auditor", _("auditor")
    MEMBER = "member", _("member")


class Language(models.TextChoices):
    ENGLISH = "en", "English"
    CHINESE = "zh-hans", "简体中文"


def check_time_zone(name: str) -> None:
    """Refuse a name that the time zone database does not know."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
        raise ValidationError(_("%(name)s is not a known time zone."), params={"name": name}) from fault


class MemberManager(UserManager["Member"]):
    use_in_migrations = False

    def get_queryset(self) -> KeptQuerySet[Member]:
        return KeptQuerySet(self.model, using=self._db)

    def create_superuser(self, username: str, *args: Any, **fields: Any) -> Member:
        return super().create_superuser(username, *args, **{**fields, "role": Role.OWNER})


class Member(Kept, AbstractUser):
    quiet_fields: ClassVar[frozenset[str]] = frozenset({"last_login", "password", "must_change_password"})

    role = models.CharField(_("role"), max_length=16, choices=Role, default=Role.MEMBER)
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, null=True, blank=True, related_name="members", verbose_name=_("team")
    )
    language = models.CharField(
        _("language"), max_length=16, choices=Language, blank=True, help_text=_("Empty: as the browser asks.")
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        validators=[check_time_zone],
        help_text=_("Empty: the time zone of this installation."),
    )
    must_change_password = models.BooleanField(_("must change the password"), default=False)

    objects: ClassVar[MemberManager] = MemberManager()

    _password: str | None

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ["username"]

    def __str__(self) -> str:
        return self.username

    @property
    def is_owner(self) -> bool:
        return self.role == Role.OWNER

    @property
    def is_auditor(self) -> bool:
        return self.role == Role.AUDITOR

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        if self.is_active and self.is_auditor and perm.startswith("accounts.view_"):
            return True
        return super().has_perm(perm, obj)

    def has_module_perms(self, app_label: str) -> bool:
        if self.is_active and self.is_auditor and app_label == "accounts":
            return True
        return super().has_module_perms(app_label)

    def save(self, *args: Any, **options: Any) -> None:
        self.is_staff, self.is_superuser = _FLAGS[self.role]
        names = options.get("update_fields")
        if names is not None and "role" in names:
            options["update_fields"] = {*names, "is_staff", "is_superuser"}
        with transaction.atomic():
            # Set by `set_password`, not when Django only hashes the same one anew. Told first: the trail locks first.
            if self._password is not None and not self._state.adding:
                tell("member.password_set", self)
            super().save(*args, **options)
            if not self.is_active and (names is None or "is_active" in names):
                end_sessions(self.pk)

    def deactivate(self) -> None:
        """End every use of this account at once: its page sessions, all its keys and what they are running."""
        self.is_active = False
        self.save(update_fields=["is_active"])
