"""Messages: a verbatim stream passes as it came, but for what a client must not see or cannot do without."""

from __future__ import annotations

import json

import pytest

from bridge.errors import BrokenStream, TimedOut
from bridge.events import Failed
from bridge.formats.messages.verbatim import StreamTap
from bridge.tally import Tally
from tests.bridge.formats.messages.recordings import ALL, CALLS, SEARCH, TEXT, dressed, events_of, wire, without
from tests.bridge.formats.messages.upstream import heading_of
from tests.dialects.messages_stream import validated, validated_failure

CITATION = {
    "type": "char_location",
    "cited_text": "q",
    "document_index": 0,
    "document_title": None,
    "start_char_index": 0,
    "end_char_index": 1,
}
BILLED = Tally(input=16, cached=30, cache_write=4, output=17, nano=30_300_000)


def tapped(*packets: bytes) -> bytes:
    tap = StreamTap(heading_of())
    return b"".join([tap.feed(packet) for packet in packets]) + tap.end()


@pytest.mark.parametrize("recording", ALL)
def test_every_cut_and_dress_of_the_wire_comes_out_the_same(recording: tuple[str, ...]) -> None:
    whole = wire(recording)
    wanted = tapped(whole)
    answer = validated(wanted, model="sonnet")
    assert answer.counts is not None
    answer.counts.check(BILLED)
    assert tapped(*(whole[at : at + 1] for at in range(len(whole)))) == wanted
    for cut in range(len(whole)):
        assert tapped(whole[:cut], whole[cut:]) == wanted
    assert events_of(tapped(dressed(recording))) == events_of(wanted)
    assert events_of(tapped(wire(recording, named=False))) == events_of(wanted)


def test_clean_deltas_pass_as_the_bytes_they_came_in() -> None:
    frames = [wire((data,)) for data in CALLS]
    tap = StreamTap(heading_of())
    out = [tap.feed(frame) for frame in frames]
    clean = [number for number, data in enumerate(CALLS) if "content_block_delta" in data]
    assert [out[number] for number in clean] == [frames[number] for number in clean]


def test_clean_deltas_in_anthropics_own_order_pass_as_well() -> None:
    delta = (
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"x":1, "type":"y"}}\n\n'
    )
    tap = StreamTap(heading_of())
    tap.feed(wire(TEXT[:3]))
    assert tap.feed(delta) == delta
    nested = delta.replace(b'"type":"content_block_delta"', b'"type":{"type":"content_block_delta"}')
    assert tap.feed(nested) != nested


def test_nothing_goes_out_before_the_first_block_and_the_end_is_held_back() -> None:
    tap = StreamTap(heading_of())
    assert tap.feed(wire(TEXT[:2])) == b""
    assert (tap.begun, tap.tally.input, tap.counted) == (False, 16, False)
    first = tap.feed(wire(TEXT[2:3]))
    assert tap.begun
    assert [event["type"] for event in events_of(first)] == ["message_start", "content_block_start"]
    tap.feed(wire(TEXT[3:7]))
    assert not tap.done
    assert tap.feed(wire(TEXT[7:])) == b""
    assert (tap.done, tap.stop_reason, tap.tally, tap.counted) == (True, "end_turn", BILLED, True)
    assert [event["type"] for event in events_of(tap.end())] == ["message_delta", "message_stop"]


def test_what_copilot_adds_for_itself_is_left_out() -> None:
    out = tapped(wire(TEXT))
    assert b"copilot_" not in out
    assert b"bedrock" not in out
    assert validated(out).id == "msg_bdrk_01DrWJ"


def test_the_usage_a_client_sees_is_the_bill() -> None:
    other = TEXT[-2].replace('"output_tokens":17', '"output_tokens":99')
    assert other != TEXT[-2]
    answer = validated(tapped(wire((*TEXT[:-2], other, TEXT[-1]))))
    assert answer.usage["output_tokens"] == 17


def test_blocks_that_never_stop_are_stopped() -> None:
    assert events_of(tapped(wire(without(CALLS, "content_block_stop")))) == events_of(tapped(wire(CALLS)))


