"""Messages: events written as a stream and as a whole answer that every client of Anthropic's understands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.assembly import Reply, ReplyPart, collect, events_of
from bridge.errors import Exhausted
from bridge.events import (
    CallHead,
    CompactionHead,
    Event,
    Finished,
    PartClosed,
    PartOpened,
    ReasoningHead,
    Sealed,
    Searched,
    SearchHead,
    SectionBegan,
    Started,
    Stop,
    TextGrew,
    TextHead,
    Weighed,
)
from bridge.formats.messages import ReplyReader, ReplyWriter, write_reply
from bridge.parts import (
    Call,
    Citation,
    Compaction,
    Reasoning,
    Refusal,
    Seal,
    SealKind,
    Search,
    Source,
    Text,
    TokenChance,
)
from bridge.tally import Tally
from tests.bridge.formats.messages.recordings import ALL, wire
from tests.bridge.formats.messages.recordings import events_of as objects_of
from tests.bridge.formats.messages.upstream import heading_of
from tests.dialects.answer import Answer
from tests.dialects.messages_stream import validated, validated_failure, whole_message

TALLY = Tally(input=3, cached=5, cache_write=7, output=11, reasoning=2)
FULL = Reply(
    (
        Reasoning(("one", "two"), Seal(SealKind.SIGNATURE, "sig")),
        Reasoning((), Seal(SealKind.REDACTED, "data")),
        Search("s", "query", (Source("https://example.com", "T"),)),
        Text("said", (Citation("https://example.com", "T", quote="q"), Citation("", "Book", quote="p"))),
        Compaction(text="short"),
        Call("call|1", "f", '{"a": 1}'),
        Call("call_2", "g", ""),
    ),
    Stop.CALLS,
    tally=TALLY,
)


def stream(*events: Event) -> bytes:
    writer = ReplyWriter(heading_of())
    return b"".join(writer.write(event) for event in events)


def answered(reply: Reply) -> Answer:
    return validated(stream(*events_of(reply)), model="sonnet")


def test_every_part_is_written_and_the_bill_with_it() -> None:
    answer = answered(FULL)
    assert answer.id == "msg_" + "0123456789abcdef" * 2
    assert answer.reasonings == ["one\n\ntwo"]
    assert answer.seals == ["sig", "data"]
    assert answer.searches == [("query", ("https://example.com",))]
    assert (answer.texts, answer.citations) == (["said"], ["https://example.com", ""])
    assert answer.compactions == ["short"]
    assert [(call.name, call.arguments) for call in answer.calls] == [("f", '{"a": 1}'), ("g", "")]
    assert answer.counts is not None
    answer.counts.check(TALLY)
    assert answer.usage["server_tool_use"]["web_search_requests"] == 1


def test_a_whole_answer_says_the_same_as_the_stream() -> None:
    whole = whole_message(write_reply(FULL, heading_of(stream=False)), model="sonnet")
    streamed = answered(FULL)
    assert whole.whole["content"] == streamed.whole["content"]
    assert whole.usage == streamed.usage
    assert (whole.stop, whole.id) == (streamed.stop, streamed.id)


@pytest.mark.parametrize("recording", ALL)
def test_what_was_read_from_the_upstream_is_written_as_a_good_stream(recording: tuple[str, ...]) -> None:
    reader = ReplyReader()
    events = [*reader.feed(wire(recording)), *reader.end()]
    again = ReplyReader()
    told = collect([*again.feed(stream(*events)), *again.end()])
    validated(stream(*events))
    assert told.parts == collect(events).parts
    assert told.stop is collect(events).stop


@pytest.mark.parametrize(
    ("stop", "word"),
    [
        (Stop.END, "end_turn"),
        (Stop.CALLS, "end_turn"),
        (Stop.LENGTH, "max_tokens"),
        (Stop.SEQUENCE, "stop_sequence"),
        (Stop.FILTER, "refusal"),
        (Stop.PAUSE, "pause_turn"),
        (Stop.CONTEXT, "model_context_window_exceeded"),
    ],
)
def test_every_stop_has_its_word(stop: Stop, word: str) -> None:
    sequence = "###" if stop is Stop.SEQUENCE else None
    reply = Reply((Text("x"),), stop, sequence, TALLY)
    whole = whole_message(write_reply(reply, heading_of()))
    assert (answered(reply).stop, whole.stop) == (word, word)
    assert (answered(reply).sequence, whole.sequence) == (sequence, sequence)


def test_a_call_makes_the_stop_a_tool_use_and_a_refusal_a_refusal() -> None:
    assert answered(Reply((Call("t", "f", "{}"),), Stop.END)).stop == "tool_use"
    assert answered(Reply((Call("t", "f", '{"a'),), Stop.LENGTH)).stop == "max_tokens"
    assert answered(Reply((Refusal("no"),), Stop.END)).stop == "refusal"
    assert whole_message(write_reply(Reply((Refusal("no"),), Stop.END), heading_of())).texts == ["no"]


def test_nothing_goes_out_before_the_first_part() -> None:
    writer = ReplyWriter(heading_of())
    assert writer.write(Started(TALLY)) == b""
    start = objects_of(writer.write(PartOpened(TextHead())))
    assert [event["type"] for event in start] == ["message_start", "content_block_start"]
    assert start[0]["message"]["usage"]["input_tokens"] == 3


def test_the_prompts_size_is_estimated_where_the_upstream_does_not_tell_it() -> None:
    start = objects_of(stream(Started(), PartOpened(TextHead())))[0]
    assert start["message"]["usage"]["input_tokens"] == 7
    uncounted = validated(stream(Started(), Finished(Stop.END, counted=False)))
    assert uncounted.usage["input_tokens"] == 7


def test_an_empty_answer_is_a_whole_message() -> None:
    answer = validated(stream(Started(), Finished(Stop.END, tally=TALLY)))
    assert (answer.texts, answer.stop) == ([], "end_turn")
    assert whole_message(write_reply(Reply((), Stop.END, tally=TALLY), heading_of())).texts == []


def test_thinking_starts_with_its_first_words_or_its_seal() -> None:
    def kinds(*growth: Event) -> list[str]:
        events = (Started(), PartOpened(ReasoningHead()), *growth, PartClosed(), Finished(Stop.END))
        return [block["type"] for block in validated(stream(*events)).whole["content"]]

    assert kinds(TextGrew("x")) == ["thinking"]
    assert kinds(TextGrew("x"), SectionBegan(), TextGrew("y"), Sealed(Seal(SealKind.SIGNATURE, "s"))) == ["thinking"]
    assert kinds(Sealed(Seal(SealKind.SIGNATURE, "s"))) == ["thinking"]
    assert kinds(Sealed(Seal(SealKind.REDACTED, "d"))) == ["redacted_thinking"]
    assert kinds() == ["thinking"]


@pytest.mark.parametrize("kind", [SealKind.SIGNATURE, SealKind.REDACTED])
def test_a_seal_without_words_is_never_the_last_block_behind_others(kind: SealKind) -> None:
    sealed = Reasoning((), Seal(kind, "s"))
    text, call = Text("x"), Call("t", "f", "{}")
    shown: list[tuple[tuple[ReplyPart, ...], list[str]]] = [
        ((text, sealed), []),
        ((text, sealed, sealed), []),
        ((sealed, text), ["s"]),
        ((text, sealed, sealed, call), ["s", "s"]),
        ((text, sealed, Search("s", "q")), ["s"]),
        ((text, sealed, Reasoning(("words",))), ["s"]),
        ((sealed, sealed), ["s", "s"]),
    ]
    for parts, seals in shown:
        reply = Reply(parts, Stop.END)
        assert answered(reply).seals == seals
        assert whole_message(write_reply(reply, heading_of())).seals == seals
    writer = ReplyWriter(heading_of())
    for event in events_of(Reply((text, sealed), Stop.END)):
        writer.write(event)
    assert writer.dropped == ("thinking",)


def test_what_cannot_be_said_is_named() -> None:
    writer = ReplyWriter(heading_of())
    events: tuple[Event, ...] = (
        Started(),
        PartOpened(TextHead()),
        TextGrew("x"),
        Weighed((TokenChance("x", -0.1),)),
        PartClosed(),
        PartOpened(CompactionHead()),
        Sealed(Seal(SealKind.CIPHERTEXT, "c")),
        PartClosed(),
        PartOpened(ReasoningHead()),
        Sealed(Seal(SealKind.OPAQUE, "o")),
        PartClosed(),
        Finished(Stop.END, tally=TALLY),
    )
    validated(b"".join(writer.write(event) for event in events))
    assert writer.dropped == ("logprobs", "compaction", "thinking")


def test_a_search_that_told_nothing_is_still_two_blocks() -> None:
    events = (Started(), PartOpened(SearchHead("s")), PartClosed(), Finished(Stop.END, tally=TALLY))
    assert validated(stream(*events)).searches == [("", ())]
    told = (Started(), PartOpened(SearchHead("srvtoolu_1")), Searched("q"), PartClosed(), Finished(Stop.END))
    blocks: list[dict[str, Any]] = validated(stream(*told)).whole["content"]
    assert [block.get("id") or block["tool_use_id"] for block in blocks] == ["srvtoolu_1", "srvtoolu_1"]


def test_calls_carry_ids_that_fit() -> None:
    heads = (CallHead("functions.f:0", "f"), CallHead("x" * 90, "g"))
    opened = [event for head in heads for event in (PartOpened(head), TextGrew("{}"), PartClosed())]
    calls = validated(stream(Started(), *opened, Finished(Stop.CALLS))).calls
    assert len({call.id for call in calls}) == 2
    assert all(len(call.id) <= 64 for call in calls)


def test_a_failure_ends_the_stream_and_may_stand_alone() -> None:
    writer = ReplyWriter(heading_of())
    alone = writer.fail(Exhausted("x"), "No credits.")
    assert validated_failure(alone).type == "billing_error"
    begun = writer.write(Started()) + writer.write(PartOpened(TextHead())) + writer.write(TextGrew("x"))
    assert validated_failure(begun + alone).message == "No credits."


def test_calls_in_a_whole_answer_are_objects_whatever_the_model_wrote() -> None:
    reply = Reply((Call("a", "f", '{"x'), Call("b", "f", "")), Stop.LENGTH)
    content = json.loads(write_reply(reply, heading_of()))["content"]
    assert [block["input"] for block in content] == [{"_raw_arguments": '{"x'}, {}]
