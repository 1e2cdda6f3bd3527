"""Messages: a streamed answer read as events, however the wire cuts and dresses it."""

from __future__ import annotations

import json

import pytest

from bridge.assembly import collect
from bridge.errors import BrokenStream
from bridge.events import Event, Failed, Finished, PartOpened, Started, Stop, TextGrew, TextHead
from bridge.formats.messages import ReplyReader
from bridge.parts import Call, Citation, Reasoning, Seal, SealKind, Search, Source, Text
from bridge.tally import Tally
from tests.bridge.formats.messages.recordings import ALL, CALLS, REDACTED, SEARCH, TEXT, dressed, wire, without
from tests.bridge.grammar import check

BILLED = Tally(input=16, cached=30, cache_write=4, output=17, nano=30_300_000)


def read(*packets: bytes) -> list[Event]:
    reader = ReplyReader()
    events = [event for packet in packets for event in reader.feed(packet)]
    return check(events + reader.end())


def test_text_and_the_bill_are_read() -> None:
    reply = collect(read(wire(TEXT)))
    assert reply.parts == (Text('Grüße, wörld\u2028 🙂 "index":0,'),)
    assert (reply.stop, reply.tally, reply.counted) == (Stop.END, BILLED, True)


def test_thinking_and_parallel_calls_are_read() -> None:
    reply = collect(read(wire(CALLS)))
    assert reply.parts == (
        Reasoning(("I must look.",), Seal(SealKind.SIGNATURE, "EqQB+/=")),
        Text("Looking."),
        Call("toolu_vrtx_01", "read", '{"path": "a.py"}'),
        Call("toolu_vrtx_02", "list", "{}"),
    )
    assert reply.stop is Stop.CALLS


def test_sealed_thinking_without_words_is_kept() -> None:
    reply = collect(read(wire(REDACTED)))
    assert reply.parts[0] == Reasoning((), Seal(SealKind.REDACTED, "EroB"))
    assert reply.parts[1] == Reasoning((), Seal(SealKind.SIGNATURE, "silent"))
    assert (reply.stop, reply.sequence) == (Stop.SEQUENCE, "###")


def test_a_search_and_its_results_are_one_part() -> None:
    reply = collect(read(wire(SEARCH)))
    assert reply.parts == (
        Search("srvtoolu_bdrk_1", "weather", (Source("https://example.com/w", "Weather"),)),
        Text("Sunny", (Citation("https://example.com/w", "Weather", quote="Sun"),)),
    )


@pytest.mark.parametrize("recording", ALL)
def test_every_cut_and_dress_of_the_wire_reads_the_same(recording: tuple[str, ...]) -> None:
    whole = wire(recording)
    wanted = read(whole)
    assert read(*(whole[at : at + 1] for at in range(len(whole)))) == wanted
    for cut in range(len(whole)):
        assert read(whole[:cut], whole[cut:]) == wanted
    assert read(dressed(recording)) == wanted
    assert read(wire(recording, named=False)) == wanted


def test_the_first_tally_is_the_prompts() -> None:
    assert read(wire(TEXT))[0] == Started(Tally(input=16, cached=30, cache_write=4, output=1))


@pytest.mark.parametrize("recording", [TEXT, CALLS])
def test_an_answer_cut_before_its_end_is_broken(recording: tuple[str, ...]) -> None:
    reader = ReplyReader()
    reader.feed(wire(recording[:-2]))
    assert not reader.done
    assert not reader.counted
    with pytest.raises(BrokenStream):
        reader.end()


def test_an_answer_that_lacks_only_its_last_event_is_whole() -> None:
    assert read(wire(without(CALLS, "message_stop"))) == read(wire(CALLS))


def test_blocks_that_never_stop_end_with_the_answer() -> None:
    assert collect(read(wire(without(CALLS, "content_block_stop")))) == collect(read(wire(CALLS)))


def test_blocks_that_are_mixed_are_told_one_after_the_other() -> None:
    start, first, second = TEXT[0], CALLS[6], CALLS[9]
    mixed = (start, CALLS[1], first, second, CALLS[10], CALLS[11], CALLS[7], CALLS[2], CALLS[12], *CALLS[13:14])
    reply = collect(read(wire((*mixed, CALLS[8], CALLS[5], *CALLS[-2:]))))
    assert reply.parts == (
        Reasoning(("I must ",)),
        Text("Looking."),
        Call("toolu_vrtx_01", "read", '{"path": "a.py"}'),
    )


