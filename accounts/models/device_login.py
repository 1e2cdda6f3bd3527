"""One attempt to connect a GitHub account by its device flow; `accounts/signin.py` moves it on."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.member import Member
from accounts.models.seat import Seat, Serves
from accounts.vault import EncryptedTextField


class LoginState(models.TextChoices):
    PENDING = "pending", _("waiting for GitHub")
    CONNECTED = "connected", _("connected")
    DENIED = "denied", _("denied")
    EXPIRED = "expired", _("expired")
    FAILED = "failed", _("failed")
    REPLACED = "replaced", _("replaced by a newer attempt")


class LoginFault(models.TextChoices):
    """Why a login failed, or (unreachable, risk) why it is not done yet."""

    NO_ACCESS = "no_access", _("This GitHub account has no access to Copilot.")
    SUSPENDED = "suspended", _("GitHub suspended Copilot for this account.")
    NEEDS_LOGIN = "needs_login", _("GitHub does not accept this sign-in for Copilot.")
    FOREIGN = "foreign", _("This account is already connected by somebody else.")
    SWITCHED_OFF = "switched_off", _("This seat was switched off by an owner of the gateway.")
    UNREACHABLE = "unreachable", _("GitHub cannot be reached just now.")
    REFUSED = "refused", _("GitHub refused the sign-in.")
    RISK = "risk", _("Another seat serves the same people; whoever connects this one must confirm the risk.")


class DeviceLogin(models.Model):
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="device_logins", verbose_name=_("member"))
    host = models.CharField(_("host"), max_length=253, default="github.com")
    serves = models.CharField(_("serves"), max_length=16, choices=Serves, default=Serves.OWNER)
    label = models.CharField(_("label"), max_length=120, blank=True)
    risk_accepted = models.BooleanField(_("risk accepted"), default=False)
    device_code = EncryptedTextField(_("device code"), null=True)
    # Held only while the account behind it could not be looked at yet: GitHub gives a token once.
    granted_token = EncryptedTextField(_("granted token"), null=True)
    user_code = models.CharField(_("code"), max_length=32)
    verification_uri = models.CharField(_("page"), max_length=300)
    interval = models.PositiveIntegerField(_("seconds between questions"), default=5)
    expires_at = models.DateTimeField(_("expires"))
    next_poll_at = models.DateTimeField(_("next question"))
    state = models.CharField(_("state"), max_length=16, choices=LoginState, default=LoginState.PENDING)
    failure = models.CharField(_("failure"), max_length=16, choices=LoginFault, blank=True)
    detail = models.TextField(_("detail"), blank=True, help_text=_("What GitHub or the gateway said, in English."))
    seat = models.ForeignKey(
        Seat, on_delete=models.PROTECT, null=True, blank=True, related_name="logins", verbose_name=_("seat")
    )
    created_at = models.DateTimeField(_("started"), default=timezone.now)

    class Meta:
        verbose_name = _("device login")
        verbose_name_plural = _("device logins")
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["member", "state"], name="login_by_member_and_state")]

    def __str__(self) -> str:
        return f"{self.user_code} ({self.get_state_display()})"

    @property
    def is_pending(self) -> bool:
        return self.state == LoginState.PENDING

    @property
    def awaits_confirmation(self) -> bool:
        """Whether GitHub has approved it and the member must say whether a second seat is meant."""
        return self.is_pending and self.failure == LoginFault.RISK and not self.risk_accepted

    @property
    def is_connected(self) -> bool:
        return self.state == LoginState.CONNECTED
