"""The form of a correction: the columns of a request that may be corrected as they stand, and why they shall change."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.corrections import CORRECTABLE, LONGEST_REASON, proposed
from accounts.models import UsageRecord, UsageStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Field

REASON = "reason"
STAMP = "as_it_was"


class CorrectionForm(forms.Form):
    """`proposed` is what would change. A row that changed since the form was shown is shown anew, not overwritten."""

    def __init__(self, record: UsageRecord, data: Any = None) -> None:
        super().__init__(data)
        self._record = record
        self.proposed: dict[str, Any] = {}
        for name in CORRECTABLE:
            self.fields[name] = _field(record, name)
        self.fields[REASON] = forms.CharField(
            label=_("Reason"),
            max_length=LONGEST_REASON,
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
            help_text=_("Kept for good, beside the old and the new value."),
        )
        self.fields[STAMP] = forms.CharField(widget=forms.HiddenInput, initial=_stamp(record))

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if self.errors:
            return values
        if values[STAMP] != _stamp(self._record):
            raise ValidationError(_("This request changed since the page was read. Look at it again."))
        touched = {name: values[name] for name in CORRECTABLE if name in self.changed_data}
        self.proposed = proposed(self._record, touched)
        return values

    def lines(self) -> Iterator[tuple[str, str, str]]:
        """Yield title, old and new text of each column that would change."""
        for name, value in self.proposed.items():
            yield column_title(name), _text(getattr(self._record, name)), _text(value)


def column_title(name: str) -> str:
    """Return a column's name in the reader's language."""
    return capfirst(str(cast("Field[Any, Any]", UsageRecord._meta.get_field(name)).verbose_name))


def _field(record: UsageRecord, name: str) -> forms.Field:
    column: Any = UsageRecord._meta.get_field(name)
    options: dict[str, Any] = {
        "label": column_title(name),
        "required": not (column.blank or column.null),
        "initial": getattr(record, name),
    }
    if column.choices:
        choices = [choice for choice in column.get_choices(include_blank=column.blank) if choice[0] != UsageStatus.OPEN]
        return forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget(), **options)
    if column.get_internal_type() in {"BigIntegerField", "PositiveSmallIntegerField"}:
        return forms.IntegerField(widget=UnfoldAdminIntegerFieldWidget(), **options)
    return forms.CharField(widget=UnfoldAdminTextInputWidget(), **options)


def _stamp(record: UsageRecord) -> str:
    """What the form was filled with, so that two people do not correct the same row without knowing of each other."""
    held = "|".join(_text(getattr(record, name)) for name in CORRECTABLE)
    return hashlib.sha256(held.encode()).hexdigest()


def _text(value: Any) -> str:
    return "" if value is None else str(value)
