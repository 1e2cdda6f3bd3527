"""The upstream's answer as events: every family says what its recording says, wherever it is cut."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.assembly import Reply, collect
from bridge.errors import BrokenStream
from bridge.events import (
    CallHead,
    Event,
    Finished,
    PartClosed,
    PartOpened,
    ReasoningHead,
    Sealed,
    Started,
    Stop,
    TextGrew,
    TextHead,
)
from bridge.formats.chat import ReplyReader
from bridge.parts import Call, Reasoning, Seal, SealKind, Text
from bridge.tally import Tally
from tests.bridge.formats.chat.generated import Answer, answers
from tests.bridge.formats.chat.recordings import WHOLE, wire
from tests.bridge.grammar import check, check_unfinished


def read(*packets: bytes) -> list[Event]:
    reader = ReplyReader()
    events = [event for packet in packets for event in reader.feed(packet)]
    return check([*events, *reader.end()])


def told(*deltas: dict[str, Any], finish: str = "stop") -> bytes:
    """A stream of these deltas, one chunk each, and its end."""
    chunks: list[dict[str, Any]] = [{"id": "x", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    chunks.append({"id": "x", "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    return wire((*map(json.dumps, chunks), "[DONE]"))


def reply_of(*deltas: dict[str, Any], finish: str = "stop") -> Reply:
    return collect(read(told(*deltas, finish=finish)))


def opaque(value: str) -> Seal:
    return Seal(SealKind.OPAQUE, value)


def text(*pieces: str) -> list[Event]:
    return [PartOpened(TextHead()), *map(TextGrew, pieces), PartClosed()]


def call(call_id: str, name: str, *pieces: str) -> list[Event]:
    return [PartOpened(CallHead(call_id, name)), *map(TextGrew, pieces), PartClosed()]


def thought(*pieces: str, seal: str = "") -> list[Event]:
    sealed = [Sealed(opaque(seal))] if seal else []
    return [PartOpened(ReasoningHead()), *map(TextGrew, pieces), *sealed, PartClosed()]


def end(stop: Stop = Stop.END, tally: Tally | None = None) -> Finished:
    return Finished(stop, None, tally or Tally(), counted=tally is not None)


EXPECTED: dict[str, list[Event]] = {
    "openai old": [*text("Hello", ", wörld\u2028 🙂"), end()],
    "openai new": [*text("hello", ' "model":\u2028 grüß 🙂\n'), end(tally=Tally(input=965, output=93))],
    "gpt tool call": [
        *call("call_ZQkS", "copilot_searchCodebase", '{"', 'query":"ü"}'),
        end(Stop.CALLS, Tally(input=218)),
    ],
    "claude, two calls with index 0": [
        *text("I", "'ll edit both."),
        *call("tooluse_448k6WHn", "edit_file", '{"path": "a.py"', "}"),
        *call("tooluse_2SRF2HSh", "edit_file", '{"path": "b.py"}'),
        end(Stop.CALLS, Tally(input=2128, output=170)),
    ],
    "claude, index from 1": [
        *text("Reading", " it"),
        *call("toolu_vrtx_01", "edit_file", '{"path":"c.py"}'),
        end(Stop.CALLS, Tally(input=30, cached=60, cache_write=10, output=20, nano=39_000_000)),
    ],
    "gemini tools": [
        *thought("**Understanding**\n\n", seal="4CUQ6696"),
        *call("call_abc123", "read_file", '{"filePath":"/README.md"}'),
        *call("call_def456", "read_file", '{"filePath":"/mix.exs"}'),
        end(Stop.CALLS, Tally(input=2513, cached=17068, output=187, reasoning=134)),
    ],
    "gemini, opaque at the end": [
        *text("Yes."),
        *thought(seal="sealed=="),
        end(tally=Tally(input=9, output=2)),
    ],
    "cot_id after finish": [*thought("Thinking it over."), *text("42"), end()],
    "no finish reason": [*text("All", " done."), end()],
    "no finish reason, a call": [*call("tooluse_1", "edit_file", '{"a":1}'), end(Stop.CALLS)],
    "stop with a call": [*call("tooluse_1", "edit_file", '{"a":1}'), end(Stop.CALLS)],
    "split choices": [
        *text("Looking."),
        *call("toolu_1", "read_file", "{}"),
        *call("toolu_2", "read_file", "{}"),
        end(Stop.CALLS),
    ],
}


def test_every_recording_has_its_events() -> None:
    assert EXPECTED.keys() == WHOLE.keys()


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("name", WHOLE)
def test_every_family_becomes_the_same_events_wherever_it_is_cut(name: str, line_end: bytes) -> None:
    stream, expected = wire(WHOLE[name][0], line_end), [Started(), *EXPECTED[name]]
    assert read(stream) == expected
    for cut in range(1, len(stream), 1 if line_end == b"\n" else 7):
        assert read(stream[:cut], stream[cut:]) == expected, cut
    assert read(*(bytes([byte]) for byte in stream)) == expected


@pytest.mark.parametrize("name", WHOLE)
def test_comments_bare_events_and_several_data_lines_change_nothing(name: str) -> None:
    frames = [b"event: message\nid: 1\n" + wire((text,)) for text in WHOLE[name][0]]
    split = [frame.replace(b'{"choices":', b'{"choices":\ndata: ', 1) for frame in frames]
    stream = b": ping\n\n" + b": again\n\nevent: ping\n\n".join(split)
    assert read(stream) == [Started(), *EXPECTED[name]]


@settings(max_examples=100, deadline=None)
@given(answers(), st.lists(st.integers(0, 4000), max_size=8))
def test_any_answer_in_any_manner_is_read_whole(answer: Answer, cuts: list[int]) -> None:
    stream = wire(answer.recording)
    borders = sorted({0, len(stream), *(cut % len(stream) for cut in cuts)})
    reply = collect(read(*(stream[start:end] for start, end in pairwise(borders))))
    assert "".join(part.text for part in reply.parts if isinstance(part, Text)) == answer.text
    assert [(part.name, part.arguments) for part in reply.parts if isinstance(part, Call)] == list(answer.calls)
    assert reply.stop == {"stop": Stop.END, "tool_calls": Stop.CALLS, "length": Stop.LENGTH}.get(
        answer.finish if answer.finish != "tool_calls" or answer.calls else "stop"
    )
    assert reply.tally == answer.tally


@pytest.mark.parametrize("name", WHOLE)
def test_a_body_that_ends_before_the_answer_does_is_never_an_answer(name: str) -> None:
    recording = WHOLE[name][0]
    stream = wire(recording)
    last = next(number for number, text in enumerate(recording) if text == "[DONE]" or '"finish_reason":"' in text)
    for cut in range(0, len(wire(recording[: last + 1])) - 3, 5):
        reader = ReplyReader()
        check_unfinished(reader.feed(stream[:cut]))
        with pytest.raises(BrokenStream):
            reader.end()


# --- reasoning and its seal ----------------------------------------------------------------------------------


def test_a_seal_stands_last_in_the_thought_that_is_open_and_once() -> None:
    reply = reply_of(
        {"reasoning_text": "Hm. ", "reasoning_opaque": "s"},
        {"reasoning_text": "Ah.", "reasoning_opaque": "s"},
        {"content": "x"},
        {"reasoning_opaque": "s"},
    )
    assert reply.parts == (Reasoning(("Hm. Ah.",), opaque("s")), Text("x"))


def test_a_seal_that_comes_with_the_words_stands_before_them() -> None:
    parts = (Reasoning(("Hm.",), opaque("s")), Text("ab"))
    assert (
        reply_of({"reasoning_text": "Hm."}, {"content": "a", "reasoning_opaque": "s"}, {"content": "b"}).parts == parts
    )
    assert reply_of({"content": "a", "reasoning_opaque": "s"}).parts == (Reasoning((), opaque("s")), Text("a"))


def test_a_late_seal_is_a_part_of_its_own() -> None:
    reply = reply_of({"reasoning_text": "Hm."}, {"content": "a"}, {"reasoning_opaque": "s"}, {"content": "b"})
    assert reply.parts == (Reasoning(("Hm.",)), Text("a"), Reasoning((), opaque("s")), Text("b"))


def test_a_seal_within_a_call_waits_for_its_end() -> None:
    head = {"id": "a", "function": {"name": "f", "arguments": "{"}}
    reply = reply_of(
        {"tool_calls": [head]}, {"reasoning_opaque": "s"}, {"tool_calls": [{"function": {"arguments": "}"}}]}
    )
    assert reply.parts == (Call("a", "f", "{}"), Reasoning((), opaque("s")))


def test_a_seal_of_several_choices_is_one_seal() -> None:
    choices = [{"index": n, "delta": {"content": "x", "reasoning_opaque": "s"}} for n in range(2)]
    reply = collect(read(wire((json.dumps({"choices": choices}), "[DONE]"))))
    assert reply.parts == (Reasoning((), opaque("s")), Text("xx"))


@pytest.mark.parametrize("name", ["reasoning_text", "reasoning_content", "cot_summary", "thinking"])
def test_reasoning_is_known_under_all_its_names(name: str) -> None:
    assert reply_of({name: "Hm."}, {"content": "x"}).parts == (Reasoning(("Hm.",)), Text("x"))


def test_anthropics_signature_is_the_seal_of_its_thinking() -> None:
    reply = reply_of({"thinking": "Hm."}, {"signature": "sig"}, {"content": "x"})
    assert reply.parts == (Reasoning(("Hm.",), opaque("sig")), Text("x"))
