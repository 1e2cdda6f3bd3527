"""The tap on a Responses stream: what a client gets passes the strict reader, and says what the upstream said."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bridge.errors import BrokenStream, RateLimited
from bridge.events import Failed
from bridge.formats.responses.names import fitted_name
from bridge.formats.responses.verbatim import StreamTap
from bridge.tally import Tally
from tests.bridge.formats.responses.recordings import (
    MODEL,
    REQUEST_ID,
    Upstream,
    bare,
    call,
    heading,
    message,
    reasoning,
    searching,
    thoughtful,
)
from tests.dialects.answer import Answer
from tests.dialects.responses_stream import validated, validated_failure

RECORDINGS = {"thoughtful": thoughtful, "searching": searching, "bare": bare}
Recording = Callable[[], Upstream]


def tapped(packets: Sequence[bytes], **members: Any) -> tuple[bytes, StreamTap]:
    tap = StreamTap(heading(**members))
    return b"".join(tap.feed(packet) for packet in packets) + tap.end(), tap


def answered(stream: Upstream, **members: Any) -> Answer:
    return validated(tapped([stream.wire()], **members)[0], model=MODEL)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("recording", RECORDINGS.values(), ids=RECORDINGS)
def test_every_recording_passes_the_strict_reader_wherever_it_is_cut(recording: Recording, line_end: bytes) -> None:
    stream = recording().wire(line_end)
    whole, tap = tapped([stream])
    answer = validated(whole, model=MODEL)
    assert answer.counts is not None
    answer.counts.check(tap.tally)
    assert tap.tally == Tally(400, 1000, 100, 80, 30, nano=155_000_000)
    for cut in range(1, len(stream), 11):
        assert tapped([stream[:cut], stream[cut:]])[0] == whole, cut
    assert tapped([bytes([byte]) for byte in stream])[0] == whole


def test_what_was_said_arrives() -> None:
    answer = answered(thoughtful())
    assert (answer.text, answer.reasoning, answer.seals) == ("Grüß dich,\u2028 🙂", "Look first.", ["gAAAAAdone"])
    assert [(made.id, made.name, made.arguments, made.namespace) for made in answer.calls] == [
        ("call_a", "read_file", '{"path":"a.txt"}', ""),
        ("call_c", "exec", "ls -l", "functions"),
    ]
    assert answer.stop == "completed"


def test_an_item_has_one_short_id_from_its_first_event_to_the_last() -> None:
    answer = answered(thoughtful())
    ids = [f"{prefix}_{REQUEST_ID}_{index}" for index, prefix in enumerate(("rs", "msg", "fc", "ctc"))]
    assert [item["id"] for item in answer.whole["output"]] == ids
    told = [event.get("item_id") or event["item"]["id"] for event in answer.events if "output_index" in event]
    assert list(dict.fromkeys(told)) == ids
    assert answer.id == f"resp_{REQUEST_ID}"


def test_nothing_of_copilots_own_and_no_padding_reaches_the_client() -> None:
    out, _ = tapped([thoughtful().wire()])
    for foreign in (b"copilot_", b"obfuscation", b"Zm9v", b"2026-08-01"):
        assert foreign not in out


def test_members_of_tomorrow_pass() -> None:
    stream = message(Upstream().begin(), 0)
    stream.of(0, "response.output_text.delta", content_index=0, delta="", logprobs=[], novelty={"a": 1})
    out, _ = tapped([stream.end().wire()])
    assert b'"novelty":{"a":1}' in out.replace(b" ", b"")


def test_the_response_says_again_what_the_caller_asked() -> None:
    tool = {"type": "function", "name": "read", "parameters": {}}
    members = {"metadata": {"a": "b"}, "tools": [tool], "instructions": "Be brief.", "store": True, "user": "u"}
    whole = answered(thoughtful(), **members).whole
    assert {name: whole[name] for name in members} == members
    assert whole["previous_response_id"] is None
    assert answered(thoughtful()).whole["store"] is True


def test_nothing_goes_out_before_something_of_an_item_came() -> None:
    tap = StreamTap(heading())
    stream = Upstream().begin().frame("keepalive").frame("response.rate_limits", left=7)
    begun = []
    assert tap.feed(stream.wire()) == b""
    begun.append(tap.begun)
    out = tap.feed(message(stream, 0).frames()[4])
    begun.append(tap.begun)
    assert begun == [False, True]
    assert out.startswith(b"event: response.created\n")
    assert out.count(b"event: ") == 4
    assert b"keepalive" not in out


def test_the_end_is_held_back_and_comes_once() -> None:
    tap = StreamTap(heading())
    before = tap.feed(thoughtful().wire())
    assert (b"response.completed" in before, tap.done, tap.stop_reason) == (False, True, "completed")
    assert tap.response_object == b""
    end = tap.end()
    (frame,) = end.split(b"\n\n")[:-1]
    assert json.loads(frame.partition(b"data: ")[2])["response"] == json.loads(tap.response_object)


def test_an_early_failure_sends_nothing_and_says_why() -> None:
    stream = Upstream().begin().frame("response.failed", response={"status": "failed", "error": None})
    tap = StreamTap(heading())
    assert tap.feed(stream.wire()) == b""
    assert (tap.failure, tap.done, tap.begun) == (None, False, False)
    stream = stream.frame("error", error={"code": "server_error", "message": "Sorry.", "param": None})
    assert tap.feed(stream.frames()[-1]) == b""
    assert (tap.failure, tap.done, tap.begun) == (Failed("Sorry.", "server_error"), True, False)


def test_a_late_failure_ends_in_response_failed_with_what_was_done() -> None:
    stream = message(reasoning(Upstream().begin(), 0), 1)
    stream.frame("error", code="rate_limited", message="Slow down.")
    tap = StreamTap(heading())
    out = tap.feed(stream.wire())
    assert tap.failure == Failed("Slow down.", "rate_limited")
    with pytest.raises(BrokenStream, match="Slow down"):
        tap.end()
    out += tap.fail(RateLimited("Slow down.", retry_after=6.2), "Slow down.")
    failure = validated_failure(out, model=MODEL)
    assert (failure.code, failure.message) == ("rate_limit_exceeded", "Slow down. Please try again in 7s.")
    assert b'"Look first."' in out.rsplit(b"event: ", 1)[1]


def test_a_stream_that_fails_before_its_first_event_still_is_one() -> None:
    out = StreamTap(heading()).fail(RateLimited("Wait.", retry_after=1), "Wait, try again in 1s.")
    failure = validated_failure(out, model=MODEL)
    assert failure.message == "Wait, try again in 1s."
    assert [event["type"] for event in failure.events] == ["response.created", "response.in_progress"]


@pytest.mark.parametrize("count", [0, 1, 5, 20])
def test_a_body_that_ends_before_the_answer_does_is_a_broken_stream(count: int) -> None:
    tap = StreamTap(heading())
    for frame in thoughtful().frames()[:count]:
        tap.feed(frame)
    with pytest.raises(BrokenStream, match="in the middle"):
        tap.end()


def test_done_alone_is_no_end() -> None:
    with pytest.raises(BrokenStream):
        StreamTap(heading()).feed(b"data: [DONE]\n\n")


def test_the_output_is_complete_even_when_the_upstreams_is_empty() -> None:
    stream = call(message(Upstream().begin(), 0), 1)
    assert answered(stream.end(output=[])).calls[0].arguments == '{"path":"a.txt"}'


def test_items_that_only_the_end_tells_are_told_from_their_start() -> None:
    whole = thoughtful()
    stream = Upstream().begin()
    stream.items = whole.items
    answer, streamed = answered(stream.end()), answered(whole)
    assert answer.whole["output"] == streamed.whole["output"]
    kinds = [event["type"] for event in answer.events]
    assert kinds.count("response.output_item.done") == 4
    assert "response.function_call_arguments.done" in kinds


def test_an_answer_cut_in_a_text_is_closed_with_what_came_of_it() -> None:
    frames = message(Upstream().begin(), 0).frames()[:-3]
    end = Upstream().end("incomplete", incomplete_details={"reason": "max_output_tokens"})
    out, tap = tapped([*frames, end.wire()])
    assert tap.stop_reason == "max_output_tokens"
    last = json.loads(tap.response_object)
    assert (last["status"], last["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    (item,) = last["output"]
    assert (item["content"][0]["text"], item["status"]) == ("Grüß dich,\u2028 🙂", "incomplete")
    assert out.count(b"event: response.output_item.done\n") == 1


def test_a_missing_beginning_is_made_up() -> None:
    stream = message(Upstream(), 0).end()
    answer = answered(stream)
    assert answer.events[0]["type"] == "response.created"
    assert answer.text == "Grüß dich,\u2028 🙂"


def test_an_empty_answer_is_whole() -> None:
    tap = StreamTap(heading())
    assert tap.feed(Upstream().begin().end().wire()) == b""
    assert not tap.begun
    answer = validated(tap.end(), model=MODEL)
    assert answer.whole["output"] == []


def test_an_answer_without_usage_says_zeros_for_clients_that_need_a_number() -> None:
    stream = message(Upstream().begin(), 0)
    stream.frame("response.completed", response=stream.response("completed"))
    out, tap = tapped([stream.wire()])
    assert validated(out).usage["total_tokens"] == 0
    assert not tap.counted


def test_the_size_of_the_content_is_known_while_it_comes() -> None:
    tap = StreamTap(heading())
    for frame in thoughtful().frames()[:-1]:
        tap.feed(frame)
    said = len(b"Look first.") + len("Grüß dich,\u2028 🙂".encode()) + len('{\\"path\\":\\"a.txt\\"}ls -l')
    assert tap.output_bytes == said


def test_the_seal_of_hidden_reasoning_is_no_output() -> None:
    sealed = {"type": "reasoning", "summary": [], "encrypted_content": "x" * 4000}
    tap = StreamTap(heading())
    for frame in message(Upstream().begin().added(0, **sealed).done(0, **sealed), 1).frames():
        tap.feed(frame)
    assert tap.output_bytes == len("Grüß dich,\u2028 🙂".encode())


def test_a_tool_comes_back_under_the_callers_name_for_it() -> None:
    tools = [{"type": "function", "name": "a.b"}]
    answer = answered(_named_call(fitted_name("a.b")), tools=tools)
    assert answer.calls[0].name == "a.b"
    assert answered(_named_call("a_b_x00000000"), tools=tools).calls[0].name == "a_b_x00000000"


@pytest.mark.parametrize("place", ["x", "-1", '"0"'])
def test_an_item_without_a_number_is_a_broken_stream(place: str) -> None:
    frame = f'data: {{"type":"response.output_item.added","output_index":{place},"item":{{}}}}\n\n'
    with pytest.raises(BrokenStream):
        StreamTap(heading()).feed(frame.encode())


def test_silence_is_bridged_by_the_opening_and_then_by_events() -> None:
    tap = StreamTap(heading())
    frames = message(Upstream().begin(), 0).end().frames()
    out = tap.keepalive() + tap.feed(frames[0]) + tap.keepalive() + tap.feed(b"".join(frames[1:5]))
    begun = tap.begun
    out += tap.keepalive() + tap.feed(b"".join(frames[5:])) + tap.end()
    answer = validated(out, model=MODEL)
    assert (begun, answer.pings, answer.text) == (True, 2, "Grüß dich,\u2028 🙂")


def test_a_try_after_the_reply_was_opened_goes_on_behind_it() -> None:
    first, request = StreamTap(heading()), heading()
    opening = first.keepalive()
    assert not first.begun
    second = StreamTap(replace(request, started=2))
    assert validated(opening + second.feed(thoughtful().wire()) + second.end(), model=MODEL).calls
    third = StreamTap(replace(request, started=2))
    assert validated_failure(opening + third.fail(RateLimited("Wait."), "Wait.")).code == "rate_limit_exceeded"


def test_what_came_before_a_fault_in_the_same_packet_is_not_lost() -> None:
    tap = StreamTap(heading())
    stream = message(Upstream().begin(), 0).raw("data: nonsense\n\n")
    with pytest.raises(BrokenStream):
        tap.feed(stream.wire())
    failure = validated_failure(tap.fail(RateLimited("Wait."), "Wait."))
    assert failure.events[-1]["type"] == "response.output_item.done"


def test_what_stood_in_the_unfinished_rest_is_not_lost() -> None:
    tap = StreamTap(heading())
    out = tap.feed(message(Upstream().begin(), 0).wire().removesuffix(b"\n\n"))
    with pytest.raises(BrokenStream):
        tap.end()
    failure = validated_failure(out + tap.fail(RateLimited("Wait."), "Wait."))
    assert failure.events[-1]["type"] == "response.output_item.done"


@pytest.mark.parametrize("kind", [7, None, "response.é", 'a"b', "", {"a": 1}])
def test_an_event_without_a_plain_type_is_left_out(kind: object) -> None:
    odd = f"data: {json.dumps({'type': kind, 'output_index': 0})}\n\n"
    assert answered(message(Upstream().begin().raw(odd), 0).raw(odd).end()).text


@pytest.mark.parametrize(
    "frame",
    [
        b'data: {"type":"response.created","response":[]}\n\n',
        b'data: {"type":"response.completed","response":"x"}\n\n',
        b'data: {"type":"response.output_item.added","output_index":0,"item":[]}\n\n',
        b'data: {"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"\xff"}}\n\n',
        b'data: {"type":"response.output_item.added","output_index":0,"item":' + b"[" * 9999 + b"]" * 9999 + b"}\n\n",
    ],
)
def test_frames_that_are_not_what_they_say_break_the_stream(frame: bytes) -> None:
    with pytest.raises(BrokenStream):
        StreamTap(heading()).feed(frame)


def test_text_that_is_no_text_breaks_the_stream() -> None:
    tap = StreamTap(heading())
    tap.feed(b"".join(message(Upstream().begin(), 0).frames()[:5]))
    delta = b'"output_index":0,"content_index":0,"delta":"\xff"'
    with pytest.raises(BrokenStream):
        tap.feed(b'data: {"type":"response.output_text.delta",' + delta + b"}\n\n")


def test_an_output_that_is_no_list_is_none() -> None:
    assert answered(message(Upstream().begin(), 0).end(output=True)).text


def _named_call(name: str) -> Upstream:
    stream = Upstream().begin()
    fields = {"type": "function_call", "call_id": "call_a", "name": name}
    stream.added(0, **fields, arguments="", status="in_progress")
    stream.of(0, "response.function_call_arguments.delta", delta="{}")
    stream.of(0, "response.function_call_arguments.done", arguments="{}")
    return stream.done(0, **fields, arguments="{}", status="completed").end()
