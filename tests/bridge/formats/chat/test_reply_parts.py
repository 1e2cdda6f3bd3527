"""Parts of an answer beside words and thoughts, failures within it, and whole bodies, as events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.assembly import Reply, collect
from bridge.errors import BrokenStream
from bridge.events import (
    Cited,
    Event,
    Failed,
    PartClosed,
    PartOpened,
    RefusalHead,
    Started,
    Stop,
    TextGrew,
    TextHead,
    Weighed,
)
from bridge.formats.chat import ReplyReader
from bridge.formats.chat.calls import BLANK_LIMIT
from bridge.parts import Call, CallKind, Citation, Reasoning, Text, TokenChance
from bridge.tally import Tally
from tests.bridge.formats.chat import recordings
from tests.bridge.formats.chat.recordings import FAILED, wire
from tests.bridge.formats.chat.test_reply_reader import end, opaque, read, reply_of, text, told
from tests.bridge.grammar import check, check_unfinished


def test_a_refusal_is_a_part_of_its_own() -> None:
    events = read(told({"refusal": "I "}, {"refusal": "won't."}))
    assert events[1:5] == [PartOpened(RefusalHead()), TextGrew("I "), TextGrew("won't."), PartClosed()]


def test_citations_are_placed_within_their_text() -> None:
    cited = {"type": "url_citation", "url_citation": {"url": "u", "title": "U", "start_index": 3, "end_index": 5}}
    events = read(told({"content": "ab"}, {"reasoning_opaque": "s"}, {"content": "cdef", "annotations": [cited]}))
    assert Cited(Citation("u", "U", 1, 3)) in events
    waiting = read(told({"annotations": [cited]}, {"content": "abcdef"}))
    assert waiting[1:4] == [PartOpened(TextHead()), TextGrew("abcdef"), Cited(Citation("u", "U", 3, 5))]


def test_findings_about_code_cite_nothing() -> None:
    found = {"IPCodeCitations": [{"citations": {"url": "u"}}]}
    assert read(told({"content": "x", "annotations": found, "copilot_annotations": found})) == [
        Started(),
        *text("x"),
        end(),
    ]


def test_log_probabilities_follow_their_text() -> None:
    weighed = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": [{"token": "b", "logprob": -1}]}
    chunk = {"choices": [{"delta": {"content": "a"}, "logprobs": {"content": [weighed]}, "finish_reason": "stop"}]}
    chance = TokenChance("a", -0.5, (97,), (TokenChance("b", -1.0),))
    assert read(wire((json.dumps(chunk),)))[2:4] == [TextGrew("a"), Weighed((chance,))]


def test_a_custom_call_keeps_its_kind() -> None:
    head = {"id": "a", "type": "custom", "custom": {"name": "patch", "input": "***"}}
    assert reply_of({"tool_calls": [head]}).parts == (Call("a", "patch", "***", CallKind.CUSTOM),)


def test_the_one_call_of_the_older_format_is_a_call() -> None:
    reply = reply_of(
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": "{}"}},
        finish="function_call",
    )
    assert reply.parts == (Call("call_0", "f", "{}"),)
    assert reply.stop is Stop.CALLS


def test_a_call_without_an_id_gets_one_of_this_answer() -> None:
    reply = reply_of({"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]})
    assert reply.parts == (Call("call_x_0", "f", "{}"),)


def test_pieces_of_two_calls_that_are_mixed_up_break_the_answer() -> None:
    calls = [{"id": name, "function": {"name": "f", "arguments": "{"}} for name in "ab"]
    with pytest.raises(BrokenStream, match="mixed up"):
        read(told({"tool_calls": calls}, {"tool_calls": [{"id": "a", "function": {"arguments": "}"}}]}))
    with pytest.raises(BrokenStream, match="mixed up"):
        read(told({"tool_calls": calls[:1]}, {"content": "x"}, {"tool_calls": [{"function": {"arguments": "}"}}]}))


def test_a_call_without_a_name_breaks_the_answer() -> None:
    with pytest.raises(BrokenStream, match="without a name"):
        read(told({"tool_calls": [{"id": "a", "function": {"arguments": "{}"}}]}))


def test_an_empty_late_piece_of_a_call_is_nothing() -> None:
    calls = [{"id": name, "function": {"name": "f", "arguments": "{}"}} for name in "ab"]
    late = {"id": "a", "function": {"arguments": ""}}
    assert reply_of({"tool_calls": calls}, {"tool_calls": [late]}).parts == (Call("a", "f", "{}"), Call("b", "f", "{}"))


def test_text_after_a_call_is_a_new_part() -> None:
    head = {"id": "a", "function": {"name": "f", "arguments": "{}"}}
    assert reply_of({"content": "x"}, {"tool_calls": [head]}, {"content": "y"}).parts == (
        Text("x"),
        Call("a", "f", "{}"),
        Text("y"),
    )


def test_a_call_that_is_filled_with_blanks_breaks_the_answer() -> None:
    blank = {"tool_calls": [{"function": {"arguments": " " * 1024}}]}
    head = {"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{"}}]}
    with pytest.raises(BrokenStream, match="blanks"):
        read(told(head, *[blank] * (BLANK_LIMIT // 1024 + 1)))


def test_what_a_skill_of_githubs_found_is_no_text_of_the_answer() -> None:
    found = {"role": "function", "name": "bing", "content": '[{"url":"u"}]'}
    assert reply_of(found, {"role": "assistant", "content": "x"}).parts == (Text("x"),)


@pytest.mark.parametrize(
    ("finish", "stop"),
    [("stop", Stop.END), ("length", Stop.LENGTH), ("content_filter", Stop.FILTER), ("tool_calls", Stop.END)],
)
def test_each_end_has_its_name_and_calls_need_calls(finish: str, stop: Stop) -> None:
    assert reply_of({"content": "x"}, finish=finish).stop is stop


def test_an_answer_of_nothing_has_a_beginning_and_an_end() -> None:
    assert read(told()) == [Started(), end()]


def test_what_the_ledger_needs_stands_beside_the_events() -> None:
    reader = ReplyReader()
    reader.feed(wire(recordings.CLAUDE_TWO_CALLS[:5]))
    assert (reader.stop_reason, reader.counted, reader.done) == ("tool_calls", False, False)
    assert reader.output_bytes == len("I'll edit both.") + len('{"path": "a.py"')
    reader.feed(wire(recordings.CLAUDE_TWO_CALLS[5:]))
    assert (reader.stop_reason, reader.counted, reader.done) == ("tool_calls", True, True)
    assert reader.tally == Tally(input=2128, output=170)


# --- failures ------------------------------------------------------------------------------------------------


def test_an_error_within_the_stream_ends_the_events_where_they_are() -> None:
    reader = ReplyReader()
    events = check(reader.feed(wire((*FAILED, *recordings.NO_FINISH))))
    assert events[1:] == [
        PartOpened(TextHead()),
        TextGrew("Par"),
        Failed("The model is overloaded.", "model_overloaded"),
    ]
    assert (reader.done, reader.end()) == (True, [])


def test_an_error_is_known_in_a_last_frame_without_its_empty_line() -> None:
    reader = ReplyReader()
    reader.feed(wire(FAILED[1:]).rstrip(b"\n"))
    assert reader.end() == [Started(), Failed("The model is overloaded.", "model_overloaded")]


def test_an_answer_the_server_gave_up_is_a_broken_stream() -> None:
    with pytest.raises(BrokenStream):
        read(told({"content": "a"}, finish="error"))


@pytest.mark.parametrize("data", ["{", "[1]", "null", "[" * 100_000])
def test_a_frame_that_is_no_json_object_breaks_the_stream(data: str) -> None:
    with pytest.raises(BrokenStream):
        ReplyReader().feed(wire((data,)))


_NAMES = ["choices", "delta", "tool_calls", "function", "custom", "function_call", "id", "index", "content", "name"]
_NAMES += ["arguments", "input", "reasoning_text", "reasoning_opaque", "annotations", "logprobs", "usage", "error"]
_shapes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(_NAMES), inner),
)


@given(_shapes, st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(_NAMES, _shapes)), max_size=4))
def test_no_shape_of_a_chunk_breaks_the_grammar(chunk: object, deltas: list[dict[str, Any]]) -> None:
    reader = ReplyReader()
    chunks: list[object] = [{"choices": [{"delta": delta}]} for delta in deltas]
    events: list[Event] = []
    try:
        for each in [*chunks, chunk]:
            events += reader.feed(wire((json.dumps(each),)))
        events += reader.end()
    except BrokenStream:
        check_unfinished(events)
        return
    check(events)


# --- whole bodies --------------------------------------------------------------------------------------------


def of_body(body: object) -> Reply:
    return collect(check(ReplyReader.events_of_body(json.dumps(body).encode())))


def test_a_whole_answer_is_read_like_a_stream() -> None:
    message = {
        "role": "assistant",
        "content": "Reading.",
        "reasoning_text": "Hm.",
        "reasoning_opaque": "s",
        "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    reply = of_body({"id": "x", "choices": [{"finish_reason": "tool_calls", "message": message}], "usage": usage})
    assert reply == Reply(
        (Reasoning(("Hm.",), opaque("s")), Text("Reading."), Call("a", "f", "{}")),
        Stop.CALLS,
        None,
        Tally(input=3, output=4),
    )


def test_an_anthropic_body_is_understood_with_its_thinking() -> None:
    blocks = [
        {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
        {"type": "text", "text": "Hi"},
        {"type": "tool_use", "id": "t", "name": "read", "input": {"a": 1}},
    ]
    usage = {"input_tokens": 5, "output_tokens": 3}
    reply = of_body({"id": "m", "content": blocks, "stop_reason": "tool_use", "usage": usage})
    assert reply.parts == (Reasoning(("Hm.",), opaque("sig")), Text("Hi"), Call("t", "read", '{"a":1}'))
    assert reply.tally == Tally(input=5, output=3)


def test_an_answer_without_choices_ran_into_its_limit() -> None:
    assert of_body({"choices": [], "usage": {"prompt_tokens": 9}}) == Reply((), Stop.LENGTH, None, Tally(input=9))


def test_an_error_in_a_body_is_a_failure() -> None:
    events = ReplyReader.events_of_body(b'{"error":{"code":"rate_limited","message":"Slow."}}')
    assert events == [Started(), Failed("Slow.", "rate_limited")]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"a":1}', b"\xff"])
def test_a_body_that_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(BrokenStream):
        ReplyReader.events_of_body(body)
