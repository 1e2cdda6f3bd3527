"""Opening a Responses request: what is taken, and what is refused with the member at fault."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.dialect import Dialect
from bridge.errors import BadRequest
from bridge.formats.responses.verbatim import open_request

MESSAGE = {"role": "user", "content": "Hi"}


def opened(**members: Any) -> Any:
    return open_request(json.dumps({"model": "m", "input": [MESSAGE], **members}).encode())


def test_an_input_that_is_a_text_becomes_one_message_and_the_fields_keep_the_text() -> None:
    asked = opened(input="Grüß \u2028 dich")
    assert [json.loads(bytes(entry)) for entry in asked.entries] == [
        {"type": "message", "role": "user", "content": "Grüß \u2028 dich"}
    ]
    assert json.loads(bytes(asked.fields["input"])) == "Grüß \u2028 dich"


def test_items_are_opened_one_by_one_and_a_message_needs_no_type() -> None:
    items = [MESSAGE, {"type": "reasoning", "summary": []}, {"type": "of_tomorrow", "role": 7}]
    asked = opened(input=items, stream=True)
    assert [json.loads(bytes(entry)) for entry in asked.entries] == items
    assert (asked.dialect, asked.model, asked.stream) == (Dialect.RESPONSES, "m", True)


def test_a_request_without_stream_is_not_streamed_and_null_is_nothing() -> None:
    assert not opened().stream
    assert not opened(stream=None, tools=None, instructions=None, reasoning=None).stream


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"model": ""}, "model"),
        ({"model": 7}, "model"),
        ({"input": []}, "input"),
        ({"input": ""}, "input"),
        ({"input": None}, "input"),
        ({"input": {"role": "user"}}, "input"),
        ({"input": [MESSAGE, "text"]}, "input[1]"),
        ({"input": [{"content": "Hi"}]}, "input[0]"),
        ({"input": [{"type": 7}]}, "input[0]"),
        ({"input": [{"role": "tool", "content": "Hi"}]}, "input[0].role"),
        ({"input": [{"role": {"a": 1}, "content": "Hi"}]}, "input[0].role"),
        ({"stream": "yes"}, "stream"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"max_output_tokens": "many"}, "max_output_tokens"),
        ({"instructions": ["Be brief."]}, "instructions"),
        ({"prompt_cache_key": 7}, "prompt_cache_key"),
        ({"tools": {}}, "tools"),
        ({"include": "usage"}, "include"),
        ({"reasoning": "high"}, "reasoning"),
        ({"text": "json"}, "text"),
    ],
)
def test_a_member_of_the_wrong_type_is_refused_by_its_name(members: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        opened(**members)
    assert caught.value.param == param
    assert str(caught.value)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"model":"m"}', b'{"input":"x"}', b"\xff", b"[" * 9999])
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        open_request(body)


def test_half_a_surrogate_pair_does_not_break_a_request() -> None:
    asked = open_request(b'{"model":"m","input":"a\\ud83d"}')
    assert json.loads(bytes(asked.entries[0]))["content"] == "a\ufffd"
