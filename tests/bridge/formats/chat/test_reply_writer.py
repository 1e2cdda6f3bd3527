"""Events as a client's stream: it passes the strict reader, and says what the events said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.assembly import Reply, events_of
from bridge.errors import Shedding
from bridge.events import (
    CallHead,
    Cited,
    Event,
    Finished,
    PartClosed,
    PartOpened,
    ReasoningHead,
    Sealed,
    SectionBegan,
    Started,
    Stop,
    TextGrew,
    TextHead,
    Weighed,
)
from bridge.formats.chat import ReplyReader, ReplyWriter, write_error, write_reply
from bridge.parts import (
    Call,
    CallKind,
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
from bridge.road import Heading
from bridge.sse import FrameSplitter, data_of
from bridge.tally import Tally
from tests.bridge.formats.chat.headings import ID, a_heading
from tests.dialects.answer import Answer
from tests.dialects.chat_stream import validated, validated_failure, whole_chat

HEADING = a_heading()
TALLY = Tally(input=10, cached=20, cache_write=5, output=7, reasoning=3)
SEALED = Reasoning(("Hm.",), Seal(SealKind.OPAQUE, "s"))
FULL = Reply(
    (SEALED, Text("Grüß 🙂\u2028"), Call("a", "f", '{"x":1}'), Call("b", "p", "***", CallKind.CUSTOM)),
    Stop.CALLS,
    None,
    TALLY,
)


def stream_of(*events: Event, heading: Heading = HEADING) -> bytes:
    writer = ReplyWriter(heading)
    return b"".join(map(writer.write, events))


def written(reply: Reply, heading: Heading = HEADING) -> Answer:
    """The stream of a reply as a client adds it up."""
    body = stream_of(*events_of(reply), heading=heading)
    return validated(body, include_usage=heading.asked.include_usage, model="asked")


def message_of(reply: Reply) -> dict[str, Any]:
    whole = json.loads(write_reply(reply, HEADING))
    assert len(whole["choices"]) == 1
    message: dict[str, Any] = whole["choices"][0]["message"]
    return message


def chunks(body: bytes) -> list[dict[str, Any]]:
    datas = [data_of(frame) for frame in FrameSplitter().feed(body)]
    return [json.loads(data) for data in datas if data is not None and data != b"[DONE]"]


def test_a_whole_reply_arrives_whole_streamed_and_not() -> None:
    for answer in (written(FULL), whole_chat(write_reply(FULL, HEADING), model="asked")):
        assert (answer.id, answer.text, answer.reasoning, answer.stop) == (
            f"chatcmpl-{ID}",
            "Grüß 🙂\u2028",
            "Hm.",
            "tool_calls",
        )
        assert answer.seals == ["s"]
        assert [(call.id, call.name, call.arguments, call.kind) for call in answer.calls] == [
            ("a", "f", '{"x":1}', "function"),
            ("b", "p", "***", "custom"),
        ]
        assert answer.counts is not None
        answer.counts.check(TALLY)


def test_the_first_delta_has_the_role_and_the_first_of_a_call_its_name() -> None:
    first, *rest = chunks(stream_of(*events_of(Reply((Call("a", "f", "{}"),), Stop.CALLS))))
    head = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": None, "tool_calls": [head]}
    assert rest[0]["choices"][0]["delta"] == {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}
    assert rest[1]["choices"] == [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]


def test_nothing_goes_out_before_content_does() -> None:
    assert stream_of(Started(), PartOpened(TextHead())) == b""


def test_usage_is_sent_only_when_it_was_asked_for() -> None:
    body = stream_of(*events_of(FULL), heading=a_heading(include_usage=False))
    assert validated(body, include_usage=False).usage == {}
    assert written(FULL).usage == {
        "prompt_tokens": 35,
        "completion_tokens": 7,
        "total_tokens": 42,
        "prompt_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 5},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }


def test_an_answer_without_content_still_has_a_role_and_an_end() -> None:
    (first, usage) = chunks(stream_of(Started(), Finished(Stop.END)))
    assert first["choices"] == [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "stop"}]
    assert usage["choices"] == []
    assert message_of(Reply((), Stop.END)) == {"role": "assistant", "content": "", "refusal": None}


@pytest.mark.parametrize("calls", [(), (Call("a", "f", "{}"),)], ids=["text", "calls"])
@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        (Stop.END, "stop"),
        (Stop.CALLS, "stop"),
        (Stop.LENGTH, "length"),
        (Stop.CONTEXT, "length"),
        (Stop.SEQUENCE, "stop"),
        (Stop.FILTER, "content_filter"),
        (Stop.PAUSE, "stop"),
    ],
)
def test_each_end_has_its_word(stop: Stop, finish: str, calls: tuple[Call, ...]) -> None:
    reply = Reply((Text("x"), *calls), stop)
    expected = "tool_calls" if calls and finish == "stop" else finish
    assert written(reply).stop == whole_chat(write_reply(reply, HEADING)).stop == expected


def test_a_call_without_arguments_gets_an_empty_object() -> None:
    reply = Reply((Call("a", "f", ""), Call("b", "p", "", CallKind.CUSTOM)), Stop.CALLS)
    for answer in (written(reply), whole_chat(write_reply(reply, HEADING))):
        assert [call.arguments for call in answer.calls] == ["{}", ""]


def test_reasoning_goes_out_under_both_names_and_foreign_seals_not_at_all() -> None:
    foreign = Reasoning(("One.", "Two."), Seal(SealKind.SIGNATURE, "sig"))
    answer = written(Reply((foreign, Text("x")), Stop.END))
    assert (answer.reasoning, answer.seals) == ("One.\n\nTwo.", [])
    message = message_of(Reply((foreign, SEALED), Stop.END))
    assert message["reasoning_content"] == message["reasoning_text"] == "One.\n\nTwo.Hm."
    assert message["reasoning_opaque"] == "s"


def test_a_refusal_is_told_as_one() -> None:
    reply = Reply((Refusal("I won't."),), Stop.END)
    assert written(reply).refusals == ["I won't."]
    assert message_of(reply) == {"role": "assistant", "content": None, "refusal": "I won't."}


def test_citations_are_placed_in_the_whole_answer() -> None:
    reply = Reply(
        (Text("abc", (Citation("u", "U", 1, 2),)), SEALED, Text("defg", (Citation("v"),))), Stop.END, None, TALLY
    )
    expected = [
        {"type": "url_citation", "url_citation": {"url": "u", "title": "U", "start_index": 1, "end_index": 2}},
        {"type": "url_citation", "url_citation": {"url": "v", "title": "", "start_index": 3, "end_index": 7}},
    ]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks(stream_of(*events_of(reply))) if chunk["choices"]]
    assert [note for delta in deltas for note in delta.get("annotations", [])] == expected
    assert message_of(reply)["annotations"] == expected


def test_a_citation_that_comes_before_its_text_still_covers_it() -> None:
    body = stream_of(
        Started(),
        PartOpened(TextHead()),
        Cited(Citation("u")),
        TextGrew("abc"),
        PartClosed(),
        Finished(Stop.END),
    )
    notes = [chunk["choices"][0]["delta"].get("annotations") for chunk in chunks(body) if chunk["choices"]]
    assert [note[0]["url_citation"]["end_index"] for note in notes if note] == [3]


def test_log_probabilities_stand_beside_the_delta() -> None:
    chance = TokenChance("x", -0.5, (120,), (TokenChance("y", -1.5, (121,)),))
    reply = Reply((Text("x", chances=(chance,)),), Stop.END)
    assert written(reply).tokens == whole_chat(write_reply(reply, HEADING)).tokens == ["x"]
    body = stream_of(Started(), PartOpened(TextHead()), TextGrew("x"), Weighed((chance,)))
    assert chunks(body)[1]["choices"][0]["logprobs"]["content"][0]["top_logprobs"] == [
        {"token": "y", "logprob": -1.5, "bytes": [121]}
    ]
    assert ReplyReader().feed(body) == [Started(), PartOpened(TextHead()), TextGrew("x"), Weighed((chance,))]


def losses(*parts: Text | Search | Compaction) -> tuple[str, ...]:
    writer = ReplyWriter(HEADING)
    body = b"".join(writer.write(event) for event in events_of(Reply(parts, Stop.END)))
    validated(body, include_usage=True)
    return writer.dropped


def test_what_cannot_be_said_is_named() -> None:
    search = Search("s", "q", (Source("u"),))
    assert losses(Text("x")) == ()
    assert losses(search, Text("x")) == ("web_search_call",)
    assert losses(search, Text("x", (Citation("u"),))) == ()
    assert losses(search, Compaction(text="so far"), Text("x")) == ("web_search_call", "compaction")
    assert losses(Compaction(ciphertext="c")) == ("compaction",)


def test_what_was_written_reads_back_as_the_same_events() -> None:
    events: list[Event] = [
        Started(),
        PartOpened(ReasoningHead()),
        TextGrew("Hm."),
        Sealed(Seal(SealKind.OPAQUE, "s")),
        PartClosed(),
        PartOpened(TextHead()),
        TextGrew("a"),
        TextGrew("b"),
        PartClosed(),
        PartOpened(CallHead("c", "p", CallKind.CUSTOM)),
        TextGrew("***"),
        PartClosed(),
        Finished(Stop.CALLS, None, Tally(input=15, cached=20, output=7, reasoning=3)),
    ]
    reader = ReplyReader()
    assert reader.feed(stream_of(*events)) + reader.end() == events


def test_sections_of_a_thought_are_paragraphs() -> None:
    body = stream_of(Started(), PartOpened(ReasoningHead()), TextGrew("One."), SectionBegan(), TextGrew("Two."))
    assert "".join(chunk["choices"][0]["delta"]["reasoning_text"] for chunk in chunks(body)) == "One.\n\nTwo."


def test_a_stream_that_breaks_off_ends_with_the_error() -> None:
    error = Shedding("Busy.")
    writer = ReplyWriter(HEADING)
    before = writer.write(Started()) + writer.write(PartOpened(TextHead())) + writer.write(TextGrew("x"))
    failure = validated_failure(before + writer.fail(error, "Busy."), model="asked")
    assert (failure.type, failure.code, failure.message) == ("overloaded_error", "overloaded", "Busy.")
    assert data_of(writer.fail(error, "Busy.")) == write_error(error, "Busy.", "req")


def test_a_keepalive_is_a_comment() -> None:
    assert ReplyWriter(HEADING).keepalive().startswith(b": ")
    assert data_of(ReplyWriter(HEADING).keepalive()) is None
