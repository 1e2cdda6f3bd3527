"""Leak arguments: each parameter of a leaked call gets the type that its tool declares, where it can be read so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.leak_arguments import typed_arguments

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "count": {"type": "integer"},
        "ratio": {"type": "number"},
        "deep": {"type": "boolean"},
        "options": {"type": "object"},
        "names": {"type": "array"},
        "nothing": {"type": "null"},
        "maybe_text": {"type": ["string", "null"]},
        "maybe_count": {"type": ["integer", "null"]},
        "either": {"anyOf": [{"type": "boolean"}, {"$ref": "#/$defs/sizes"}]},
        "text_or_list": {"oneOf": [{"type": "array"}, {"type": "string"}]},
        "level": {"enum": [1, 2, 3]},
        "mode": {"enum": ["1", "2"]},
        "fixed": {"const": 2},
        "anything": {},
    },
    "$defs": {"sizes": {"type": "array"}},
}


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("text", "12", "12"),
        ("text", ' {"a": 1}\n', ' {"a": 1}\n'),
        ("text", 'a & <b> "c" \\d 语', 'a & <b> "c" \\d 语'),
        ("count", "12", 12),
        ("count", " 12\n", 12),
        ("count", "twelve", "twelve"),
        ("count", "", ""),
        ("ratio", "0.5", 0.5),
        ("ratio", "NaN", "NaN"),
        ("deep", "true", True),
        ("deep", "True", "True"),
        ("options", '{"a": [1, {"b": null}]}', {"a": [1, {"b": None}]}),
        ("options", '{"a": "\\ud83d"}', {"a": "\ufffd"}),
        ("options", "{'a': 1}", "{'a': 1}"),
        ("options", "[" * 60_000, "[" * 60_000),
        ("names", '["a", "b"]', ["a", "b"]),
        ("nothing", "null", None),
        ("maybe_text", "null", "null"),
        ("maybe_count", "null", None),
        ("maybe_count", "3", 3),
        ("either", "false", False),
        ("either", "[1]", [1]),
        ("text_or_list", "[1]", "[1]"),
        ("level", "2", 2),
        ("mode", "2", "2"),
        ("fixed", "2", 2),
        ("anything", "2", "2"),
        ("undeclared", "2", "2"),
    ],
)
def test_a_parameter_is_of_the_type_that_the_tool_declares(name: str, value: str, told: object) -> None:
    assert json.loads(typed_arguments(SCHEMA, {name: value})) == {name: told}


def test_numbers_are_told_as_they_are_written() -> None:
    arguments = typed_arguments(SCHEMA, {"count": "123456789012345678901234567890", "ratio": "1.50"})
    assert arguments == '{"count":123456789012345678901234567890,"ratio":1.50}'


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": []},
        {"properties": {"x": True}},
        {"properties": {"x": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"$ref": "#/$defs/x"}}},
        {"properties": {"x": {"$ref": "#"}}},
        {"properties": {"x": {"$ref": "#/$defs/gone"}}, "$defs": {}},
        {"properties": {"x": {"type": [7], "anyOf": 3}}},
        {"properties": {"x": {"anyOf": 3, "enum": "integer"}}},
        {},
    ],
)
def test_a_parameter_without_a_type_is_text(schema: dict[str, Any]) -> None:
    assert typed_arguments(schema, {"x": "1"}) == '{"x":"1"}'
