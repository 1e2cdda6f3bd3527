"""Events written as a Responses stream: every stream passes the strict reader and says what the events said."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.assembly import collect, events_of
from bridge.dialect import Dialect
from bridge.errors import Unreachable
from bridge.events import (
    CallHead,
    Cited,
    CompactionHead,
    Event,
    Failed,
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
from bridge.formats.responses import ReplyReader, ReplyWriter, write_reply
from bridge.formats.responses.verbatim import StreamTap
from bridge.parts import Citation, Seal, SealKind
from bridge.tally import Tally
from tests.bridge.event_strategies import normal, streams
from tests.bridge.formats.responses.recordings import MODEL, REQUEST_ID, heading
from tests.bridge.grammar import check
from tests.dialects.answer import Answer
from tests.dialects.responses_stream import validated, validated_failure, whole_response

USED = Tally(400, 1000, 100, 80, 30)
END = Finished(Stop.END, None, USED)


def written(*events: Event, **members: Any) -> tuple[bytes, ReplyWriter]:
    writer = ReplyWriter(heading(**members))
    return b"".join(writer.write(event) for event in (Started(), *events)), writer


def answered(*events: Event, **members: Any) -> Answer:
    return validated(written(*events, **members)[0], model=MODEL)


def text(said: str, phase: str = "") -> tuple[Event, ...]:
    return PartOpened(TextHead(phase)), TextGrew(said), PartClosed()


@given(streams(Dialect.RESPONSES))
def test_what_is_written_passes_the_strict_reader_and_is_read_back(events: list[Event]) -> None:
    stream, writer = written(*events[1:])
    answer = validated(stream, model=MODEL)
    reply = collect(events)
    assert answer.counts is not None
    answer.counts.check(reply.tally)
    reader = ReplyReader()
    back = check([*reader.feed(stream), *reader.end()])
    said = normal(reply, Dialect.RESPONSES)
    assert normal(collect(back), Dialect.RESPONSES) == said
    assert normal(collect(ReplyReader.events_of_body(writer.response_object)), Dialect.RESPONSES) == said


@given(streams(Dialect.RESPONSES), st.integers(1, 400))
def test_the_tap_passes_on_what_the_writer_wrote(events: list[Event], size: int) -> None:
    stream, writer = written(*events[1:])
    tap = StreamTap(heading())
    packets = [stream[start : start + size] for start in range(0, len(stream), size)]
    passed = b"".join(tap.feed(packet) for packet in packets) + tap.end()
    assert validated(passed).whole["output"] == json.loads(writer.response_object)["output"]


@given(streams(Dialect.RESPONSES))
def test_a_whole_answer_says_what_the_stream_says(events: list[Event]) -> None:
    reply = collect(events)
    body = write_reply(reply, heading(stream=False))
    answer = whole_response(body, model=MODEL)
    streamed = answered(*list(events_of(reply))[1:])
    assert answer.whole["output"] == streamed.whole["output"]
    assert answer.usage == streamed.usage


def test_nothing_is_written_before_the_first_part() -> None:
    writer = ReplyWriter(heading())
    assert writer.write(Started()) == b""
    first = writer.write(PartOpened(TextHead()))
    assert first.startswith(b"event: response.created\n")
    assert b"event: response.in_progress\n" in first


def test_texts_of_one_phase_are_parts_of_one_message() -> None:
    answer = answered(*text("One."), *text("Two."), *text("Three.", "commentary"), END)
    assert [[part["text"] for part in item["content"]] for item in answer.whole["output"]] == [
        ["One.", "Two."],
        ["Three."],
    ]
    assert [item.get("phase") for item in answer.whole["output"]] == [None, "commentary"]


def test_ids_are_made_of_the_requests_own() -> None:
    answer = answered(PartOpened(ReasoningHead()), TextGrew("Hm."), PartClosed(), *text("Hi"), END)
    assert answer.id == f"resp_{REQUEST_ID}"
    assert [item["id"] for item in answer.whole["output"]] == [f"rs_{REQUEST_ID}_0", f"msg_{REQUEST_ID}_1"]


def test_ciphertext_stands_in_the_finished_item() -> None:
    sealed = (PartOpened(ReasoningHead()), Sealed(Seal(SealKind.CIPHERTEXT, "gA")), PartClosed())
    assert answered(*sealed, END).seals == ["gA"]


def test_a_call_without_arguments_has_an_empty_object() -> None:
    answer = answered(PartOpened(CallHead("c", "pwd")), PartClosed(), Finished(Stop.CALLS, None, USED))
    assert answer.calls[0].arguments == "{}"


def test_a_shell_call_goes_to_a_caller_who_gave_that_tool() -> None:
    call = (
        PartOpened(CallHead("c", "local_shell")),
        TextGrew('{"command":["ls"]}'),
        PartClosed(),
        Finished(Stop.CALLS, None, USED),
    )
    stream, writer = written(*call, tools=[{"type": "local_shell"}])
    (item,) = json.loads(writer.response_object)["output"]
    assert item == {
        "id": f"lsh_{REQUEST_ID}_0",
        "type": "local_shell_call",
        "call_id": "c",
        "action": {"type": "exec", "command": ["ls"], "env": {}},
        "status": "completed",
    }
    assert stream.count(b"event: response.output_item.") == 2
    assert answered(*call).calls[0].name == "local_shell"


@pytest.mark.parametrize(
    ("stop", "told"),
    [
        (Stop.END, "completed"),
        (Stop.CALLS, "completed"),
        (Stop.SEQUENCE, "completed"),
        (Stop.PAUSE, "completed"),
        (Stop.LENGTH, "max_output_tokens"),
        (Stop.CONTEXT, "max_output_tokens"),
        (Stop.FILTER, "content_filter"),
    ],
)
def test_every_reason_to_stop_has_its_word(stop: Stop, told: str) -> None:
    assert answered(*text("Hi"), Finished(stop, None, USED)).stop == told


def test_the_response_says_again_what_was_asked_and_openais_defaults() -> None:
    tool = {"type": "function", "name": "read", "parameters": {}}
    asked: dict[str, Any] = {
        "instructions": "Be brief.",
        "metadata": {"a": "b"},
        "tools": [tool],
        "tool_choice": {"type": "function", "name": "read"},
        "temperature": 0.2,
        "max_output_tokens": 100,
        "previous_response_id": "resp_before",
        "store": False,
        "parallel_tool_calls": False,
    }
    whole = answered(*text("Hi"), END, **asked, text={"verbosity": "low"}, reasoning={"effort": "low"}).whole
    assert {name: whole[name] for name in asked} == asked
    assert whole["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert whole["reasoning"] == {"effort": "low", "summary": None}
    plain = answered(*text("Hi"), END, metadata=None).whole
    assert {name: plain[name] for name in ("metadata", "tools", "tool_choice", "store", "truncation", "top_p")} == {
        "metadata": {},
        "tools": [],
        "tool_choice": "auto",
        "store": True,
        "truncation": "disabled",
        "top_p": 1.0,
    }
    assert whole["created_at"] == 1_760_000_000


def test_a_citation_without_a_place_is_of_the_text_so_far() -> None:
    cited = (PartOpened(TextHead()), TextGrew("Rain."), Cited(Citation("https://a.example/")), PartClosed(), END)
    (note,) = answered(*cited).whole["output"][0]["content"][0]["annotations"]
    assert (note["start_index"], note["end_index"], note["title"]) == (0, 5, "")


def test_what_cannot_be_said_is_named() -> None:
    digest = (PartOpened(CompactionHead()), TextGrew("Long ago."), PartClosed())
    cited = (PartOpened(TextHead()), TextGrew("x"), Cited(Citation("", quote="y")), PartClosed())
    stream, writer = written(*digest, *cited, END)
    assert writer.dropped == ("compaction", "citations")
    assert len(validated(stream).whole["output"]) == 1


def test_a_stream_that_breaks_off_ends_in_response_failed() -> None:
    writer = ReplyWriter(heading())
    begun = (Started(), *text("One.", "commentary"), PartOpened(TextHead()), TextGrew("Tw"))
    out = b"".join(writer.write(event) for event in begun)
    out += writer.fail(Unreachable("Gone."), "The upstream is gone.")
    failure = validated_failure(out, model=MODEL)
    assert (failure.code, failure.message) == ("server_error", "The upstream is gone.")
    assert b'"One."' in out.rsplit(b"event: ", 1)[1]


def test_a_stream_that_breaks_off_before_it_began_still_is_one() -> None:
    failure = validated_failure(ReplyWriter(heading()).fail(Unreachable("Gone."), "Gone."), model=MODEL)
    assert len(failure.events) == 2


def test_a_failure_event_is_not_the_writers_to_say() -> None:
    assert ReplyWriter(heading()).write(Failed("No.")) == b""


def test_silence_is_bridged_by_the_opening_and_then_by_events() -> None:
    writer = ReplyWriter(heading())
    pieces = [writer.keepalive(), writer.keepalive()]
    pieces += [writer.write(event) for event in (*text("Hi"), END)]
    assert validated(b"".join(pieces), model=MODEL).pings == 1


def test_a_try_after_the_reply_was_opened_goes_on_behind_it() -> None:
    opening = ReplyWriter(heading()).keepalive()
    writer = ReplyWriter(replace(heading(), started=2))
    assert validated(opening + b"".join(writer.write(event) for event in (*text("Hi"), END))).text == "Hi"
