"""Plausible values for a JSON schema, taken from the words of the question where they fit a property's name.

Used for tool arguments and for structured output. What comes out is valid for the schema's types, enums, required
properties, bounds, lengths and formats; regular expressions (`pattern`) are not solved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.simulator.generate.intent import Action, Intent

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORMATS = {
    "date": "2026-01-15",
    "date-time": "2026-01-15T09:30:00Z",
    "time": "09:30:00Z",
    "duration": "PT1H",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
}
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Filler:
    """Fills schemas for one call: the `number`-th of several in parallel picks the number-th file, place, quote."""

    intent: Intent
    topic: str
    root: Mapping[str, Any]
    directory: str = ""
    number: int = 0

    def fill(self, schema: Mapping[str, Any] | bool, name: str = "", depth: int = 0) -> Any:
        """A value for `schema`, as the property `name`."""
        if isinstance(schema, bool):
            return self.topic
        schema = self._resolved(schema)
        for key in ("const", "default"):
            if key in schema and schema[key] is not None:
                return schema[key]
        if enum := schema.get("enum"):
            return self._chosen(enum)
        for key in ("anyOf", "oneOf"):
            if options := schema.get(key):
                return self.fill(_first_real(options), name, depth + 1)
        match _type_of(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, name, depth)
            case "integer" | "number" as kind:
                return self._number(schema, name, whole=kind == "integer")
            case "boolean":
                return False
            case "null":
                return None
        return self._string(schema, name)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        for _ in range(_DEEPEST):
            if "$ref" in schema:
                target: Any = self.root
                for part in str(schema["$ref"]).lstrip("#/").split("/"):
                    target = target.get(part, {}) if part else target
                schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
            elif "allOf" in schema:
                schema = _merged(schema)
            else:
                break
        return schema

    def _chosen(self, enum: list[Any]) -> Any:
        said = self.intent.question.lower()
        if "create" in enum and self.intent.action is Action.CREATE:
            return "create"
        return next((value for value in enum if isinstance(value, str) and value.lower() in said), enum[0])

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties: Mapping[str, Any] = schema.get("properties") or {}
        required = schema.get("required")
        names = list(properties) if required is None else [n for n in properties if n in required or self._says(n)]
        if depth >= _DEEPEST:
            names = [name for name in names if name in (required or ())]
        filled = {name: self.fill(properties[name], name, depth + 1) for name in names}
        return filled | {name: self.topic for name in required or () if name not in properties}

    def _says(self, name: str) -> bool:
        """True when the question gives a value for an optional property."""
        words = name.lower()
        return (
            words in ("content", "file_text", "command", "cmd", "file_path", "path") and self._named(words) is not None
        )

    def _array(self, schema: Mapping[str, Any], name: str, depth: int) -> list[Any]:
        if name in ("command", "cmd", "args"):
            return ["bash", "-lc", self.intent.shell]
        least = int(schema.get("minItems", 1))
        if depth >= _DEEPEST:
            return []
        return [self.fill(schema.get("items") or {}, name, depth + 1) for _ in range(max(1, least))]

    def _number(self, schema: Mapping[str, Any], name: str, *, whole: bool) -> float | int:
        numbers = self.intent.numbers
        value = numbers[min(self.number, len(numbers) - 1)] if numbers else 1.0
        if "timeout" in name.lower():
            value = 10_000.0
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum"))
        if low is not None and value < low + ("exclusiveMinimum" in schema):
            value = low + ("exclusiveMinimum" in schema)
        if high is not None and value > high - ("exclusiveMaximum" in schema):
            value = high - ("exclusiveMaximum" in schema)
        if step := schema.get("multipleOf"):
            value = step * max(1, value // step)
        return int(value) if whole else float(value)

    def _string(self, schema: Mapping[str, Any], name: str) -> str:
        if form := _FORMATS.get(schema.get("format", "")):
            return form
        absolute = "absolute" in str(schema.get("description", "")).lower()
        value = self._named(name.lower(), absolute=absolute)
        value = self.topic if value is None else value
        value = value.ljust(int(schema.get("minLength", 0)), ".")
        return value[: int(schema["maxLength"])] if "maxLength" in schema else value

    def _named(self, name: str, *, absolute: bool = False) -> str | None:
        """What the question says about a property of this name, or None."""
        intent = self.intent
        if re.search(r"(^|_)(file|path|filename|filepath|target)|file_?path", name) and "text" not in name:
            return self._path(name, absolute=absolute)
        if name in ("command", "cmd", "script"):
            return intent.shell if intent.action is not Action.NONE or intent.command else None
        if name in ("content", "contents", "file_text", "text", "body", "new_string", "new_str", "data"):
            return intent.content
        if re.search(r"pattern|query|keyword|search", name) or name == "q":
            return intent.nth(intent.quoted, self.number) or intent.nth(intent.places, self.number)
        if re.search(r"location|city|place|town|country|address", name):
            return intent.nth(intent.places, self.number) or intent.nth(intent.quoted, self.number)
        if "url" in name or name == "uri":
            return intent.nth(intent.urls, self.number) or "https://example.com/"
        if re.search(r"dir|cwd|folder", name):
            return self.directory or "."
        if name in ("input", "patch"):
            return intent.patch
        return intent.nth(intent.quoted, self.number)

    def _path(self, name: str, *, absolute: bool) -> str | None:
        found = self.intent.nth(self.intent.files, self.number)
        if found is None:
            return (self.directory or ".") if name == "path" and self.intent.action is Action.LIST else None
        if self.directory and not found.startswith(("/", "~")) and (absolute or name in ("file_path", "filepath")):
            return f"{self.directory.rstrip('/')}/{found.removeprefix('./')}"
        return found


def _first_real(options: list[Any]) -> Any:
    return next((option for option in options if option.get("type") != "null"), options[0])


def _merged(schema: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"]:
        for key, value in part.items():
            if key == "properties":
                merged[key] = {**merged.get(key, {}), **value}
            elif key == "required":
                merged[key] = [*merged.get(key, []), *value]
            else:
                merged.setdefault(key, value)
    return merged


def _type_of(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "null")
    if kind is None:
        return "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(kind)
