"""Forms for API keys: issuing one, changing its limits, and how long a replaced one goes on."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin.limits import LimitsForm
from accounts.models import ApiKey, Member


class ApiKeyForm(LimitsForm):
    class Meta:
        model = ApiKey
        fields = ("member", "name", "expires_at", *ApiKey.limit_fields)

    def clean_member(self) -> Member:
        member: Member = self.cleaned_data["member"]
        if not member.is_active:
            raise forms.ValidationError(
                _("%(member)s is deactivated; a key would open nothing."), params={"member": member}
            )
        return member


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
