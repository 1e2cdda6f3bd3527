"""How the limits of keys and teams are entered and shown: what they may use, and how much of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.admin.columns import NOTHING, whole
from accounts.admin.lists_in_forms import LinesField, TickedField
from accounts.models import Door, Limited

if TYPE_CHECKING:
    _Form = forms.ModelForm[Any]
else:
    _Form = forms.ModelForm  # generic in the stubs only

LIMIT_FIELDSETS: tuple[Any, ...] = (
    (_("What it may use"), {"fields": Limited.list_fields}),
    (_("How much of it"), {"fields": (Limited.number_fields,)}),
)


class LimitsForm(_Form):
    """`door_choices` are the doors that make sense for the kind of row."""

    door_choices: ClassVar[Any] = Door.choices

    doors = TickedField(
        label=_("doors"), choices=Door.choices, help_text=_("None ticked: every door but the management API.")
    )
    models = LinesField(label=_("models"), help_text=_("Names with * as a wildcard. Empty: every model."))
    addresses = LinesField(label=_("addresses"), help_text=_("Networks such as 10.0.0.0/8. Empty: everywhere."))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "doors" in self.fields:  # a page that only shows has none
            field: Any = self.fields["doors"]
            field.choices = self.door_choices


def limits_text(row: Limited) -> str:
    """Return the numbers of a key or a team in a line; a dash when it has none."""
    told = (
        (row.requests_per_minute, _now("%(number)s requests/min")),
        (row.tokens_per_minute, _now("%(number)s tokens/min")),
        (row.concurrent_requests, _now("%(number)s at once")),
    )
    return " · ".join(text % {"number": whole(number)} for number, text in told if number is not None) or NOTHING
