"""Whatever schema a caller declares, the upstream gets an object."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadRequest
from bridge.tool_schema import PLACEHOLDER, describe_schema, object_schema

PATH = {"type": "string"}
NUMBER = {"type": "number"}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["object", "string", "#/$defs/a", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "properties",
                    "required",
                    "anyOf",
                    "allOf",
                    "$ref",
                    "$defs",
                    "a",
                    "enum",
                    "items",
                    "description",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
schemas = st.dictionaries(
    st.sampled_from(["type", "properties", "required", "anyOf", "oneOf", "allOf", "$ref", "$defs", "enum", "a"]),
    values,
    max_size=5,
)


@given(schemas)
def test_the_root_is_always_a_plain_object_whose_required_names_are_there(schema: dict[str, Any]) -> None:
    fitted = object_schema(schema)
    assert fitted["type"] == "object"
    assert isinstance(fitted["properties"], dict)
    assert not fitted.keys() & {"anyOf", "oneOf", "allOf", "$ref", "enum", "not", "const"}
    if fitted is not schema:
        assert set(fitted.get("required", ())) <= fitted["properties"].keys()


@given(schemas)
def test_a_schema_that_fits_stays_as_it_is(schema: dict[str, Any]) -> None:
    fitted = object_schema(schema)
    assert object_schema(fitted) is fitted


@pytest.mark.parametrize(
    ("schema", "fitted"),
    [
        (None, {"type": "object", "properties": {}}),
        ({}, {"type": "object", "properties": {}}),
        ({"type": "object"}, {"type": "object", "properties": {}}),
        ({"description": "nothing"}, {"description": "nothing", "type": "object", "properties": {}}),
        ({"properties": {"path": PATH}}, {"type": "object", "properties": {"path": PATH}}),
        (
            {"type": ["object", "null"], "properties": {"path": PATH}, "required": ["path"]},
            {"type": "object", "properties": {"path": PATH}, "required": ["path"]},
        ),
        (PATH, {"type": "object", "properties": {"value": PATH}, "required": ["value"]}),
        ({"enum": [1]}, {"type": "object", "properties": {"value": {"enum": [1]}}, "required": ["value"]}),
    ],
)
def test_what_is_no_object_becomes_one(schema: dict[str, Any] | None, fitted: dict[str, Any]) -> None:
    assert object_schema(schema) == fitted


@pytest.mark.parametrize("union", ["anyOf", "oneOf"])
def test_a_union_at_the_root_has_all_properties_and_needs_what_every_branch_needs(union: str) -> None:
    schema = {
        union: [
            {"properties": {"kind": {"const": "a"}, "path": PATH}, "required": ["kind", "path"]},
            {"properties": {"kind": {"const": "b"}, "count": NUMBER}, "required": ["count", "kind"]},
        ],
        "additionalProperties": False,
    }
    assert object_schema(schema) == {
        "type": "object",
        "properties": {"kind": {"anyOf": [{"const": "a"}, {"const": "b"}]}, "path": PATH, "count": NUMBER},
        "required": ["kind"],
    }


def test_an_all_of_needs_everything() -> None:
    schema = {
        "type": "object",
        "properties": {"path": PATH},
        "allOf": [{"properties": {"count": NUMBER}, "required": ["count"]}, {"required": ["path"]}],
    }
    assert object_schema(schema) == {
        "type": "object",
        "properties": {"path": PATH, "count": NUMBER},
        "required": ["count", "path"],
    }


def test_a_reference_at_the_root_is_followed_and_its_definitions_stay() -> None:
    schema = {"$ref": "#/$defs/Job", "$defs": {"Job": {"type": "object", "properties": {"path": PATH}}}}
    assert object_schema(schema) == {"type": "object", "properties": {"path": PATH}, "$defs": schema["$defs"]}


def test_a_reference_to_itself_ends() -> None:
    schema = {"$ref": "#/$defs/Job", "$defs": {"Job": {"$ref": "#/$defs/Job"}}}
    assert object_schema(schema)["properties"] == {}


def test_a_schema_that_grows_out_of_itself_is_not_followed_to_its_end() -> None:
    branch = {"$ref": "#/$defs/a", "properties": {"x": NUMBER}}
    schema = {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [branch] * 1000, "properties": {"path": PATH}}}}
    assert object_schema(schema)["properties"] == {"path": PATH}


def test_bottomless_branches_are_refused() -> None:
    def branch() -> dict[str, Any]:
        inner: dict[str, Any] = {}
        for _ in range(100_000):
            inner = {"items": inner}
        return {"properties": {"x": inner}}

    with pytest.raises(BadRequest) as caught:
        object_schema({"anyOf": [branch(), branch()]})
    assert caught.value.param == "tools"


def test_a_bottomless_schema_is_described_as_far_as_it_matters() -> None:
    schema: dict[str, Any] = {"description": ""}
    for _ in range(900):
        schema = {"items": schema, "description": ""}
    described = describe_schema(schema)
    assert described["description"] == described["items"]["items"]["description"] == PLACEHOLDER


def test_empty_descriptions_are_filled_however_deep() -> None:
    schema = {
        "description": "",
        "properties": {
            "path": {"type": "string", "description": ""},
            "list": {"items": {"anyOf": [{"description": ""}]}},
        },
        "$defs": {"a": {"description": "kept"}},
    }
    assert describe_schema(schema) == {
        "description": PLACEHOLDER,
        "properties": {
            "path": {"type": "string", "description": PLACEHOLDER},
            "list": {"items": {"anyOf": [{"description": PLACEHOLDER}]}},
        },
        "$defs": {"a": {"description": "kept"}},
    }


def test_a_property_called_description_and_data_are_left_alone() -> None:
    schema = {
        "properties": {"description": {"type": "string"}},
        "default": {"description": ""},
        "enum": [{"description": ""}],
    }
    assert describe_schema(schema) == schema
