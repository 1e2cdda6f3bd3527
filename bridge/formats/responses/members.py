"""Members of a parsed request, by the type they must have."""

from __future__ import annotations

from typing import Any

from bridge.errors import BadRequest

_WORDS: dict[type, str] = {
    str: "a string",
    int: "a whole number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}


def text(value: dict[str, Any], name: str, param: str) -> str:
    """A text member; empty when absent or null. Raises BadRequest: of another type."""
    found = value.get(name)
    if found is None:
        return ""
    return found if isinstance(found, str) else _refuse(name, param, str)


def listed(value: dict[str, Any], name: str, param: str) -> list[Any]:
    """A list member; empty when absent or null. Raises BadRequest: of another type."""
    found = value.get(name)
    if found is None:
        return []
    return found if isinstance(found, list) else _refuse(name, param, list)


def objects(value: dict[str, Any], name: str, param: str) -> list[dict[str, Any]]:
    """A list of objects; empty when absent or null. Raises BadRequest: of another type."""
    found = listed(value, name, param)
    return [each if isinstance(each, dict) else _refuse(name, param, dict) for each in found]


def mapping(value: dict[str, Any], name: str, param: str) -> dict[str, Any] | None:
    """An object member; None when absent or null. Raises BadRequest: of another type."""
    found = value.get(name)
    return found if found is None or isinstance(found, dict) else _refuse(name, param, dict)


def flag(value: dict[str, Any], name: str, param: str) -> bool | None:
    """A boolean member; None when absent or null. Raises BadRequest: of another type."""
    found = value.get(name)
    return found if found is None or isinstance(found, bool) else _refuse(name, param, bool)


def number(value: dict[str, Any], name: str, param: str) -> int | None:
    """A whole number; None when absent or null. Raises BadRequest: of another type."""
    found = value.get(name)
    is_number = isinstance(found, int) and not isinstance(found, bool)
    return found if found is None or is_number else _refuse(name, param, int)


def _refuse(name: str, param: str, kind: type) -> Any:
    place = f"{param}.{name}" if param else name
    raise BadRequest("'%(name)s' must be %(wanted)s.", {"name": place, "wanted": _WORDS[kind]}, param=place)
