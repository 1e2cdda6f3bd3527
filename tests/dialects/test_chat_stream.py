"""The checker of Chat streams: a good stream adds up, and each of its rules has a stream that breaks it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.dialects.answer import Called, Counts
from tests.dialects.chat_stream import validated, validated_failure, whole_chat
from tests.dialects.written import CHAT_USAGE, Json, chat_bytes, chat_stream, chat_whole, chunk

ERROR = {"error": {"message": "Gone.", "type": "server_error", "param": None, "code": "upstream_error"}}


def test_a_good_stream_adds_up() -> None:
    answer = validated(b": hello\n\n" + chat_bytes(chat_stream()), include_usage=True, model="gpt-9")
    assert answer.text == "Hello"
    assert answer.reasoning == "Hm."
    assert answer.calls == [
        Called("call_a", "read", '{"a":1}'),
        Called("call_b", "patch", "*** Begin", "custom"),
    ]
    assert answer.counts == Counts(9, 4)
    assert (answer.id, answer.stop, answer.comments) == ("chatcmpl-1", "tool_calls", 1)


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_other_line_ends_are_as_good(line_end: str) -> None:
    body = chat_bytes(chat_stream()).replace(b"\n", line_end.encode())
    assert validated(body, include_usage=True).text == "Hello"


def test_a_good_whole_answer_is_taken_apart() -> None:
    answer = whole_chat(json.dumps(chat_whole()).encode(), model="gpt-9")
    assert answer.calls == [Called("call_a", "read", "{}")]
    assert answer.stop == "tool_calls"


def _without(number: int, name: str) -> Callable[[list[Json]], Any]:
    return lambda chunks: chunks[number].pop(name)


def _set(number: int, **members: Any) -> Callable[[list[Json]], Any]:
    return lambda chunks: chunks[number].update(members)


def _delta(number: int, delta: Json) -> Callable[[list[Json]], Any]:
    return lambda chunks: chunks[number]["choices"][0].update(delta=delta)


def _call(number: int, **members: Any) -> Callable[[list[Json]], Any]:
    return lambda chunks: chunks[number]["choices"][0]["delta"]["tool_calls"][0].update(members)


def _listed_arguments(chunks: list[Json]) -> None:
    _call(4, function={"arguments": "["})(chunks)
    _call(5, function={"arguments": "]"})(chunks)


BREAKS: list[tuple[str, Callable[[list[Json]], Any]]] = [
    ("no 'id'", _without(1, "id")),
    ("the id changes", _set(2, id="chatcmpl-2")),
    ("the object is", _set(0, object="chat.completion")),
    ("no 'created'", _without(3, "created")),
    ("created is not a time", _set(3, created=0)),
    ("no 'model'", _without(3, "model")),
    ("the model changes", _set(3, model="other")),
    ("no 'choices'", _without(2, "choices")),
    ("2 choices", lambda chunks: chunks[1]["choices"].append(chunks[1]["choices"][0])),
    ("no 'index'", lambda chunks: chunks[1]["choices"][0].pop("index")),
    ("a choice of index 1", lambda chunks: chunks[1]["choices"][0].update(index=1)),
    ("the role stands", _delta(1, {"role": "assistant", "content": "x"})),
    ("the role stands", _delta(0, {"content": "x"})),
    ("the role 'user'", _delta(0, {"role": "user"})),
    ("delta.content is 5", _delta(1, {"content": 5})),
    (
        "the two names of reasoning differ",
        _delta(0, {"role": "assistant", "reasoning_content": "a", "reasoning_text": "b"}),
    ),
    ("a gap in the numbers", _call(6, index=2)),
    ("no 'index'", lambda chunks: chunks[4]["choices"][0]["delta"]["tool_calls"][0].pop("index")),
    ("'id' of a call again", _call(4, id=None)),
    ("'type' of a call again", _call(4, type="function")),
    ("the name of a call again", _call(4, function={"arguments": "", "name": "read"})),
    ("id is empty", _call(3, id="")),
    ("a tool call of the type", _call(3, type="mcp")),
    ("no 'name'", _call(3, function={"arguments": ""})),
    ("name is empty", _call(3, function={"arguments": "", "name": ""})),
    ("no 'arguments'", _call(3, function={"name": "read"})),
    ("two calls with one id", _call(6, id="call_a")),
    ("not JSON", _call(5, function={"arguments": "1"})),
    ("not a JSON object", _listed_arguments),
    ("no chunk says how the answer ended", lambda chunks: chunks.__delitem__(slice(8, None))),
    ("a choice behind the finish reason", lambda chunks: chunks.insert(9, chunk({"content": "x"}))),
    ("the finish reason 'error'", lambda chunks: chunks[8]["choices"][0].update(finish_reason="error")),
    ("but the answer ends with 'stop'", lambda chunks: chunks[8]["choices"][0].update(finish_reason="stop")),
    ("tool_calls without calls", lambda chunks: chunks.__delitem__(slice(3, 8))),
    ("no usage", lambda chunks: chunks.pop()),
    ("usage before the finish", lambda chunks: chunks.insert(8, chunks.pop())),
    ("two usage chunks", lambda chunks: chunks.append(chunks[-1])),
    ("a choice behind the usage", lambda chunks: chunks.append(chunk({"content": "x"}))),
    ("usage on a chunk with a choice", _set(1, usage=CHAT_USAGE)),
    ("does not add up", _set(9, usage={**CHAT_USAGE, "total_tokens": 14})),
    ("more cached than", _set(9, usage={**CHAT_USAGE, "prompt_tokens_details": {"cached_tokens": 10}})),
    ("no 'completion_tokens'", _set(9, usage={"prompt_tokens": 9, "total_tokens": 13})),
    ("an error in a stream", lambda chunks: chunks.append(ERROR)),
    ("not what the SDK's types say", _delta(1, {"content": "x", "function_call": 5})),
]


@pytest.mark.parametrize(("sentence", "spoil"), BREAKS)
def test_every_rule_has_a_stream_that_breaks_it(sentence: str, spoil: Callable[[list[Json]], Any]) -> None:
    chunks = chat_stream()
    spoil(chunks)
    with pytest.raises(AssertionError, match=sentence):
        validated(chat_bytes(chunks), include_usage=True)


@pytest.mark.parametrize(
    ("sentence", "body"),
    [
        ("does not end with an empty line", chat_bytes(chat_stream())[:-1]),
        ("does not end with .DONE", chat_bytes(chat_stream(), "")),
        ("something comes after", chat_bytes(chat_stream()) + b"data: [DONE]\n\n"),
        ("something comes after", chat_bytes(chat_stream()) + b": late\n\n"),
        ("no event lines", b"event: x\n" + chat_bytes(chat_stream())),
        ("a field that no client knows", b"dat: x\n" + chat_bytes(chat_stream())),
        ("not JSON", b"data: {\n\n" + chat_bytes(chat_stream())),
        ("not a JSON object", b"data: []\n\n" + chat_bytes(chat_stream())),
        ("stands twice", chat_bytes(chat_stream()).replace(b'"index": 0', b'"index": 0, "index": 0', 1)),
        ("half a surrogate", chat_bytes(chat_stream()).replace(b"Hel", rb"\ud83d")),
        ("NaN is no JSON", chat_bytes(chat_stream()).replace(b"1750000000", b"NaN", 1)),
        ("the stream says nothing", b"data: [DONE]\n\n"),
        ("ends no frame", b"\n" + chat_bytes(chat_stream())),
    ],
)
def test_every_rule_of_the_wire_has_a_stream_that_breaks_it(sentence: str, body: bytes) -> None:
    with pytest.raises(AssertionError, match=sentence):
        validated(body, include_usage=True)


def test_usage_that_nobody_asked_for_is_refused() -> None:
    with pytest.raises(AssertionError, match="nobody asked for"):
        validated(chat_bytes(chat_stream()))


def test_the_model_must_be_the_one_asked_for() -> None:
    with pytest.raises(AssertionError, match="as asked for"):
        validated(chat_bytes(chat_stream()), include_usage=True, model="gpt-8")


def test_arguments_that_were_cut_short_need_not_be_json() -> None:
    chunks = chat_stream()
    del chunks[5]
    chunks[7]["choices"][0]["finish_reason"] = "length"
    assert validated(chat_bytes(chunks), include_usage=True).calls[0].arguments == '{"a":'


def test_a_stream_that_broke_off_ends_with_the_error() -> None:
    failure = validated_failure(chat_bytes([*chat_stream()[:3], ERROR], ""))
    assert (failure.message, failure.code, len(failure.events)) == ("Gone.", "upstream_error", 3)


@pytest.mark.parametrize(
    ("sentence", "body"),
    [
        ("DONE. in a stream that broke off", chat_bytes([chat_stream()[0], ERROR])),
        ("no 'error'", chat_bytes(chat_stream()[:3], "")),
        ("an error in a stream", chat_bytes([ERROR, ERROR], "")),
        ("says nothing", b": nothing\n\n"),
        ("no 'param'", chat_bytes([{"error": {"message": "x", "type": "x", "code": None}}], "")),
    ],
)
def test_every_rule_of_a_broken_stream_has_one_that_breaks_it(sentence: str, body: bytes) -> None:
    with pytest.raises(AssertionError, match=sentence):
        validated_failure(body)


WHOLE_BREAKS: list[tuple[str, Callable[[Json], Any]]] = [
    ("not what the SDK's types say", lambda whole: whole.pop("id")),
    ("not what the SDK's types say", lambda whole: whole["choices"][0]["message"]["tool_calls"][0].pop("id")),
    ("not what the SDK's types say", lambda whole: whole.update(object="chat.completion.chunk")),
    ("no 'usage'", lambda whole: whole.pop("usage")),
    ("2 choices", lambda whole: whole["choices"].append(whole["choices"][0])),
    ("is not number 0", lambda whole: whole["choices"][0].update(index=1)),
    ("empty list of calls", lambda whole: whole["choices"][0]["message"].update(tool_calls=[])),
    ("null for nothing", lambda whole: whole["choices"][0]["message"].pop("tool_calls")),
    ("empty arguments", lambda whole: whole["choices"][0]["message"]["tool_calls"][0]["function"].update(arguments="")),
    ("but the answer ends with 'stop'", lambda whole: whole["choices"][0].update(finish_reason="stop")),
    ("created is not a time", lambda whole: whole.update(created=0)),
    ("does not add up", lambda whole: whole.update(usage={**CHAT_USAGE, "total_tokens": 1})),
]


@pytest.mark.parametrize(("sentence", "spoil"), WHOLE_BREAKS)
def test_every_rule_of_a_whole_answer_has_one_that_breaks_it(sentence: str, spoil: Callable[[Json], Any]) -> None:
    whole = chat_whole()
    spoil(whole)
    with pytest.raises(AssertionError, match=sentence):
        whole_chat(json.dumps(whole).encode())
