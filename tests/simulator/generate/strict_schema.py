"""What a schema must be for strict mode: every object closed, every property required."""

from __future__ import annotations

from typing import Any

from tests.simulator import errors


def check_strict(schema: dict[str, Any], owner: str, param: str) -> None:
    """Refuse a schema that strict mode cannot follow; `owner` says in words whose schema it is."""
    _check(schema, (), owner, param)


def _check(schema: Any, context: tuple[str, ...], owner: str, param: str) -> None:
    if not isinstance(schema, dict):
        return
    properties = schema.get("properties")
    if schema.get("type") == "object" or properties is not None:
        if schema.get("additionalProperties") is not False:
            raise _refusal(owner, context, "'additionalProperties' is required to be supplied and to be false.", param)
        missing = [name for name in properties or {} if name not in (schema.get("required") or ())]
        if missing:
            reason = "'required' is required to be supplied and to be an array including every key in properties."
            raise _refusal(owner, context, f"{reason} Missing '{missing[0]}'.", param)
    for name, inner in (properties or {}).items():
        _check(inner, (*context, "properties", name), owner, param)
    _check(schema.get("items"), (*context, "items"), owner, param)
    for name, inner in (schema.get("$defs") or {}).items():
        _check(inner, (*context, "$defs", name), owner, param)
    for number, inner in enumerate(schema.get("anyOf") or ()):
        _check(inner, (*context, "anyOf", str(number)), owner, param)


def _refusal(owner: str, context: tuple[str, ...], reason: str, param: str) -> Exception:
    message = f"Invalid schema for {owner}: In context={context!r}, {reason}"
    return errors.capi(400, "invalid_json_schema", message, param=param)
