"""Messages: a caller's body is opened, and what is wrong in it is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.errors import BadRequest
from bridge.formats.messages.verbatim import ThreadUnsupported, open_request
from tests.bridge.formats.messages.upstream import body_of


def test_the_model_the_messages_and_the_stream_are_found() -> None:
    asked = open_request(body_of(model="claude-opus", stream=True))
    assert (asked.model, asked.stream, len(asked.entries)) == ("claude-opus", True, 1)
    assert not open_request(body_of()).stream
    assert not open_request(body_of(stream=False)).stream


def test_white_space_between_members_does_no_harm() -> None:
    body = (
        b'{ "model" : "m", "max_tokens" : 5,\n"messages" : [ { "role" : "user", "content" :\n [] } ] , "system" : "x" }'
    )
    assert open_request(body).model == "m"


def test_counting_tokens_needs_no_limit() -> None:
    with pytest.raises(BadRequest) as refused:
        open_request(body_of(max_tokens=None))
    assert refused.value.param == "max_tokens"
    assert open_request(body_of(max_tokens=None), needs_max_tokens=False).model == "claude"


def test_system_turns_are_taken() -> None:
    messages = [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]
    assert len(open_request(body_of(messages=messages)).entries) == 2


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 5}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": [{"role": "user"}]}, "messages[0]"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": {}}]}, "messages[0].content"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"system": 5}, "system"),
        ({"system": {}}, "system"),
        ({"tools": {}}, "tools"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"thinking": "on"}, "thinking"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_k": 0.5}, "top_k"),
        ({"stop_sequences": "x"}, "stop_sequences"),
        ({"metadata": []}, "metadata"),
        ({"output_config": 1}, "output_config"),
        ({"context_management": 1}, "context_management"),
    ],
)
def test_wrong_types_are_refused_by_name(members: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        open_request(body_of(**members))
    assert refused.value.param == param


def test_null_is_as_good_as_absent() -> None:
    body = json.loads(body_of())
    nulls = dict.fromkeys(("system", "tools", "thinking", "temperature", "stop_sequences", "thread", "stream"))
    assert open_request(json.dumps(body | nulls).encode()).model == "claude"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"model": "\xff"}', b"[" * 100_000])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        open_request(body)


def test_a_thread_is_refused_in_the_way_its_clients_understand() -> None:
    with pytest.raises(ThreadUnsupported):
        open_request(body_of(thread={"type": "create"}))
