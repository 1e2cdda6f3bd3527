"""Leak arguments: the parameters of a leaked call, all of them text, as the JSON that its tool declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from bridge.json_text import mend_surrogates

_SCHEMA_DEPTH = 4
_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", dict: "object", list: "array", type(None): "null"}


def typed_arguments(schema: dict[str, Any], values: Mapping[str, str]) -> str:
    """The parameters as a JSON object, each of the type that the tool declares."""
    properties = schema.get("properties")
    declared = properties if isinstance(properties, dict) else {}
    arguments = {name: _argument(value, _types(declared.get(name), schema)) for name, value in values.items()}
    return msgspec.json.encode(arguments).decode()


def _argument(value: str, types: set[str]) -> str | msgspec.Raw:
    """`value` as the JSON it is if its type is declared and cannot be text, with its numbers as they are written."""
    if not types or "string" in types:
        return value
    text = mend_surrogates(value.strip().encode())
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return value
    return msgspec.Raw(text)


def _types(schema: Any, root: dict[str, Any], depth: int = _SCHEMA_DEPTH) -> set[str]:
    """The JSON types that `schema` names; none when it names none."""
    if not isinstance(schema, dict) or not depth:
        return set()
    named = schema.get("type")
    if named is not None:
        return {each for each in (named if isinstance(named, list) else [named]) if isinstance(each, str)}
    if isinstance(reference := schema.get("$ref"), str):
        place, _, name = reference.removeprefix("#/").partition("/")
        definitions = root.get(place)
        return _types(definitions.get(name), root, depth - 1) if isinstance(definitions, dict) else set()
    values = schema["enum"] if isinstance(schema.get("enum"), list) else [schema["const"]] if "const" in schema else []
    types = {_JSON_TYPES.get(type(value), "string") for value in values}
    for word in ("anyOf", "oneOf", "allOf"):
        branches = schema.get(word)
        for branch in branches if isinstance(branches, list) else ():
            types |= _types(branch, root, depth - 1)
    return types
