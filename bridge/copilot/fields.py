"""Typed look-ups in JSON that somebody else wrote: a field of the wrong type counts as absent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

EMPTY: Mapping[str, object] = MappingProxyType({})


def record(value: object) -> Mapping[str, object]:
    """Return `value` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else EMPTY


def entries(value: object) -> list[object]:
    """Return `value` if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def text(source: Mapping[str, object], name: str, default: str = "") -> str:
    value = source.get(name)
    return value if isinstance(value, str) else default


def number(source: Mapping[str, object], name: str) -> float | None:
    """Return a finite number, also one written as a string; true and false are no numbers."""
    value = source.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def whole(source: Mapping[str, object], name: str) -> int | None:
    """Return an integer; 39000000.0 is one, 0.5 is not."""
    value = source.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None


def flag(source: Mapping[str, object], name: str, *, default: bool = False) -> bool:
    value = source.get(name)
    return value if isinstance(value, bool) else default


def texts(value: object) -> tuple[str, ...]:
    """Return the strings of a JSON array, in order."""
    return tuple(item for item in entries(value) if isinstance(item, str))
