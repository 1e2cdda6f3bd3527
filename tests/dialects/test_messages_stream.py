"""The checker of Messages streams: a good stream adds up, and each of its rules has a stream that breaks it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.dialects.answer import Called, Counts
from tests.dialects.messages_stream import validated, validated_failure, whole_message
from tests.dialects.written import (
    MESSAGES_USAGE,
    Json,
    block,
    message_end,
    message_start,
    message_whole,
    messages_stream,
    named_bytes,
)

ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "Busy."}, "request_id": "req_1"}
PING = {"type": "ping"}


def test_a_good_stream_adds_up() -> None:
    events = messages_stream()
    events.insert(3, PING)
    answer = validated(b": hello\n\n" + named_bytes(events), model="claude-9")
    assert (answer.text, answer.reasoning, answer.seals) == ("Hello", "Hm.", ["sig"])
    assert answer.calls == [Called("toolu_1", "read", '{"a":1}')]
    assert answer.searches == [("a", ("https://a.example",))]
    assert answer.citations == ["https://a.example"]
    assert answer.counts == Counts(9, 4, 3, 1)
    assert (answer.id, answer.stop, answer.pings, answer.comments) == ("msg_1", "tool_use", 1, 1)
    assert [each["type"] for each in answer.whole["content"]] == [
        "thinking",
        "server_tool_use",
        "web_search_tool_result",
        "text",
        "tool_use",
    ]


def test_what_a_stream_adds_up_to_is_a_good_whole_answer() -> None:
    streamed = validated(named_bytes(messages_stream()))
    whole = whole_message(json.dumps(streamed.whole).encode(), model="claude-9")
    assert whole.calls == [Called("toolu_1", "read", '{"a": 1}')]
    assert (whole.texts, whole.seals, whole.searches) == (streamed.texts, streamed.seals, streamed.searches)


def test_redacted_thinking_and_compaction_are_read() -> None:
    events = [
        message_start(),
        *block(0, {"type": "redacted_thinking", "data": "xyz"}),
        *block(1, {"type": "compaction", "content": None}, {"type": "compaction_delta", "content": "Before."}),
        *message_end("end_turn"),
    ]
    answer = validated(named_bytes(events))
    assert (answer.seals, answer.compactions) == (["xyz"], ["Before."])


def _without(number: int, name: str) -> Callable[[list[Json]], Any]:
    return lambda events: events[number].pop(name)


def _set(number: int, **members: Any) -> Callable[[list[Json]], Any]:
    return lambda events: events[number].update(members)


def _message(**members: Any) -> Callable[[list[Json]], Any]:
    return lambda events: events[0]["message"].update(members)


def _block(number: int, **members: Any) -> Callable[[list[Json]], Any]:
    return lambda events: events[number]["content_block"].update(members)


def _result(**members: Any) -> Callable[[list[Json]], Any]:
    return lambda events: events[8]["content_block"]["content"][0].update(members)


def _delta(number: int, **members: Any) -> Callable[[list[Json]], Any]:
    return lambda events: events[number]["delta"].update(members)


def _insert(number: int, event: Json) -> Callable[[list[Json]], Any]:
    return lambda events: events.insert(number, event)


# The events of `messages_stream` by number: 1-4 thinking, 5-7 search, 8-9 result, 10-14 text, 15-18 call, 19-20 end.
BREAKS: list[tuple[str, Callable[[list[Json]], Any]]] = [
    ("message_start as event 1", _insert(1, message_start())),
    ("content_block_start as event 0", lambda events: events.pop(0)),
    ("a ping before message_start", _insert(0, PING)),
    ("message_start with content", _message(content=[{"type": "text", "text": "x"}])),
    ("message_start with a stop_reason", _message(stop_reason="end_turn")),
    ("message_start without stop_sequence", lambda events: events[0]["message"].pop("stop_sequence")),
    ("not what the SDK's types say", lambda events: events[0]["message"].pop("usage")),
    ("not what the SDK's types say", lambda events: events[0]["message"]["usage"].pop("output_tokens")),
    ("id is empty", _message(id="")),
    ("not what the SDK's types say", _message(role="user")),
    ("block 2 after 1 blocks", _set(5, index=2)),
    ("a block starts while another is open", lambda events: events.pop(4)),
    ("a delta for block 1 in block 0", _set(2, index=1)),
    ("block 1 stops in block 0", _set(4, index=1)),
    ("a block stops that never started", _insert(5, {"type": "content_block_stop", "index": 1})),
    ("a delta outside of a block", lambda events: events.insert(5, events[2])),
    ("a text_delta in a thinking block", _set(2, delta={"type": "text_delta", "text": "x"})),
    ("something behind the signature", lambda events: events.insert(4, events[2])),
    ("an empty signature_delta", _delta(3, signature="")),
    ("starts with thinking", _block(1, thinking="x")),
    ("starts with text", _block(10, text="x")),
    ("starts with input", _block(15, input={"a": 1})),
    ("not what the SDK's types say", _block(15, type="other")),
    ("a block of the type 'container_upload'", _set(8, content_block={"type": "container_upload", "file_id": "f"})),
    ("the id 'to.lu' of a call", _block(15, id="to.lu")),
    ("two calls with one id", _block(15, id="srvtoolu_1")),
    ("name is empty", _block(15, name="")),
    ("a server tool 'web_fetch'", _block(5, name="web_fetch")),
    (
        "encrypted_content is empty",
        _result(encrypted_content=""),
    ),
    ("encrypted_index is empty", lambda events: events[13]["delta"]["citation"].update(encrypted_index="")),
    ("not JSON", _delta(17, partial_json=":1")),
    ("not a JSON object", lambda events: (_delta(16, partial_json="[")(events), _delta(17, partial_json="]")(events))),
    ("not JSON", _delta(6, partial_json="{")),
    ("message_delta while a block is open", lambda events: events.pop(18)),
    ("two message_deltas", lambda events: events.insert(20, events[19])),
    ("a block behind message_delta", lambda events: events.insert(20, {**events[1], "index": 5})),
    ("message_stop without message_delta", lambda events: events.pop(19)),
    ("ends without message_stop", lambda events: events.pop()),
    ("something comes after message_stop", lambda events: events.append(PING)),
    ("not what the SDK's types say", _delta(19, stop_reason="stop")),
    ("message_stop without message_delta", _delta(19, stop_reason=None)),
    ("no 'stop_sequence'", lambda events: events[19]["delta"].pop("stop_sequence")),
    ("a stop sequence with 'tool_use'", _delta(19, stop_sequence="x")),
    ("but the answer ends with 'end_turn'", _delta(19, stop_reason="end_turn")),
    ("tool_use without calls", lambda events: events.__delitem__(slice(15, 19))),
    ("not what the SDK's types say", _without(19, "usage")),
    ("no 'input_tokens'", _set(19, usage={"output_tokens": 4})),
    ("a negative count", _set(19, usage={**MESSAGES_USAGE, "input_tokens": -1})),
    ("a member of Copilot's own", _set(19, copilot_usage={})),
    ("a member of Copilot's own", _set(20, **{"amazon-bedrock-invocationMetrics": {}})),
    ("an event that the SDK does not know", _insert(1, {"type": "message_note"})),
    ("an event that the SDK does not know", _insert(4, ERROR)),
]


@pytest.mark.parametrize(("sentence", "spoil"), BREAKS)
def test_every_rule_has_a_stream_that_breaks_it(sentence: str, spoil: Callable[[list[Json]], Any]) -> None:
    events = messages_stream()
    spoil(events)
    with pytest.raises(AssertionError, match=sentence):
        validated(named_bytes(events))


@pytest.mark.parametrize(
    ("sentence", "body"),
    [
        (
            "the event line says ''",
            named_bytes(messages_stream()).replace(b"event: message_stop\n", b""),
        ),
        (
            "the event line says 'x'",
            named_bytes(messages_stream()).replace(b"event: message_stop", b"event: x"),
        ),
        ("something comes after message_stop", named_bytes(messages_stream()) + b"data: [DONE]\n\n"),
        ("two event lines", b"event: x\n" + named_bytes(messages_stream())),
        ("an event without data", b"event: x\n\n" + named_bytes(messages_stream())),
        ("the stream says nothing", b": nothing\n\n"),
    ],
)
def test_every_rule_of_the_wire_has_a_stream_that_breaks_it(sentence: str, body: bytes) -> None:
    with pytest.raises(AssertionError, match=sentence):
        validated(body)


def test_the_model_must_be_the_one_asked_for() -> None:
    with pytest.raises(AssertionError, match="as asked for"):
        validated(named_bytes(messages_stream()), model="claude-8")


def test_input_that_was_cut_short_need_not_be_json() -> None:
    events = messages_stream()
    del events[17]
    events[18]["delta"]["stop_reason"] = "max_tokens"
    assert validated(named_bytes(events)).calls[0].arguments == '{"a"'


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_stream_that_broke_off_ends_with_the_error(count: int) -> None:
    failure = validated_failure(named_bytes([*messages_stream()[:count], ERROR]))
    assert (failure.message, failure.type, failure.request_id) == ("Busy.", "overloaded_error", "req_1")
    assert len(failure.events) == count


@pytest.mark.parametrize(
    ("sentence", "events"),
    [
        ("not 'error'", messages_stream()),
        ("an error behind message_stop", [*messages_stream(), ERROR]),
        ("does not document", [{"type": "error", "error": {"type": "server_error", "message": "x"}}]),
        ("message is empty", [{"type": "error", "error": {"type": "api_error", "message": ""}}]),
        ("content_block_start as event 0", [*messages_stream()[1:3], ERROR]),
        ("the SDK does not know", [message_start(), ERROR, ERROR]),
    ],
)
def test_every_rule_of_a_broken_stream_has_one_that_breaks_it(sentence: str, events: list[Json]) -> None:
    with pytest.raises(AssertionError, match=sentence):
        validated_failure(named_bytes(events))


WHOLE_BREAKS: list[tuple[str, Callable[[Json], Any]]] = [
    ("not what the SDK's types say", lambda whole: whole.pop("id")),
    ("not what the SDK's types say", lambda whole: whole.pop("content")),
    ("not what the SDK's types say", lambda whole: whole["content"][1].update(input="{}")),
    ("stop_reason is None", lambda whole: whole.update(stop_reason=None)),
    ("but the answer ends with 'end_turn'", lambda whole: whole.update(stop_reason="end_turn")),
    ("tool_use without calls", lambda whole: whole["content"].pop()),
    ("no 'cache_read_input_tokens'", lambda whole: whole.update(usage={"input_tokens": 1, "output_tokens": 1})),
    ("the id 'a b' of a call", lambda whole: whole["content"][1].update(id="a b")),
    ("a member of Copilot's own", lambda whole: whole.update(copilot_usage={})),
]


@pytest.mark.parametrize(("sentence", "spoil"), WHOLE_BREAKS)
def test_every_rule_of_a_whole_answer_has_one_that_breaks_it(sentence: str, spoil: Callable[[Json], Any]) -> None:
    whole = message_whole()
    spoil(whole)
    with pytest.raises(AssertionError, match=sentence):
        whole_message(json.dumps(whole).encode())


def test_the_good_whole_answer_is_good() -> None:
    answer = whole_message(json.dumps(message_whole()).encode())
    assert (answer.text, answer.calls) == ("Hello", [Called("toolu_1", "read", "{}")])