def test_an_error_inside_the_stream_is_a_failure() -> None:
    error = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    assert read(wire((*TEXT[:4], error, *TEXT[4:])))[-1] == Failed("Overloaded", "overloaded_error")
    nested = json.dumps({"error": {"message": error, "code": "upstream"}})
    assert read(b"data: " + nested.encode() + b"\n\n") == [Started(), Failed("Overloaded", "overloaded_error")]


def test_input_that_comes_with_the_start_of_a_call_is_kept() -> None:
    block = '{"type":"tool_use","id":"a","name":"f","input":{"x":1}}'
    start = f'{{"type":"content_block_start","index":0,"content_block":{block}}}'
    events = read(wire((start, '{"type":"content_block_stop","index":0}', *TEXT[-2:])))
    assert collect(events).parts == (Call("a", "f", '{"x":1}'),)


def test_unknown_events_blocks_and_deltas_are_passed_over() -> None:
    odd = (
        '{"type":"novelty","x":1}',
        '{"type":"content_block_start","index":7,"content_block":{"type":"novel_block","text":"x"}}',
        '{"type":"content_block_delta","index":7,"delta":{"type":"text_delta","text":"lost"}}',
        '{"type":"content_block_delta","index":0,"delta":{"type":"novel_delta","text":"lost"}}',
        '{"type":"content_block_stop","index":7}',
    )
    assert collect(read(wire((*TEXT[:1], *odd, *TEXT[1:])))) == collect(read(wire(TEXT)))


def test_a_piece_that_is_no_json_breaks_the_stream() -> None:
    with pytest.raises(BrokenStream):
        ReplyReader().feed(b"data: <html>\n\n")


def test_what_was_read_so_far_can_be_looked_at() -> None:
    reader = ReplyReader()
    reader.feed(wire(CALLS[:-2]))
    assert (reader.stop_reason, reader.counted, reader.tally.input) == ("", False, 16)
    assert reader.output_bytes == len("I must look.") + len("Looking.") + len('{"path": "a.py"}')
    reader.feed(wire(CALLS[-2:]))
    assert (reader.stop_reason, reader.counted, reader.tally, reader.done) == ("tool_use", True, BILLED, True)


def test_a_whole_body_reads_like_its_stream() -> None:
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "I must look.", "signature": "EqQB+/="},
            {
                "type": "text",
                "text": "Looking.",
                "citations": [{"type": "char_location", "document_title": "T", "cited_text": "q"}],
            },
            {"type": "tool_use", "id": "toolu_vrtx_01", "name": "read", "input": {"path": "a.py"}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 5, "output_tokens_details": {"thinking_tokens": 2}},
    }
    reply = collect(check(ReplyReader.events_of_body(json.dumps(body).encode())))
    assert reply.parts == (
        Reasoning(("I must look.",), Seal(SealKind.SIGNATURE, "EqQB+/=")),
        Text("Looking.", (Citation("", "T", quote="q"),)),
        Call("toolu_vrtx_01", "read", '{"path":"a.py"}'),
    )
    assert (reply.stop, reply.tally) == (Stop.CALLS, Tally(input=3, output=5, reasoning=2))


def test_a_body_that_holds_an_error_is_a_failure_and_any_other_is_broken() -> None:
    assert check(ReplyReader.events_of_body(b'{"error":{"message":"no","code":"c"}}'))[-1] == Failed("no", "c")
    for body in (b"", b"[]", b'{"id":"x"}', b"<html>"):
        with pytest.raises(BrokenStream):
            ReplyReader.events_of_body(body)


def test_an_answer_without_content_is_an_empty_reply() -> None:
    events = read(wire((TEXT[0], *TEXT[-2:])))
    assert events == [events[0], Finished(Stop.END, None, BILLED)]


def test_an_answer_that_never_says_why_it_stops_is_told_by_its_calls() -> None:
    nameless = json.dumps({"type": "message_delta", "delta": {"stop_reason": None}, "usage": {}})
    assert collect(read(wire((*CALLS[:-2], nameless, CALLS[-1])))).stop is Stop.CALLS


def test_an_answer_without_a_start_is_read_all_the_same() -> None:
    events = read(wire(TEXT[2:]))
    assert events[:3] == [Started(), PartOpened(TextHead()), TextGrew("Grüße, ")]


def test_members_of_odd_types_do_no_harm() -> None:
    odd = (
        '{"type":"content_block_delta","index":0,"delta":{"type":{}}}',
        '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":5}}',
        '{"type":"content_block_delta","index":[],"delta":5}',
        '{"type":"content_block_start","index":9,"content_block":5}',
        '{"type":"message_delta","delta":5,"usage":5}',
    )
    assert collect(read(wire((*TEXT[:3], *odd, *TEXT[3:])))) == collect(read(wire(TEXT)))
