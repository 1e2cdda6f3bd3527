"""Responses streams read into events: every recording, every cut, every disorder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bridge.assembly import collect
from bridge.errors import BrokenStream
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
    RefusalHead,
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
from bridge.formats.responses import ReplyReader
from bridge.parts import Call, CallKind, Citation, Reasoning, Seal, SealKind, Source, Text, TokenChance
from bridge.tally import Tally
from tests.bridge.formats.responses.recordings import (
    BILL,
    USAGE,
    Upstream,
    bare,
    call,
    custom_call,
    message,
    reasoning,
    searching,
    thoughtful,
)
from tests.bridge.grammar import check, check_unfinished

BILLED = Tally(400, 1000, 100, 80, 30, nano=155_000_000)
DONE = Seal(SealKind.CIPHERTEXT, "gAAAAAdone")
HELLO = "Grüß dich,\u2028 🙂"
RECORDINGS: dict[str, tuple[Callable[[], Upstream], list[Event]]] = {
    "thoughtful": (
        thoughtful,
        [
            Started(),
            PartOpened(ReasoningHead()),
            TextGrew("Look "),
            TextGrew("first."),
            Sealed(DONE),
            PartClosed(),
            PartOpened(TextHead("commentary")),
            TextGrew(HELLO[:4]),
            TextGrew(HELLO[4:]),
            PartClosed(),
            PartOpened(CallHead("call_a", "read_file")),
            TextGrew('{"pat'),
            TextGrew('h":"a.txt"}'),
            PartClosed(),
            PartOpened(CallHead("call_c", "exec", CallKind.CUSTOM, "functions")),
            TextGrew("ls -l"),
            PartClosed(),
            Finished(Stop.CALLS, None, BILLED),
        ],
    ),
    "searching": (
        searching,
        [
            Started(),
            PartOpened(SearchHead("ws_")),
            Searched("weather", (Source("https://a.example/"),)),
            PartClosed(),
            PartOpened(TextHead()),
            TextGrew("It rains."),
            Cited(Citation("https://a.example/", "A", 0, 9)),
            PartClosed(),
            Finished(Stop.END, None, BILLED),
        ],
    ),
    "bare": (
        bare,
        [
            Started(),
            PartOpened(TextHead("final_answer")),
            TextGrew(HELLO[:4]),
            TextGrew(HELLO[4:]),
            PartClosed(),
            Finished(Stop.END, None, BILLED),
        ],
    ),
}


def read(packets: Sequence[bytes]) -> list[Event]:
    reader = ReplyReader()
    events = [event for packet in packets for event in reader.feed(packet)]
    return check(events + reader.end())


def of(stream: Upstream) -> list[Event]:
    return read([stream.wire()])


def without_search_ids(events: list[Event]) -> list[Event]:
    known = [event.head for event in events if isinstance(event, PartOpened) and isinstance(event.head, SearchHead)]
    assert all(len(head.id) < 40 for head in known)
    return [
        PartOpened(SearchHead("ws_")) if isinstance(event, PartOpened) and event.head in known else event
        for event in events
    ]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("name", RECORDINGS)
def test_every_recording_says_the_same_wherever_it_is_cut(name: str, line_end: bytes) -> None:
    recording, said = RECORDINGS[name]
    stream = recording().wire(line_end)
    whole = read([stream])
    assert without_search_ids(whole) == said
    for cut in range(1, len(stream), 11):
        assert read([stream[:cut], stream[cut:]]) == whole, cut
    assert read([bytes([byte]) for byte in stream]) == whole


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_whole_body_says_the_same_as_the_stream(name: str) -> None:
    recording, _ = RECORDINGS[name]
    stream = recording()
    body = {"status": "completed", "output": stream.items, "usage": USAGE, "copilot_usage": BILL}
    events = check(ReplyReader.events_of_body(json.dumps(body).encode()))
    streamed = collect(without_search_ids(of(stream)))
    assert collect(without_search_ids(events)) == streamed


def test_what_is_known_of_the_reply_is_known_while_it_comes() -> None:
    reader = ReplyReader()
    stream = thoughtful()
    for frame in stream.frames()[:-1]:
        reader.feed(frame)
    said = ["Look first.", HELLO, '{"path":"a.txt"}', "ls -l"]
    assert reader.output_bytes == sum(len(text.encode()) for text in said)
    assert (reader.done, reader.counted, reader.stop_reason) == (False, False, "")
    reader.feed(stream.frames()[-1])
    assert (reader.done, reader.counted, reader.stop_reason) == (True, True, "completed")
    assert reader.tally == BILLED
    assert reader.feed(stream.wire()) == []


@pytest.mark.parametrize("count", range(0, 27, 3))
def test_a_stream_that_is_cut_is_grammatical_up_to_there_and_broken(count: int) -> None:
    reader = ReplyReader()
    events = [event for frame in thoughtful().frames()[:count] for event in reader.feed(frame)]
    check_unfinished(events)
    with pytest.raises(BrokenStream):
        reader.end()


def test_items_that_grow_side_by_side_become_parts_one_after_the_other() -> None:
    first, second = Upstream(), Upstream()
    call(first, 0, "call_a")
    call(second, 1, "call_b", '{"b":1}')
    mixed = [frame for pair in zip(second.frames(), first.frames(), strict=True) for frame in pair]
    end = Upstream()
    end.items = first.items + second.items
    events = read([*mixed, end.end().wire()])
    assert [part for part in collect(events).parts if isinstance(part, Call)] == [
        Call("call_b", "read_file", '{"b":1}'),
        Call("call_a", "read_file", '{"path":"a.txt"}'),
    ]


def test_an_item_whose_end_is_missing_is_closed_by_the_terminal_event() -> None:
    frames = call(message(Upstream().begin(), 0), 1).frames()[:-2]
    end = Upstream()
    end.items = call(message(Upstream(), 0), 1).items
    reply = collect(read([*frames, end.end().wire()]))
    assert [type(part) for part in reply.parts] == [Text, Call]
    assert reply.stop is Stop.CALLS


def test_an_answer_that_was_cut_ends_with_its_reason() -> None:
    stream = message(Upstream().begin(), 0)
    stream.end("incomplete", incomplete_details={"reason": "max_output_tokens"})
    assert of(stream)[-1] == Finished(Stop.LENGTH, None, BILLED)
    stream = call(Upstream().begin(), 0).end(content_filters=[{"blocked": True}])
    assert of(stream)[-1] == Finished(Stop.FILTER, None, BILLED)


def test_a_call_that_was_cut_is_not_made_whole() -> None:
    frames = call(Upstream().begin(), 0).frames()[:4]
    end = Upstream()
    end.items = [
        {"type": "function_call", "call_id": "c", "name": "read_file", "arguments": '{"pat', "status": "incomplete"}
    ]
    events = read([*frames, end.end("incomplete").wire()])
    assert collect(events).parts == (Call("call_a", "read_file", '{"pat'),)


def test_a_text_that_only_its_done_event_tells_is_told_then() -> None:
    stream = Upstream().begin()
    stream.added(0, type="message", role="assistant", content=[])
    stream.of(0, "response.output_text.delta", content_index=0, delta="Hel")
    part = {"type": "output_text", "text": "Hello", "annotations": []}
    stream.done(0, type="message", role="assistant", content=[part, {"type": "refusal", "refusal": "No."}])
    assert of(stream.end())[1:-1] == [
        PartOpened(TextHead()),
        TextGrew("Hel"),
        TextGrew("lo"),
        PartClosed(),
        PartOpened(RefusalHead()),
        TextGrew("No."),
        PartClosed(),
    ]


def test_a_text_that_contradicts_its_deltas_stays_what_was_streamed() -> None:
    stream = Upstream().begin()
    stream.added(0, type="message", role="assistant", content=[])
    stream.of(0, "response.output_text.delta", content_index=0, delta="Hel")
    stream.of(0, "response.output_text.done", content_index=0, text="Other")
    stream.done(0, type="message", role="assistant", content=[{"type": "output_text", "text": "Other"}])
    assert collect(of(stream.end())).parts == (Text("Hel"),)


def test_a_call_that_contradicts_itself_is_never_run() -> None:
    stream = Upstream().begin()
    stream.added(0, type="function_call", call_id="c", name="rm", arguments="")
    stream.of(0, "response.function_call_arguments.delta", delta='{"path":"a"')
    stream.of(0, "response.function_call_arguments.done", arguments='{"path":"b"}')
    with pytest.raises(BrokenStream, match="contradicted"):
        of(stream.end())


def test_a_call_without_deltas_is_told_by_its_done_event() -> None:
    stream = Upstream().begin()
    fields = {"type": "function_call", "call_id": "c", "name": "ls"}
    stream.added(0, **fields, arguments="").done(0, **fields, arguments='{"a":1}')
    stream.done(1, type="function_call", call_id="d", name="pwd", arguments="")
    assert collect(of(stream.end())).parts == (Call("c", "ls", '{"a":1}'), Call("d", "pwd", "{}"))


def test_white_space_without_end_is_a_broken_stream() -> None:
    stream = Upstream().begin().added(0, type="function_call", call_id="c", name="ls", arguments="")
    for _ in range(66):
        stream.of(0, "response.function_call_arguments.delta", delta=" \n" * 512)
    with pytest.raises(BrokenStream, match="white space"):
        of(stream.end())


def test_a_call_of_nothing_is_a_broken_stream() -> None:
    stream = Upstream().begin().done(0, type="function_call", call_id="c", arguments="{}")
    with pytest.raises(BrokenStream, match="without naming it"):
        of(stream.end())


def test_sections_of_reasoning_are_told_apart() -> None:
    stream = Upstream().begin().added(0, type="reasoning", summary=[])
    for index, text in enumerate(("One.", "Two.")):
        stream.of(0, "response.reasoning_summary_text.delta", summary_index=index, delta=text)
    summary = [{"type": "summary_text", "text": text} for text in ("One.", "Two.", "Three.")]
    stream.done(0, type="reasoning", summary=summary, encrypted_content=None)
    assert of(stream.end())[1:-1] == [
        PartOpened(ReasoningHead()),
        TextGrew("One."),
        SectionBegan(),
        TextGrew("Two."),
        SectionBegan(),
        TextGrew("Three."),
        PartClosed(),
    ]


def test_reasoning_that_shows_and_seals_nothing_is_no_part() -> None:
    stream = Upstream().begin().added(0, type="reasoning", summary=[], encrypted_content="gAAAAAearly")
    stream.done(0, type="reasoning", summary=[], encrypted_content="")
    assert collect(of(stream.end())).parts == ()


def test_the_seal_is_that_of_the_done_event() -> None:
    stream = Upstream().begin().added(0, type="reasoning", summary=[], encrypted_content="gAAAAAearly")
    stream.done(0, type="reasoning", summary=[], encrypted_content="gAAAAAlate")
    assert collect(of(stream.end())).parts == (Reasoning((), Seal(SealKind.CIPHERTEXT, "gAAAAAlate")),)


def test_raw_reasoning_of_open_models_is_reasoning() -> None:
    stream = Upstream().begin().added(0, type="reasoning", summary=[])
    stream.of(0, "response.reasoning_text.delta", content_index=0, delta="Hm")
    stream.of(0, "response.reasoning_text.done", content_index=0, text="Hm.")
    stream.done(0, type="reasoning", summary=[], content=[{"type": "reasoning_text", "text": "Hm."}])
    assert collect(of(stream.end())).parts == (Reasoning(("Hm.",)),)


def test_a_refusal_streams_like_a_text() -> None:
    stream = Upstream().begin().added(0, type="message", role="assistant", content=[])
    stream.of(0, "response.content_part.added", content_index=0, part={"type": "refusal", "refusal": ""})
    stream.of(0, "response.refusal.delta", content_index=0, delta="I can")
    stream.of(0, "response.refusal.done", content_index=0, refusal="I cannot.")
    stream.done(0, type="message", role="assistant", content=[{"type": "refusal", "refusal": "I cannot."}])
    assert of(stream.end())[1:] == [
        PartOpened(RefusalHead()),
        TextGrew("I can"),
        TextGrew("not."),
        PartClosed(),
        Finished(Stop.END, None, BILLED),
    ]


def test_log_probabilities_follow_their_text() -> None:
    chance: dict[str, Any] = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105]}
    stream = Upstream().begin().added(0, type="message", role="assistant", content=[])
    told = chance | {"top_logprobs": [chance]}
    stream.of(0, "response.output_text.delta", content_index=0, delta="Hi", logprobs=[told])
    part = {"type": "output_text", "text": "Hi", "annotations": [], "logprobs": [told]}
    stream.done(0, type="message", role="assistant", content=[part])
    rival = TokenChance("Hi", -0.5, (72, 105))
    assert of(stream.end())[1:-1] == [
        PartOpened(TextHead()),
        TextGrew("Hi"),
        Weighed((TokenChance("Hi", -0.5, (72, 105), (rival,)),)),
        PartClosed(),
    ]


def test_a_shell_call_is_a_call_of_that_name() -> None:
    action = {"type": "exec", "command": ["ls"], "env": {}}
    fields: dict[str, Any] = {"type": "local_shell_call", "call_id": "c", "action": action}
    stream = Upstream().begin().added(0, **fields, status="in_progress").done(0, **fields, status="completed")
    (made,) = collect(of(stream.end())).parts
    assert isinstance(made, Call)
    assert (made.id, made.name, json.loads(made.arguments)) == ("c", "local_shell", action)


def test_a_compaction_is_its_ciphertext() -> None:
    stream = Upstream().begin().added(0, type="compaction", encrypted_content="gAAAAAa")
    stream.done(0, type="compaction", encrypted_content="gAAAAAb")
    seal = Sealed(Seal(SealKind.CIPHERTEXT, "gAAAAAb"))
    assert of(stream.end())[1:-1] == [PartOpened(CompactionHead()), seal, PartClosed()]


def test_items_and_events_of_tomorrow_are_passed_over() -> None:
    stream = Upstream().begin().added(0, type="hologram", delta={"x": 1})
    stream.of(0, "response.hologram.delta", delta={"x": 1}).done(0, type="hologram")
    stream.frame("response.weather", delta=7)
    assert collect(of(custom_call(stream, 1).end())).parts == (
        Call("call_c", "exec", "ls -l", CallKind.CUSTOM, "functions"),
    )


def test_a_page_that_was_opened_is_a_search_with_that_source() -> None:
    action = {"type": "open_page", "url": "https://b.example/"}
    stream = Upstream().begin().done(0, type="web_search_call", status="completed", action=action)
    assert of(stream.end())[2] == Searched("", (Source("https://b.example/"),))


def test_a_failure_ends_the_events_also_where_a_part_is_open() -> None:
    early = Upstream().begin().frame("error", code="x", message="No.")
    assert of(early) == [Started(), Failed("No.", "x")]
    frames = message(Upstream().begin(), 0).frames()[:5]
    late = Upstream().frame("response.failed", response={"status": "failed", "error": {"message": "No.", "code": "x"}})
    assert read([*frames, late.wire()])[-1] == Failed("No.", "x")


def test_text_for_a_part_that_was_closed_is_a_broken_stream() -> None:
    frames = message(Upstream().begin(), 0).frames()[:-1]
    late = Upstream().of(0, "response.output_text.delta", content_index=0, delta="more")
    with pytest.raises(BrokenStream, match="closed"):
        read([*frames, late.wire()])


def test_what_comes_late_for_an_item_that_is_done_is_passed_over() -> None:
    stream = reasoning(Upstream().begin(), 0)
    stream.of(0, "response.reasoning_summary_text.delta", summary_index=0, delta="late")
    assert collect(of(message(stream, 1).end())).parts == (
        Reasoning(("Look first.",), DONE),
        Text(HELLO, phase="final_answer"),
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"status":7}',
        b"nonsense",
        b'{"a":"\xff"}',
        b"[" * 9999,
        b'{"status":"completed","b":"\xff"}',
    ],
)
def test_a_body_that_is_no_response_is_a_broken_stream(body: bytes) -> None:
    with pytest.raises(BrokenStream):
        ReplyReader.events_of_body(body)


def test_an_error_body_is_a_failure() -> None:
    assert ReplyReader.events_of_body(b'{"error":{"message":"No.","code":"x"}}') == [Started(), Failed("No.", "x")]


@pytest.mark.parametrize("place", ["-1", "100001", "9223372036854775808", '"0"', "1.5"])
def test_an_item_at_an_impossible_place_is_a_broken_stream(place: str) -> None:
    frame = f'data: {{"type":"response.output_item.added","output_index":{place},"item":{{}}}}\n\n'
    with pytest.raises(BrokenStream):
        ReplyReader().feed(frame.encode())


def test_a_phase_that_no_client_knows_is_left_out() -> None:
    assert of(message(Upstream().begin(), 0, phase="overture").end())[1] == PartOpened(TextHead())


def test_an_output_that_is_no_list_is_none() -> None:
    assert collect(of(message(Upstream().begin(), 0).end(output=True))).parts == (Text(HELLO, phase="final_answer"),)
