"""The tap on a chat stream: what a client gets passes the strict reader, and says what the upstream said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import BrokenStream, TimedOut
from bridge.formats.chat import write_error
from bridge.formats.chat.verbatim import StreamTap
from tests.bridge.formats.chat import recordings
from tests.bridge.formats.chat.generated import Answer, answers
from tests.bridge.formats.chat.headings import ID, a_heading
from tests.bridge.formats.chat.recordings import FAILED, OPENAI_NEW, WHOLE, Said, wire
from tests.bridge.formats.chat.validator import Added, validated

ASKED = "gpt-as-asked"


def a_tap(*, include_usage: bool = True, model: str = ASKED) -> StreamTap:
    return StreamTap(a_heading(model, include_usage=include_usage))


def tapped(packets: Sequence[bytes], *, include_usage: bool = True) -> tuple[bytes, StreamTap]:
    tap = a_tap(include_usage=include_usage)
    return b"".join(tap.feed(packet) for packet in packets) + tap.end(), tap


def says(added: Added, said: Said) -> None:
    assert added.text == said.text
    assert [(call["id"], call["name"], call["arguments"]) for call in added.calls] == list(said.calls)
    assert added.finish == said.finish
    assert added.message.get("reasoning_content", "") == said.reasoning
    assert added.usage is not None
    assert added.usage["completion_tokens"] == (said.output_tokens or 0)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("name", WHOLE)
def test_every_family_passes_the_strict_reader_wherever_it_is_cut(name: str, line_end: bytes) -> None:
    recording, said = WHOLE[name]
    stream = wire(recording, line_end)
    whole, _ = tapped([stream])
    says(validated(whole, model=ASKED, include_usage=True), said)
    for cut in range(1, len(stream)):
        assert tapped([stream[:cut], stream[cut:]])[0] == whole, cut
    assert tapped([bytes([byte]) for byte in stream])[0] == whole


@pytest.mark.parametrize("name", WHOLE)
def test_usage_is_sent_only_when_it_was_asked_for(name: str) -> None:
    recording, said = WHOLE[name]
    stream, tap = tapped([wire(recording)], include_usage=False)
    assert validated(stream, model=ASKED, include_usage=False).text == said.text
    assert (not tap.counted) == (said.output_tokens is None)


@pytest.mark.parametrize("name", WHOLE)
def test_a_recording_with_carriage_returns_alone_says_the_same(name: str) -> None:
    recording, said = WHOLE[name]
    says(validated(tapped([wire(recording, b"\r")])[0], model=ASKED, include_usage=True), said)


@settings(max_examples=150, deadline=None)
@given(answers(), st.lists(st.integers(0, 4000), max_size=12), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_any_answer_in_any_manner_cut_anywhere_arrives_whole(answer: Answer, cuts: list[int], line_end: bytes) -> None:
    stream = wire(answer.recording, line_end)
    borders = sorted({0, len(stream), *(cut % len(stream) for cut in cuts)})
    out, tap = tapped([stream[start:end] for start, end in pairwise(borders)])
    added = validated(out, model=ASKED, include_usage=True)
    assert added.text == answer.text
    assert [(call["name"], call["arguments"]) for call in added.calls] == list(answer.calls)
    assert added.finish == answer.finish
    assert tap.tally == answer.tally


def test_clean_frames_pass_as_the_bytes_they_came_in_but_for_the_model() -> None:
    frames = [wire((text,)) for text in OPENAI_NEW]
    tap = a_tap()
    tap.feed(frames[0] + frames[1])
    for frame in frames[1:3]:
        assert tap.feed(frame) == frame.replace(b'"model":"gpt-4o-mini-2024-07-18"', b'"model":"gpt-as-asked"', 1)


def test_a_clean_frame_with_carriage_returns_passes_with_them() -> None:
    frames = [wire((text,), b"\r\n") for text in OPENAI_NEW]
    tap = a_tap()
    tap.feed(frames[0] + frames[1])
    assert tap.feed(frames[2]) == frames[2].replace(b"gpt-4o-mini-2024-07-18", b"gpt-as-asked")


def test_a_frame_is_sent_on_before_the_next_one_comes() -> None:
    tap = a_tap()
    sent = [tap.feed(wire((text,))) for text in OPENAI_NEW]
    assert [bool(piece) for piece in sent] == [False, True, True, False, False, False]


def test_a_role_alone_is_no_content_yet() -> None:
    tap = a_tap()
    assert tap.feed(wire(OPENAI_NEW[:1])) == b""
    assert not tap.begun


def test_the_end_is_held_back_until_it_is_asked_for() -> None:
    tap = a_tap()
    before = b"".join(tap.feed(wire((text,))) for text in OPENAI_NEW)
    assert tap.done
    assert b'"finish_reason":"stop"' not in before
    assert b"[DONE]" not in before
    last = tap.end()
    assert last.index(b'"finish_reason":"stop"') < last.index(b'"usage"') < last.index(b"[DONE]")


def test_comments_and_bare_events_are_left_to_the_gateways_own_keepalive() -> None:
    tap = a_tap()
    assert tap.feed(b": ping\n\nevent: ping\n\n\n\n") == b""
    assert not tap.done


def test_the_preamble_of_the_content_filter_is_left_out() -> None:
    tap = a_tap()
    assert tap.feed(wire(recordings.OPENAI_OLD[:1])) == b""
    assert not tap.begun
    assert tap.failure is None


def test_the_upstreams_id_and_time_are_kept() -> None:
    stream, _ = tapped([wire(recordings.OPENAI_OLD)])
    chunks = validated(stream, model=ASKED, include_usage=True).chunks
    assert {(chunk["id"], chunk["created"]) for chunk in chunks} == {("chatcmpl-9XTNold", 1717764806)}


@pytest.mark.parametrize("first_id", [None, ""])
def test_an_id_that_comes_late_does_not_change_the_one_that_was_sent(first_id: str | None) -> None:
    chunks: list[dict[str, object]] = [
        {"id": first_id, "choices": [{"index": 0, "delta": {"content": "a"}}]},
        {"id": "late", "choices": [{"index": 0, "delta": {"content": "b"}}]},
        {"id": "later", "choices": [{"index": 0, "delta": {"content": "c"}, "finish_reason": "stop"}]},
    ]
    stream, _ = tapped([wire((*map(json.dumps, chunks), "[DONE]"))])
    added = validated(stream, model=ASKED, include_usage=True)
    assert added.text == "abc"
    assert added.chunks[0]["id"] == f"chatcmpl-{ID}"


def test_a_role_that_is_repeated_on_otherwise_clean_frames_is_sent_once() -> None:
    stream, _ = tapped([wire(recordings.CLAUDE_INDEX_FROM_ONE)])
    assert stream.count(b'"role"') == 1


def test_reasoning_goes_out_under_both_names_and_its_seal_unchanged() -> None:
    stream, _ = tapped([wire(recordings.GEMINI_TOOLS)])
    message = validated(stream, model=ASKED, include_usage=True).message
    assert message["reasoning_content"] == message["reasoning_text"] == "**Understanding**\n\n"
    assert message["reasoning_opaque"] == "4CUQ6696"


def test_what_comes_after_the_finish_reason_is_sent_before_it() -> None:
    stream, _ = tapped([wire(recordings.COT_AFTER_FINISH)])
    assert validated(stream, model=ASKED, include_usage=True).message["cot_id"] == "cot_a1b2"


def test_zeros_behind_the_usage_do_not_wipe_it_out() -> None:
    zeros = (
        '{"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0,"prompt_tokens_details":{"cached_tokens":0}}}'
    )
    recording = (*OPENAI_NEW[:-1], zeros, "[DONE]")
    assert tapped([wire(recording)])[1].tally.output == 93


def test_zeros_on_the_first_chunks_are_no_count() -> None:
    tap = a_tap()
    zeros = '"usage":{"prompt_tokens":0,"completion_tokens":0}'
    tap.feed(wire(('{"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"So"}}],' + zeros + "}",)))
    assert tap.begun
    assert not tap.counted


def test_the_bill_of_the_token_era_is_kept() -> None:
    tally = tapped([wire(recordings.CLAUDE_INDEX_FROM_ONE)])[1].tally
    assert (tally.input, tally.cached, tally.cache_write, tally.output, tally.nano) == (30, 60, 10, 20, 39_000_000)


def test_an_answer_without_content_still_has_a_role_and_an_end() -> None:
    stream, _ = tapped([wire(('{"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}', "[DONE]"))])
    added = validated(stream, model=ASKED, include_usage=True)
    assert (added.text, added.finish) == ("", "stop")


def test_an_error_within_the_stream_is_noted_and_not_sent() -> None:
    tap = a_tap()
    assert b"Par" in tap.feed(wire(FAILED[:1]))
    assert tap.feed(wire(FAILED[1:])) == b""
    assert tap.failure is not None
    assert (tap.failure.code, tap.failure.message) == ("model_overloaded", "The model is overloaded.")
    with pytest.raises(BrokenStream):
        tap.end()


@pytest.mark.parametrize("name", WHOLE)
def test_a_body_that_ends_before_the_answer_does_is_never_an_answer(name: str) -> None:
    recording, _ = WHOLE[name]
    stream = wire(recording)
    last_chunk = next(
        number for number, text in enumerate(recording) if text == "[DONE]" or '"finish_reason":"' in text
    )
    # Up to the last frame's closing brace, which alone would make it whole.
    before_the_end = len(wire(recording[: last_chunk + 1])) - 3
    for cut in range(before_the_end):
        tap = a_tap()
        tap.feed(stream[:cut])
        with pytest.raises(BrokenStream):
            tap.end()


def test_a_finish_reason_without_done_is_an_end() -> None:
    stream, _ = tapped([wire(OPENAI_NEW[:-1])])
    assert validated(stream, model=ASKED, include_usage=True).finish == "stop"


def test_a_last_frame_without_its_empty_line_counts() -> None:
    stream, _ = tapped([wire(OPENAI_NEW).rstrip(b"\n")])
    assert validated(stream, model=ASKED, include_usage=True).usage is not None
    stream, _ = tapped([wire(recordings.COT_AFTER_FINISH[:-1]).rstrip(b"\n")])
    assert validated(stream, model=ASKED, include_usage=True).message["cot_id"] == "cot_a1b2"


def test_what_follows_done_is_left_out() -> None:
    stream, _ = tapped([wire((*OPENAI_NEW, OPENAI_NEW[1]))])
    assert validated(stream, model=ASKED, include_usage=True).text == WHOLE["openai new"][1].text


def test_an_answer_the_server_gave_up_is_a_broken_stream() -> None:
    with pytest.raises(BrokenStream):
        tapped([wire(('{"id":"x","choices":[{"delta":{"content":"a"},"finish_reason":"error"}]}', "[DONE]"))])


@pytest.mark.parametrize("data", ["{", "not json", "[1]", '"text"', '{"a":1e999}', "[" * 100_000])
def test_a_frame_that_is_no_json_object_breaks_the_stream(data: str) -> None:
    with pytest.raises(BrokenStream):
        a_tap().feed(wire((data,)))


def test_bytes_that_are_not_utf_8_break_the_stream() -> None:
    with pytest.raises(BrokenStream):
        a_tap().feed(b'data: {"choices":[{"delta":{"content":"\xff"}}]}\n\n')


_NAMES = [
    "choices",
    "delta",
    "tool_calls",
    "function",
    "id",
    "index",
    "content",
    "usage",
    "error",
    "message",
    "created",
]
_shapes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(_NAMES), inner),
)


@given(_shapes)
def test_no_shape_of_a_chunk_breaks_the_reading(chunk: object) -> None:
    tap = a_tap()
    try:
        tap.feed(wire((json.dumps(chunk),)))
        tap.end()
    except BrokenStream:
        assert not isinstance(chunk, dict) or tap.stop_reason == ""


def test_the_output_of_a_broken_answer_can_be_estimated_from_its_size() -> None:
    tap = a_tap()
    tap.feed(wire(recordings.CLAUDE_TWO_CALLS[:5]))
    assert tap.output_bytes == len("I'll edit both.") + len('{"path": "a.py"')


def test_a_call_without_arguments_gets_an_empty_object_before_the_end() -> None:
    head = '{"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"now"}}]}}]}'
    stream, _ = tapped([wire((head, "[DONE]"))])
    added = validated(stream, model=ASKED, include_usage=True)
    assert (added.calls[0]["arguments"], added.finish) == ("{}", "tool_calls")


def test_a_client_is_told_the_counts_that_were_billed() -> None:
    bill = '{"token_details":[{"token_type":"input","token_count":30},{"token_type":"output","token_count":25}]}'
    usage = (
        '{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30,"completion_tokens_details":{"audio_tokens":0}}'
    )
    chunk = f'{{"choices":[{{"delta":{{}},"finish_reason":"stop"}}],"usage":{usage},"copilot_usage":{bill}}}'
    stream, tap = tapped([wire((chunk,))])
    assert (tap.tally.input, tap.tally.output, tap.counted) == (30, 25, True)
    assert validated(stream, model=ASKED, include_usage=True).usage == {
        "prompt_tokens": 30,
        "completion_tokens": 25,
        "total_tokens": 55,
        "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "completion_tokens_details": {"audio_tokens": 0, "reasoning_tokens": 0},
    }


def test_silence_and_failure_have_their_frames() -> None:
    tap = a_tap()
    assert tap.keepalive().startswith(b": ")
    error = TimedOut("Too slow.")
    assert tap.fail(error, "Too slow.") == b"data: " + write_error(error, "Too slow.") + b"\n\n"
    assert tap.dropped == ()
