"""Chat requests, the way in: what is read, and what is refused and why."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.asked import Asked, parsed
from bridge.dialect import Dialect
from bridge.errors import BadRequest
from bridge.formats.chat.verbatim import edit_request, open_request
from bridge.target import Target

PLAIN = Target("gpt-4.1", vendor="Azure OpenAI", family="gpt-4.1", max_output_tokens=16384)
REASONING = Target("gpt-5.2", vendor="OpenAI", family="gpt-5.2", max_output_tokens=128000, efforts=("low", "medium"))
HELLO = [{"role": "user", "content": "Hello"}]


def a_body(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "messages": HELLO, **fields}).encode()


def test_what_the_gateway_needs_to_know_is_read() -> None:
    messages = [{"role": "system", "content": "x"}, {"role": "user", "content": "y"}]
    request = open_request(a_body(messages=messages, stream=True, stream_options={"include_usage": True}))
    assert (request.model, request.dialect, request.stream, request.include_usage) == ("m", Dialect.CHAT, True, True)
    assert [parsed(raw, "messages") for raw in request.entries] == messages


@pytest.mark.parametrize("options", [None, {}, {"include_usage": False}, {"include_usage": None}])
def test_usage_is_not_asked_for_by_silence(options: object) -> None:
    request = open_request(a_body(stream=None, stream_options=options))
    assert (request.stream, request.include_usage) == (False, False)


@pytest.mark.parametrize(
    ("body", "param", "sentence"),
    [
        (b"", None, "not JSON"),
        (b"{", None, "not JSON"),
        (b"[]", None, "not a JSON object"),
        (b"null", None, "not a JSON object"),
        (b'"x"', None, "not a JSON object"),
        (b'{"model":"m","messages":[{"role":"user","content":"\xff"}]}', None, "not UTF-8"),
        (b'{"model":"m","messages":[{"role":"user"}]} x', None, "not JSON"),
        (b'{"model":"m"}', "messages", "missing"),
        (a_body(messages=None), "messages", "must be a list"),
        (a_body(messages={}), "messages", "must be a list"),
        (a_body(messages=[]), "messages", "empty"),
        (a_body(messages=["x"]), "messages[0]", "must be an object with a 'role'"),
        (a_body(messages=[*HELLO, {"content": "x"}]), "messages[1]", "must be an object with a 'role'"),
        (a_body(messages=[{"role": 1}]), "messages[0]", "must be an object with a 'role'"),
        (a_body(messages=[*HELLO, {"role": "robot"}]), "messages[1].role", "is 'robot'; it must be one of"),
        (a_body(model=None), "model", "missing"),
        (a_body(model=""), "model", "missing"),
        (a_body(model=7), "model", "must be a string"),
        (a_body(stream="yes"), "stream", "must be true or false"),
        (a_body(stream=1), "stream", "must be true or false"),
        (a_body(n=2), "n", "must be 1"),
        (a_body(n=0), "n", "must be 1"),
        (a_body(max_tokens=0), "max_tokens", "at least 1"),
        (a_body(max_completion_tokens=-5), "max_completion_tokens", "at least 1"),
        (a_body(n=True), "n", "must be a whole number"),
        (a_body(n="1"), "n", "must be a whole number"),
        (a_body(stream_options=[]), "stream_options", "must be an object"),
        (b'{"model":"m","messages":[{"role":"user"}],"n":1e999}', "n", "cannot be read"),
        (
            b'{"model":"m","messages":[{"role":"user"}],"stream_options":{"x":1e999}}',
            "stream_options",
            "cannot be read",
        ),
    ],
)
def test_a_refusal_says_what_is_wrong_and_where(body: bytes, param: str | None, sentence: str) -> None:
    with pytest.raises(BadRequest) as caught:
        open_request(body)
    assert caught.value.param == param
    assert sentence in str(caught.value)


def test_a_bottomless_body_is_refused() -> None:
    depth = 200_000
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        body = b'{"model":"m","messages":[{"role":"user","x":' + opening * depth + b"1" + closing * depth + b"}]}"
        with pytest.raises(BadRequest) as caught:
            open_request(body)
        assert "nested too deeply" in str(caught.value)


def test_what_is_read_near_the_limit_and_looked_into_deeper_down_the_stack_is_refused() -> None:
    def deeper(frames: int, request: Asked) -> object:
        if frames:
            return deeper(frames - 1, request)
        return edit_request(request, Target("claude", vendor="Anthropic")), [
            parsed(raw, "messages") for raw in request.entries
        ]

    refused: list[str | None] = []
    for depth in range(700, 1000, 5):
        nest = b"[" * depth + b"]" * depth
        body = b'{"model":"m","messages":[{"role":"developer","x":' + nest + b"}]}"
        try:
            deeper(100, open_request(body))
        except BadRequest as error:
            refused.append(error.param)
    # How deep is too deep, and whether the stack counts, is the interpreter's matter; that nothing else comes is ours.
    assert set(refused) <= {None, "messages"}


@given(st.binary(max_size=80))
def test_no_bytes_do_worse_than_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest):
        open_request(body)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_message = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool"]) | _json},
    optional={"content": _json | st.just(""), "tool_calls": _json, "reasoning_content": _json},
)
_fields = [
    "n",
    "stream",
    "stream_options",
    "tools",
    "prediction",
    "max_tokens",
    "max_completion_tokens",
    "reasoning_effort",
    "user",
    "store",
]


@given(
    st.fixed_dictionaries(
        {"model": st.text(min_size=1) | _json, "messages": st.lists(_message, max_size=3) | _json},
        optional=dict.fromkeys(_fields, _json),
    ),
    st.sampled_from([PLAIN, REASONING, Target("claude", vendor="Anthropic")]),
)
def test_no_json_does_worse_than_a_bad_request(value: dict[str, Any], target: Target) -> None:
    body = json.dumps(value, allow_nan=True).encode()
    try:
        request = open_request(body)
        sent = json.loads(edit_request(request, target).body)
    except BadRequest:
        return
    assert (sent["model"], sent["stream"]) == (target.model, True)
    assert len(sent["messages"]) >= len(value["messages"])
