"""Tool schemas: what a caller declared, as the object schema that every upstream takes.

Arguments of a call are a JSON object in every dialect, and the upstreams refuse any other root, a union or a reference
at the root included. Quirk schema-root.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.errors import BadRequest

PLACEHOLDER = "No description."

_BRANCHES = ("allOf", "anyOf", "oneOf")
# What may not stand at the root, or is worked out anew there.
_REPLACED = frozenset({*_BRANCHES, "$ref", "not", "enum", "const", "type", "properties", "required"})
_OBJECT_WORDS = frozenset({"properties", "required", "additionalProperties", "patternProperties", "$ref", *_BRANCHES})
_VALUE_WORDS = frozenset({"enum", "const", "items", "pattern", "minimum", "maximum"})
# A schema that refers to itself, or whose unions never end, is followed no further than this.
_DEPTH = 4
_BRANCH_LIMIT = 200
_DESCRIBED_DEPTH = 60
# Under these words stand values, in which a "description" is data, or names, which may be any word.
_DATA = frozenset({"default", "enum", "const", "example", "examples"})
_NAMED_SCHEMAS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})


def object_schema(schema: dict[str, Any] | None) -> dict[str, Any]:
    """The same schema if its root is a plain object, else the nearest one that is.

    Unions and references at the root become one object that has all their properties; any other value becomes the
    property `value` of an object. Raises BadRequest for bottomless unions.
    """
    if not schema:
        return {"type": "object", "properties": {}}
    if not _describes_object(schema):
        return {"type": "object", "properties": {"value": schema}, "required": ["value"]}
    is_flat = not (schema.keys() & (_REPLACED - {"type", "properties", "required"}))
    if is_flat and schema.get("type") == "object" and isinstance(schema.get("properties"), dict):
        return schema
    try:
        return _flattened(schema)
    except RecursionError as error:
        # Nested just so far that it could be read, but not compared.
        raise BadRequest("The schema of a tool is nested too deeply. Send a flatter one.", param="tools") from error


def describe_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema with a placeholder for every empty description in it. Quirk empty-description."""
    return _described(schema, _DESCRIBED_DEPTH)


def _described(schema: dict[str, Any], depth: int) -> dict[str, Any]:
    return schema if depth == 0 else {word: _value(word, value, depth) for word, value in schema.items()}


def _value(word: str, value: Any, depth: int) -> Any:
    if word == "description" and value == "":
        return PLACEHOLDER
    if word in _DATA:
        return value
    if word in _NAMED_SCHEMAS and isinstance(value, dict):
        return {name: _inner(each, depth) for name, each in value.items()}
    return [_inner(each, depth) for each in value] if isinstance(value, list) else _inner(value, depth)


def _inner(value: Any, depth: int) -> Any:
    return _described(value, depth - 1) if isinstance(value, dict) else value


def _describes_object(schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    if kind is None:
        return bool(schema.keys() & _OBJECT_WORDS) or not schema.keys() & _VALUE_WORDS
    return kind == "object" or (isinstance(kind, list) and "object" in kind)


def _flattened(schema: dict[str, Any]) -> dict[str, Any]:
    root = _resolved(schema, schema)
    properties, required = _Members(schema).of(root)
    flat = {word: value for word, value in root.items() if word not in _REPLACED}
    for definitions in ("$defs", "definitions"):
        if definitions in schema:
            flat[definitions] = schema[definitions]
    if properties.keys() != _properties(root).keys():
        # What was closed for one branch would shut the others out.
        flat.pop("additionalProperties", None)
        flat.pop("unevaluatedProperties", None)
    flat |= {"type": "object", "properties": properties}
    known = [name for name in required if name in properties]
    return flat | {"required": known} if known else flat


class _Members:
    """Gathers what the branches of one schema hold; references are looked up in `root`."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._left = _BRANCH_LIMIT

    def of(self, schema: dict[str, Any], depth: int = 0) -> tuple[dict[str, Any], list[str]]:
        """The properties of `schema` and of its branches, and the names that are needed in any case."""
        schema = _resolved(schema, self._root)
        found: dict[str, list[Any]] = {name: [value] for name, value in _properties(schema).items()}
        required = dict.fromkeys(_names(schema.get("required")))
        for word in _BRANCHES if depth < _DEPTH else ():
            branches = [self.of(branch, depth + 1) for branch in self._some(schema.get(word))]
            for properties, _ in branches:
                for name, value in properties.items():
                    found.setdefault(name, []).append(value)
            needed = [set(names) for _, names in branches]
            if needed:
                shared = set.union(*needed) if word == "allOf" else set.intersection(*needed)
                required |= dict.fromkeys(sorted(shared))
        return {name: _either(values) for name, values in found.items()}, list(required)

    def _some(self, branches: Any) -> Iterator[dict[str, Any]]:
        for branch in branches if isinstance(branches, list) else ():
            if isinstance(branch, dict) and self._left > 0:
                self._left -= 1
                yield branch


def _either(values: list[Any]) -> Any:
    distinct: list[Any] = []
    for value in values:
        if value not in distinct:
            distinct.append(value)
    return distinct[0] if len(distinct) == 1 else {"anyOf": distinct}


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    for _ in range(_DEPTH):
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            break
        place, _, name = reference.removeprefix("#/").partition("/")
        target = _mapping(root.get(place)).get(name)
        if not isinstance(target, dict):
            break
        schema = {**{word: value for word, value in schema.items() if word != "$ref"}, **target}
    return schema


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    return _mapping(schema.get("properties"))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _names(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
