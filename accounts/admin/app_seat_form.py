"""The form that adds an organisation's GitHub App as a seat. The private key goes in and never comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from accounts.app_seats import AppWish
from accounts.models import Serves
from accounts.serving import risk_warning, serving_the_same

if TYPE_CHECKING:
    from django.http import QueryDict

_LONGEST_KEY = 16_384


class UnshownTextarea(UnfoldAdminTextareaWidget):
    """A text that is sent and never rendered, not even in a form that comes back with a fault."""

    def format_value(self, value: Any) -> str:
        return ""


class AppSeatForm(forms.Form):
    client_id = forms.CharField(
        label=_("Client id of the app"), max_length=80, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
    )
    installation = forms.IntegerField(
        label=_("Id of the installation"),
        min_value=1,
        max_value=2**63 - 1,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=_("The number at the end of the address of the installation's page at GitHub."),
    )
    private_key = forms.CharField(
        label=_("Private key of the app"),
        max_length=_LONGEST_KEY,
        widget=UnshownTextarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("The whole .pem file. It is stored encrypted and never shown again."),
    )
    host = forms.CharField(
        label=_("GitHub host"), max_length=253, initial="github.com", widget=UnfoldAdminTextInputWidget()
    )
    label = forms.CharField(label=_("Label"), max_length=120, required=False, widget=UnfoldAdminTextInputWidget())
    risk_accepted = forms.BooleanField(
        label=_("I have read the warning and want this seat to serve the same people"),
        required=False,
        widget=UnfoldBooleanWidget(),
    )

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.warning = risk_warning(serving_the_same(None, Serves.TEAM))
        if not self.warning:
            del self.fields["risk_accepted"]

    @property
    def wish(self) -> AppWish:
        given = self.cleaned_data
        return AppWish(
            client_id=given["client_id"],
            installation=given["installation"],
            private_key=given["private_key"],
            host=given["host"],
            label=given["label"],
            risk_accepted=given.get("risk_accepted", False),
        )
