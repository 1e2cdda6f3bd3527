"""A request as it came: top-level members raw, and every wrong body a clear refusal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from bridge.asked import Asked, parsed, read_fields, read_list, typed
from bridge.dialect import Dialect
from bridge.errors import BadRequest

DEEP = b"[" * 100_000 + b"]" * 100_000


def refusal(body: bytes) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        read_fields(body)
    return caught.value


def test_members_stay_the_bytes_they_were() -> None:
    fields = read_fields(b' {"model": "m", "top_p":  0.10, "x": {"b" : 1, "a":2}} ')
    assert {name: bytes(raw) for name, raw in fields.items()} == {
        "model": b'"m"',
        "top_p": b"0.10",
        "x": b'{"b" : 1, "a":2}',
    }


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    assert parsed(read_fields(rb'{"text": "a\ud83d"}')["text"], "text") == "a\ufffd"


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b'{"a": }', b'{"a": 1} x', b"\xef\xbb\xbf{}"])
def test_what_is_not_json_is_told_so(body: bytes) -> None:
    assert "not JSON" in str(refusal(body))


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null", b'[{"model": "m"}]'])
def test_what_is_no_object_is_told_so(body: bytes) -> None:
    assert "not a JSON object" in str(refusal(body))


def test_bytes_that_are_no_text_are_told_so() -> None:
    assert "UTF-8" in str(refusal(b'{"model": "\xff"}'))


def test_bottomless_nesting_is_refused() -> None:
    assert refusal(DEEP).status == 400
    assert refusal(b'{"a": ' + DEEP + b"}").status == 400


@given(st.binary(max_size=60))
def test_no_body_does_worse_than_a_refusal(body: bytes) -> None:
    try:
        fields = read_fields(body)
    except BadRequest:
        fields = {}
    assert all(isinstance(raw, Raw) for raw in fields.values())


def test_the_entries_of_a_list_stay_raw() -> None:
    fields = read_fields(b'{"messages": [{"role": "user"}, 7]}')
    assert [bytes(entry) for entry in read_list(fields, "messages")] == [b'{"role": "user"}', b"7"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"{}", "missing"),
        (b'{"messages": {}}', "list"),
        (b'{"messages": null}', "list"),
        (b'{"messages": []}', "empty"),
    ],
)
def test_a_conversation_that_is_none_names_its_field(body: bytes, word: str) -> None:
    with pytest.raises(BadRequest, match=word) as caught:
        read_list(read_fields(body), "messages")
    assert caught.value.param == "messages"


@pytest.mark.parametrize(
    ("raw", "kind", "value"),
    [
        (b'"x"', str, "x"),
        (b"3", int, 3),
        (b"3", float, 3),
        (b"0.5", float, 0.5),
        (b"true", bool, True),
        (b'{"a":1}', dict, {"a": 1}),
        (b"[1]", list, [1]),
        (b"null", str, None),
    ],
)
def test_a_member_of_the_right_type_is_its_value(raw: bytes, kind: type, value: object) -> None:
    assert typed({"field": Raw(raw)}, "field", kind) == value


@pytest.mark.parametrize(
    ("raw", "kind", "wanted"),
    [
        (b"1", str, "a string"),
        (b"0.5", int, "a whole number"),
        (b"true", int, "a whole number"),
        (b"false", float, "a number"),
        (b'"1"', float, "a number"),
        (b"1", bool, "true or false"),
        (b"[]", dict, "an object"),
        (b"{}", list, "a list"),
    ],
)
def test_a_member_of_another_type_is_refused_by_name(raw: bytes, kind: type, wanted: str) -> None:
    with pytest.raises(BadRequest, match=wanted) as caught:
        typed({"field": Raw(raw)}, "field", kind)
    assert caught.value.param == "field"


def test_an_absent_member_is_none() -> None:
    assert typed({}, "field", str) is None


@pytest.mark.parametrize("raw", [b"1e999", DEEP])
def test_what_only_a_full_reading_finds_is_refused_by_name(raw: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        parsed(Raw(raw), "field")
    assert caught.value.param == "field"


def test_the_size_is_that_of_the_members() -> None:
    fields = read_fields(b'{"model":"m","input":"hello"}')
    asked = Asked(Dialect.RESPONSES, fields, "m", [], stream=True)
    assert asked.size == len(b'"m"') + len(b'"hello"')
