"""The form of a seat: its label and whom it serves, with the risk of a second seat for the same people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldBooleanWidget

from accounts.models import Seat, SeatState, Serves
from accounts.serving import risk_warning, serving_the_same

if TYPE_CHECKING:
    _Form = forms.ModelForm[Seat]
else:
    _Form = forms.ModelForm  # generic in the stubs only


class SeatForm(_Form):
    """Whom the seat serves is saved at once, unless another seat serves them: then GitHub's warning is confirmed first.

    The box to confirm it appears with the warning.
    """

    risk_accepted = forms.BooleanField(
        label=_("I have read the warning and want this seat to serve the same people"),
        required=False,
        widget=forms.HiddenInput(),
    )

    class Meta:
        model = Seat
        fields = ("label", "serves", "teams")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        serves, teams = cleaned.get("serves", self.instance.serves), list(cleaned.get("teams") or ())
        if serves == Serves.OWNER and self.instance.owner is None:
            self.add_error("serves", _("This seat has no owner; it serves the team."))
        if serves == Serves.OWNER and teams:
            self.add_error("teams", _("A seat that serves its owner serves no teams."))
        if {"serves", "teams"} & set(self.changed_data) and self.instance.state != SeatState.DISABLED:
            self._weigh(serves, teams, is_accepted=bool(cleaned.get("risk_accepted")))
        return cleaned

    def _weigh(self, serves: str, teams: list[Any], *, is_accepted: bool) -> None:
        warning = risk_warning(serving_the_same(self.instance.owner, serves, teams, besides=self.instance.pk))
        if not warning:
            return
        self.fields["risk_accepted"].widget = UnfoldBooleanWidget()
        if not is_accepted:
            self.add_error("risk_accepted", ValidationError(warning))
