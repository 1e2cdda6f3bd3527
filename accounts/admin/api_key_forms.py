"""Forms for API keys: issuing one, changing its limits, and how long a replaced one goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin.lists_in_forms import LinesField, TickedField
from accounts.models import ApiKey, Door

if TYPE_CHECKING:
    _Form = forms.ModelForm[ApiKey]
else:
    _Form = forms.ModelForm  # generic in the stubs only


class ApiKeyForm(_Form):
    doors = TickedField(label=_("doors"), choices=Door.choices, help_text=_("None ticked: every door."))
    models = LinesField(label=_("models"), help_text=_("Names with * as a wildcard. Empty: every model."))
    addresses = LinesField(label=_("addresses"), help_text=_("Networks such as 10.0.0.0/8. Empty: everywhere."))

    class Meta:
        model = ApiKey
        fields = ("member", "name", "expires_at", "doors", "models", "addresses")


class RotationForm(forms.Form):
    overlap = forms.TypedChoiceField(
        label=_("The old key goes on for"),
        choices=((0, _("no time: it ends now")), (1, _("an hour")), (24, _("a day")), (168, _("a week"))),
        coerce=int,
        initial=24,
        widget=UnfoldAdminSelectWidget(),
    )

    @property
    def overlap_time(self) -> timedelta:
        return timedelta(hours=self.cleaned_data["overlap"])
