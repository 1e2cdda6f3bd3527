"""Forms for a member's own keys: issuing one within what the team may do, and replacing one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, Door, Member

if TYPE_CHECKING:
    _Form = forms.ModelForm[ApiKey]
else:
    _Form = forms.ModelForm  # generic in the stubs only

_LONGEST_DAYS = 3650
_OVERLAPS = {"now": timedelta(0), "day": timedelta(days=1), "week": timedelta(days=7)}


class WordsField(forms.CharField):
    """A list of words with commas or spaces between."""

    def to_python(self, value: Any) -> Any:
        return str(value or "").replace(",", " ").split()

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value


class IssueForm(_Form):
    """Bound to a member; what the team may not do, the key's own rules refuse beside the field."""

    days = forms.IntegerField(
        label=_("Days until it ends"),
        required=False,
        validators=[MinValueValidator(1), MaxValueValidator(_LONGEST_DAYS)],
        help_text=_("Empty: it does not end by itself."),
    )
    doors = forms.MultipleChoiceField(
        label=_("Doors"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: every one of them."),
    )
    models = WordsField(
        label=_("Models"), required=False, help_text=_("With commas between; * is a wildcard. Empty: every model.")
    )
    addresses = WordsField(
        label=_("Addresses"), required=False, help_text=_("Networks such as 10.0.0.0/8. Empty: everywhere.")
    )

    class Meta:
        model = ApiKey
        fields = ("name", *ApiKey.limit_fields)

    def __init__(self, member: Member, data: Any = None) -> None:
        super().__init__(data, instance=ApiKey(member=member))
        # What a key may manage is a matter for those who manage.
        manages = member.is_owner or member.is_auditor
        doors: Any = self.fields["doors"]
        doors.choices = [choice for choice in Door.choices if manages or choice[0] != Door.MANAGEMENT]
        for name in ("name", *ApiKey.number_fields):
            self.fields[name].label = capfirst(str(self.fields[name].label))

    def issue(self) -> tuple[ApiKey, str]:
        """Issue the key that a valid form describes; returns it with its text."""
        days = self.cleaned_data["days"]
        limits = {name: self.cleaned_data[name] for name in ApiKey.limit_fields}
        return ApiKey.objects.issue(
            self.instance.member,
            self.cleaned_data["name"],
            expires_at=timezone.now() + timedelta(days=days) if days else None,
            **limits,
        )


class RotateForm(forms.Form):
    overlap = forms.ChoiceField(choices=[(name, name) for name in _OVERLAPS])

    @property
    def overlap_time(self) -> timedelta:
        return _OVERLAPS[self.cleaned_data["overlap"]]
