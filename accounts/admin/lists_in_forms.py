"""Form fields for columns that hold lists: one entry a line, or boxes to tick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


class LinesField(forms.CharField):
    """A list of words, written one a line or with commas between."""

    def __init__(self, *, label: _StrOrPromise, help_text: _StrOrPromise = "", **options: Any) -> None:
        hint = _("One a line.")
        super().__init__(
            label=capfirst(label),
            help_text=format_lazy("{} {}", hint, help_text) if help_text else hint,
            required=False,
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
            **options,
        )

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(str(entry) for entry in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return str(value or "").replace(",", "\n").split()

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


class TickedField(forms.MultipleChoiceField):
    """A list of known words, none of them ticked meaning all."""

    def __init__(self, *, label: _StrOrPromise, choices: Any, help_text: _StrOrPromise = "") -> None:
        super().__init__(
            label=capfirst(label),
            choices=choices,
            help_text=help_text,
            required=False,
            widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        )
