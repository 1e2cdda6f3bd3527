"""How columns and buttons of the console are declared: titles, badges and their tones, what sorts them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.template.loader import render_to_string
from django.utils import formats, timezone
from unfold.decorators import action
from unfold.enums import ActionVariant

from accounts.models.usage_record import NANO_PER_CREDIT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from django.db.models import OrderBy
    from django.db.models.expressions import Combinable
    from django.utils.functional import _StrOrPromise
    from django.utils.safestring import SafeString

Method = TypeVar("Method", bound="Callable[..., Any]")

_SHOWN = Decimal("0.001")
NOTHING = "–"


class Tone(StrEnum):
    """The colours a badge can have."""

    GOOD = "success"
    NEWS = "info"
    CARE = "warning"
    BAD = "danger"
    PLAIN = ""


def column(title: _StrOrPromise, *, sorted_by: str | Combinable | OrderBy | None = None) -> Callable[[Method], Method]:
    """Declare a method of an admin class as a column."""
    return _declare(short_description=title, admin_order_field=sorted_by)


def badge(
    title: _StrOrPromise, tones: Mapping[Any, Tone], *, sorted_by: str | Combinable | None = None
) -> Callable[[Callable[[Any, Any], tuple[str, _StrOrPromise]]], Callable[[Any, Any], SafeString]]:
    """Declare a method that returns (key, text) as a badge, in lists and on pages; the key picks the tone."""

    def declared(method: Callable[[Any, Any], tuple[str, _StrOrPromise]]) -> Callable[[Any, Any], SafeString]:
        @wraps(method)
        def shown(admin: Any, row: Any) -> SafeString:
            key, text = method(admin, row)
            return render_to_string("unfold/helpers/label.html", {"text": text, "type": tones[key].value})

        return _declare(short_description=title, admin_order_field=sorted_by)(shown)

    return declared


def button(
    title: _StrOrPromise, *, icon: str, danger: bool = False, permission: str = "change"
) -> Callable[[Method], Method]:
    """Declare a method as an act on one row, shown on its page to those who may change it (or have `permission`)."""
    variant = ActionVariant.DANGER if danger else ActionVariant.DEFAULT
    declared = action(description=cast("str", title), permissions=[permission], icon=icon, variant=variant)
    return cast("Callable[[Method], Method]", declared)


def many(title: _StrOrPromise) -> Callable[[Method], Method]:
    """Declare a method as an act on the rows ticked in a list, offered to those who may change them."""
    return _declare(short_description=title, allowed_permissions=["change"])


def credits_text(nano: int | None) -> str:
    """Return nano-AIU as credits with three decimals; a cost too small for them is told from no cost."""
    if nano is None:
        return NOTHING
    shown = (Decimal(nano) / NANO_PER_CREDIT).quantize(_SHOWN, ROUND_HALF_UP)
    if nano > 0 and not shown:
        return f"< {formats.number_format(_SHOWN)}"
    return formats.number_format(shown, decimal_pos=3, use_l10n=True, force_grouping=True)


def moment(at: datetime) -> str:
    """Return a time to the second, in the reader's time zone, in a form that lines up in a column."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


def whole(number: int | None) -> str:
    """Return an integer as people read it."""
    return NOTHING if number is None else formats.number_format(number, use_l10n=True, force_grouping=True)


def _declare(**attributes: Any) -> Callable[[Method], Method]:
    def declared(method: Method) -> Method:
        for name, value in attributes.items():
            if value is not None:
                setattr(method, name, value)
        return method

    return declared