def test_an_answer_that_lacks_only_its_last_event_is_completed() -> None:
    assert tapped(wire(without(CALLS, "message_stop"))) == tapped(wire(CALLS))


@pytest.mark.parametrize("last", range(1, len(CALLS) - 2))
def test_an_answer_cut_before_its_end_is_broken(last: int) -> None:
    tap = StreamTap(heading_of())
    sent = tap.feed(wire(CALLS[:last]))
    with pytest.raises(BrokenStream):
        tap.end()
    failure = validated_failure(sent + tap.fail(TimedOut("slow"), "Too slow."))
    assert (failure.type, failure.message) == ("api_error", "Too slow.")


def test_an_error_inside_the_stream_is_a_failure_and_not_passed_on() -> None:
    tap = StreamTap(heading_of())
    tap.feed(wire(TEXT[:4]))
    error = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    assert tap.feed(wire((error, *TEXT[4:]))) == b""
    assert tap.failure == Failed("Overloaded", "overloaded_error")
    with pytest.raises(BrokenStream):
        tap.end()


def test_input_that_comes_with_the_start_of_a_call_is_told_by_a_delta() -> None:
    block = '{"id":"a","input":{"x":1},"name":"f","type":"tool_use"}'
    start = f'{{"content_block":{block},"index":0,"type":"content_block_start"}}'
    empty = '{"delta":{"partial_json":"","type":"input_json_delta"},"index":0,"type":"content_block_delta"}'
    stop = '{"index":0,"type":"content_block_stop"}'
    for between in ((), (empty,)):
        answer = validated(tapped(wire((CALLS[0], start, *between, stop, *CALLS[-2:]))))
        assert [call.arguments for call in answer.calls] == ['{"x":1}']


def test_blocks_that_come_whole_are_told_by_deltas() -> None:
    blocks = (
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "text", "text": "so", "citations": [CITATION]},
        {"type": "compaction", "content": "short"},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
    )
    frames = [TEXT[0]]
    for index, block in enumerate(blocks):
        frames.append(json.dumps({"type": "content_block_start", "index": index, "content_block": block}))
        frames.append(json.dumps({"type": "content_block_stop", "index": index}))
    out = tapped(wire((*frames, *CALLS[-2:])))
    assert validated(out).whole["content"] == list(blocks)


def test_blocks_are_numbered_from_zero_without_gaps() -> None:
    answer = validated(tapped(wire((CALLS[0], *CALLS[6:]))))
    assert answer.texts == ["Looking."]
    assert [call.arguments for call in answer.calls] == ['{"path": "a.py"}', ""]


def test_mixed_up_blocks_are_a_broken_stream_and_no_garbled_text() -> None:
    with pytest.raises(BrokenStream):
        StreamTap(heading_of()).feed(wire((CALLS[0], CALLS[1], CALLS[6], CALLS[2])))


def test_a_wrong_or_missing_stop_reason_is_told_by_the_calls() -> None:
    for said in ('"end_turn"', "null"):
        last = CALLS[-2].replace('"tool_use"', said)
        assert validated(tapped(wire((*CALLS[:-2], last, CALLS[-1])))).stop == "tool_use"
    last = TEXT[-2].replace('"end_turn"', "null")
    assert validated(tapped(wire((*TEXT[:-2], last, TEXT[-1])))).stop == "end_turn"


def test_an_answer_without_content_or_usage_is_still_a_message() -> None:
    start = json.dumps({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant"}})
    end = json.dumps({"type": "message_delta", "delta": {"stop_reason": "end_turn"}})
    answer = validated(tapped(wire((start, end))), model="sonnet")
    assert answer.counts is not None
    assert answer.counts.prompt == 7  # the heading's estimate


def test_a_search_passes() -> None:
    answer = validated(tapped(wire(SEARCH)))
    assert answer.searches == [("weather", ("https://example.com/w",))]
    assert answer.citations == ["https://example.com/w"]


def test_the_size_of_the_content_is_measured() -> None:
    tap = StreamTap(heading_of())
    tap.feed(wire(CALLS))
    assert 0 < tap.output_bytes < 400
