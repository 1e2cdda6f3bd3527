"""The form that starts the connection of a GitHub account: where it is, whom it serves, and the risk accepted."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Member, Seat, Serves
from accounts.seats import known_host
from accounts.serving import risk_warning, serving_the_same
from bridge.copilot.origins import GITHUB
from bridge.errors import BadRequest


class ConnectForm(forms.Form):
    """Bound to a member: sharing a seat with the team is an owner's decision, offered to owners only."""

    site = forms.ChoiceField(choices=[("github", "github.com"), ("tenant", _("Enterprise"))], initial="github")
    tenant = forms.CharField(label=_("Your enterprise's GitHub host"), max_length=253, required=False, strip=True)
    serves = forms.ChoiceField(choices=Serves.choices, initial=Serves.OWNER)
    risk_accepted = forms.BooleanField(required=False)

    def __init__(self, member: Member, data: Any = None) -> None:
        super().__init__(data, initial={"site": "github", "serves": Serves.OWNER})
        self.may_share = member.is_owner
        self.own_seats = serving_the_same(member, Serves.OWNER)
        self.team_seats = serving_the_same(member, Serves.TEAM) if self.may_share else []
        self.fields["tenant"].widget.attrs |= {
            "placeholder": "TENANT.ghe.com",
            "autocapitalize": "none",
            "autocomplete": "off",
            "spellcheck": "false",
        }

    @property
    def team_warning(self) -> str:
        """Why a second seat for the team is a risk; empty while there is none."""
        return risk_warning(self.team_seats)

    @property
    def own_accounts(self) -> str:
        """The accounts connected for this member alone, in words; empty if there are none."""
        return ", ".join(seat.account for seat in self.own_seats)

    def clean_serves(self) -> str:
        serves: str = self.cleaned_data["serves"]
        if serves == Serves.TEAM and not self.may_share:
            raise forms.ValidationError(_("Only an owner of this gateway can share an account with the team."))
        return serves

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("site") == "tenant":
            self._check_tenant(cleaned.get("tenant", ""))
        if cleaned.get("serves") == Serves.TEAM and self.team_warning and not cleaned.get("risk_accepted"):
            self.add_error("risk_accepted", _("Confirm that you know the risk."))
        return cleaned

    @property
    def accepts_risk(self) -> bool:
        """Whether a valid form confirms the warning it showed, which is that of a seat for the team."""
        return bool(self.cleaned_data["risk_accepted"]) and self.cleaned_data["serves"] == Serves.TEAM

    @property
    def host(self) -> str:
        """The chosen GitHub host of a valid form."""
        if self.cleaned_data["site"] == "github":
            return GITHUB
        return known_host(self.cleaned_data["tenant"])

    def _check_tenant(self, text: str) -> None:
        try:
            known_host(text)
        except BadRequest:
            self.add_error("tenant", _("Write the host as TENANT.ghe.com, without a port or a path."))


def seats_of(member: Member) -> list[Seat]:
    """Return the seats that belong to a member, whomever they serve."""
    return list(Seat.objects.filter(owner=member))
