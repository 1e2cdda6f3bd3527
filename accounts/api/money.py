"""Amounts in JSON: integer nano-AIU, and beside it the same in credits as decimal text.

1 credit = 1 000 000 000 nano-AIU = $0.01. JavaScript reads integers above 2⁵³ (about nine million credits) wrongly;
the text is exact everywhere. Whoever sends an amount gives either of the two, or both if they agree.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.amounts import credits_of
from accounts.models.usage_record import NANO_PER_CREDIT

LARGEST: Final = 2**63 - 1
# What Decimal multiplies without rounding.
_LONGEST: Final = 28
_AMOUNT: Final[dict[str, Any]] = {
    "type": "object",
    "description": (
        "1 credit = 1,000,000,000 nano-AIU = $0.01. `nano` is exact where integers have 64 bits; JavaScript reads "
        "those above 2^53 wrongly and takes `credits`."
    ),
    "properties": {
        "nano": {"type": "integer", "format": "int64", "example": 1_234_500_000},
        "credits": {"type": "string", "format": "decimal", "example": "1.2345"},
    },
}


def amount(nano: int | None) -> dict[str, int | str] | None:
    """Return an amount as it is written in JSON."""
    return None if nano is None else {"nano": nano, "credits": credits_of(nano)}


@extend_schema_field(_AMOUNT)
class Money(serializers.Field[int, Any, Any, Any]):
    """A column of nano-AIU; amounts are not negative."""

    default_error_messages = {
        "shape": _('An amount is {{"nano": integer}} or {{"credits": "decimal text"}}.'),
        "differ": _("The two figures of the amount differ."),
        "range": _("An amount is not negative, has at most nine decimals and fits 64 bits."),
    }

    def to_representation(self, value: int) -> Any:
        return amount(value)

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, dict) or not data or set(data) - {"nano", "credits"}:
            self.fail("shape")
        found = {self._nano(data["nano"]) for _ in (0,) if "nano" in data}
        found |= {self._of_credits(data["credits"]) for _ in (0,) if "credits" in data}
        if len(found) != 1:
            self.fail("differ")
        (nano,) = found
        if not 0 <= nano <= LARGEST:
            self.fail("range")
        return nano

    def _nano(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            self.fail("shape")
        return value

    def _of_credits(self, value: object) -> int:
        if not isinstance(value, str) or len(value) > _LONGEST:
            self.fail("shape")
        try:
            exact = Decimal(value) * NANO_PER_CREDIT
        except ArithmeticError:
            self.fail("shape")
        if not exact.is_finite() or abs(exact) > LARGEST or exact != int(exact):
            self.fail("range")
        return int(exact)
