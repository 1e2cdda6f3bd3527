"""A GitHub account with Copilot: whose it is, whom it serves, its tokens and how it is.

A seat of kind `app` is an installation of a GitHub App: an organisation pays, and a private key takes the place of
somebody's sign-in.

States, from well to gone:

    active        may be used
    cooling       told to slow down, until `state_until`
    exhausted     out of credits, until `state_until` if that is known
    needs_login   GitHub no longer takes its token; somebody must sign in
    suspended     GitHub blocked the account
    disabled      switched off by a person

What the gateway learns from the upstream moves a seat down this list only: a late 429 never hides that an
account is suspended. `revive` alone leads back up. A state whose time is over counts as active without
being written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models.functions import Lower
from django.db.models.signals import m2m_changed
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.member import Member
from accounts.models.team import Team
from accounts.models.watched import Kept, KeptQuerySet, announce_links
from accounts.vault import EncryptedTextField

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.vault import Sealed


class SeatKind(models.TextChoices):
    EXCHANGED = "exchanged", _("exchanged token")
    DIRECT = "direct", _("direct token")
    APP = "app", _("organisation app (experimental)")


class Serves(models.TextChoices):
    OWNER = "owner", _("its owner")
    TEAM = "team", _("the team")


class SeatState(models.TextChoices):
    ACTIVE = "active", _("active")
    COOLING = "cooling", _("cooling down")
    EXHAUSTED = "exhausted", _("out of credits")
    NEEDS_LOGIN = "needs_login", _("needs login")
    SUSPENDED = "suspended", _("suspended")
    DISABLED = "disabled", _("disabled")


_RESTING = frozenset({SeatState.COOLING, SeatState.EXHAUSTED})


class Seat(Kept):
    quiet_fields: ClassVar[frozenset[str]] = frozenset(
        {
            "copilot_token",
            "copilot_expires_at",
            "copilot_renew_at",
            "api_base",
            "sku",
            "plan",
            "quota",
            "quota_seen_at",
            "quota_asked_at",
            "lease_owner",
            "lease_until",
            "last_used_at",
        }
    )

    owner = models.ForeignKey(
        Member,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="seats",
        verbose_name=_("owner"),
        help_text=_("Empty: the organisation."),
    )
    host = models.CharField(_("host"), max_length=253, default="github.com")
    login = models.CharField(_("login"), max_length=120)
    github_id = models.BigIntegerField(_("GitHub id"), null=True, blank=True, editable=False)
    label = models.CharField(_("label"), max_length=120, blank=True)
    kind = models.CharField(_("kind of token"), max_length=16, choices=SeatKind, default=SeatKind.EXCHANGED)
    serves = models.CharField(_("serves"), max_length=16, choices=Serves, default=Serves.OWNER)
    teams = models.ManyToManyField(
        Team,
        blank=True,
        related_name="seats",
        verbose_name=_("teams"),
        help_text=_("Of a seat that serves the team. Empty: everyone."),
    )

    github_token = EncryptedTextField(_("GitHub token"), null=True)
    app_id = models.CharField(_("client id of the app"), max_length=80, blank=True, editable=False)
    installation_id = models.BigIntegerField(_("installation id"), null=True, editable=False)
    private_key = EncryptedTextField(_("private key of the app"), null=True)
    copilot_token = EncryptedTextField(_("Copilot token"), null=True)
    copilot_expires_at = models.DateTimeField(_("Copilot token expires"), null=True, editable=False)
    copilot_renew_at = models.DateTimeField(_("Copilot token renewed"), null=True, editable=False)
    api_base = models.CharField(_("API address"), max_length=300, blank=True, editable=False)

    plan = models.CharField(_("plan"), max_length=80, blank=True, editable=False)
    sku = models.CharField(_("SKU"), max_length=120, blank=True, editable=False)
    quota = models.JSONField(_("quota"), default=dict, blank=True, editable=False)
    quota_seen_at = models.DateTimeField(_("quota seen"), null=True, editable=False)
    quota_asked_at = models.DateTimeField(_("account page asked"), null=True, editable=False)

    state = models.CharField(_("state"), max_length=16, choices=SeatState, default=SeatState.ACTIVE)
    state_until = models.DateTimeField(_("until"), null=True, blank=True)
    state_reason = models.TextField(_("reason"), blank=True)

    lease_owner = models.CharField(_("renewed by"), max_length=80, blank=True, editable=False)
    lease_until = models.DateTimeField(_("renewal lease until"), null=True, editable=False)
    created_at = models.DateTimeField(_("connected"), default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    objects = models.Manager.from_queryset(KeptQuerySet)()

    class Meta:
        verbose_name = _("seat")
        verbose_name_plural = _("seats")
        ordering = ["host", "login"]
        constraints = [
            models.UniqueConstraint("host", Lower("login"), name="seat_login_once_per_host"),
            models.UniqueConstraint(fields=["host", "github_id"], name="seat_account_once_per_host"),
            models.CheckConstraint(
                condition=models.Q(owner__isnull=False) | models.Q(serves=Serves.TEAM),
                name="seat_without_owner_serves_team",
            ),
        ]

    def __str__(self) -> str:
        return self.label or self.account

    @property
    def account(self) -> str:
        """The GitHub account in words: the login, with the host unless it is github.com."""
        return self.login if self.host == "github.com" else f"{self.login} ({self.host})"

    @property
    def sign_in(self) -> Sealed | None:
        """The secret the seat is connected with: the private key of an app, else somebody's token."""
        return self.private_key if self.kind == SeatKind.APP else self.github_token

    @property
    def usable(self) -> bool:
        """Whether requests may take this seat now."""
        return self.state == SeatState.ACTIVE or self.is_rested

    @property
    def is_rested(self) -> bool:
        """Whether a time of rest was set and is over."""
        return self.state in _RESTING and self.state_until is not None and self.state_until <= timezone.now()

    def cool(self, until: datetime, reason: str) -> bool:
        """Rest until a time the upstream named. As every verb: returns whether the state was taken."""
        return self._descend(SeatState.COOLING, reason, until)

    def exhaust(self, reason: str, until: datetime | None = None) -> bool:
        """Credits are gone, until the quota resets if it is known when."""
        return self._descend(SeatState.EXHAUSTED, reason, until)

    def require_login(self, reason: str) -> bool:
        return self._descend(SeatState.NEEDS_LOGIN, reason)

    def suspend(self, reason: str) -> bool:
        return self._descend(SeatState.SUSPENDED, reason)

    def disable(self, reason: str = "") -> bool:
        return self._descend(SeatState.DISABLED, reason)

    def revive(self) -> bool:
        """Back to active, from whatever state."""
        return self._enter(Seat.objects.exclude(state=SeatState.ACTIVE), SeatState.ACTIVE, "", None)

    def _descend(self, state: SeatState, reason: str, until: datetime | None = None) -> bool:
        order = list(SeatState)
        above = order[: order.index(state) + 1]
        return self._enter(Seat.objects.filter(state__in=above), state, reason, until)

    def _enter(self, eligible: models.QuerySet[Any], state: SeatState, reason: str, until: datetime | None) -> bool:
        taken = eligible.filter(pk=self.pk).update(state=state, state_reason=reason, state_until=until)
        self.refresh_from_db(fields=["state", "state_reason", "state_until"])
        return bool(taken)


@receiver(m2m_changed, sender=Seat.teams.through)
def _announce_served_teams(
    action: str, instance: models.Model, reverse: bool, model: type[models.Model], pk_set: set[int] | None, **_: object
) -> None:
    """Which teams a seat serves is a row of its own that `save` does not see."""
    announce_links("teams", action, instance, reverse, model, pk_set)
