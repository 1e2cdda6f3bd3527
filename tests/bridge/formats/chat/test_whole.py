"""The unstreamed answer: what the stream adds up to, and what an upstream's own whole answer becomes."""

from __future__ import annotations

import contextlib
import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import BrokenStream
from bridge.formats.chat.verbatim import Gatherer, StreamTap, frames_of_body
from tests.bridge.formats.chat import recordings
from tests.bridge.formats.chat.generated import Answer, answers
from tests.bridge.formats.chat.headings import a_heading
from tests.bridge.formats.chat.recordings import WHOLE, wire
from tests.bridge.formats.chat.validator import Added, validated


def a_gatherer() -> Gatherer:
    return Gatherer(a_heading(stream=False))


def gathered(*packets: bytes) -> dict[str, Any]:
    gatherer = a_gatherer()
    for packet in packets:
        gatherer.feed(packet)
    answer: dict[str, Any] = json.loads(gatherer.end())
    return answer


def streamed(stream: bytes) -> Added:
    tap = StreamTap(a_heading())
    return validated(tap.feed(stream) + tap.end(), model="asked", include_usage=True)


def agrees(whole: dict[str, Any], added: Added) -> None:
    """The whole answer is what a client would have added up from the stream."""
    (choice,) = whole["choices"]
    message = choice["message"]
    assert whole["object"] == "chat.completion"
    assert (whole["model"], whole["id"], whole["created"]) == tuple(
        added.chunks[0][name] for name in ("model", "id", "created")
    )
    assert (message["role"], message["content"] or "") == ("assistant", added.text)
    assert [
        {"id": call["id"], "name": call["function"]["name"], "arguments": call["function"]["arguments"]}
        for call in message.get("tool_calls", [])
    ] == [call | {"arguments": call["arguments"] or "{}"} for call in added.calls]
    assert choice["finish_reason"] == added.finish
    rest = {name: value for name, value in message.items() if name not in ("role", "content", "tool_calls", "refusal")}
    assert rest == {name: value for name, value in added.message.items() if name not in ("role", "content")}
    if added.usage is not None:
        assert whole["usage"] == added.usage


@pytest.mark.parametrize("name", WHOLE)
def test_the_whole_answer_is_what_the_stream_adds_up_to(name: str) -> None:
    stream = wire(WHOLE[name][0])
    agrees(gathered(stream), streamed(stream))
    assert gathered(*(bytes([byte]) for byte in stream)) == gathered(stream)


@settings(max_examples=100, deadline=None)
@given(answers(), st.lists(st.integers(0, 4000), max_size=8))
def test_any_answer_in_any_manner_is_gathered_as_it_is_streamed(answer: Answer, cuts: list[int]) -> None:
    stream = wire(answer.recording)
    borders = sorted({0, len(stream), *(cut % len(stream) for cut in cuts)})
    agrees(gathered(*(stream[start:end] for start, end in pairwise(borders))), streamed(stream))


def test_an_answer_of_calls_alone_has_null_for_content_and_one_without_anything_an_empty_text() -> None:
    message = gathered(wire(recordings.GPT_TOOL))["choices"][0]["message"]
    assert message["content"] is None
    nothing = gathered(wire(('{"id":"x","choices":[{"delta":{},"finish_reason":"length"}]}', "[DONE]")))
    assert nothing["choices"][0]["message"] == {"role": "assistant", "content": "", "refusal": None}
    assert nothing["choices"][0]["finish_reason"] == "length"


def test_usage_is_there_even_when_the_upstream_gave_none() -> None:
    usage = gathered(wire(recordings.NO_FINISH))["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (0, 0, 0)


def test_log_probabilities_are_put_together() -> None:
    chunks = [
        {"id": "x", "choices": [{"delta": {"content": text}, "logprobs": {"content": [{"token": text}]}}]}
        for text in "ab"
    ]
    choice = gathered(wire((*map(json.dumps, chunks), "[DONE]")))["choices"][0]
    assert choice["logprobs"] == {"content": [{"token": "a"}, {"token": "b"}]}
    assert gathered(wire(recordings.NO_FINISH))["choices"][0]["logprobs"] is None


def test_a_seal_that_comes_twice_is_kept_once() -> None:
    chunks = [
        {"id": "x", "choices": [{"delta": {"reasoning_text": text, "reasoning_opaque": "seal==", "cot_id": "c1"}}]}
        for text in ("Hm. ", "Ah.")
    ]
    message = gathered(wire((*map(json.dumps, chunks), "[DONE]")))["choices"][0]["message"]
    assert (message["reasoning_text"], message["reasoning_content"]) == ("Hm. Ah.", "Hm. Ah.")
    assert (message["reasoning_opaque"], message["cot_id"]) == ("seal==", "c1")


def test_the_fingerprint_is_kept() -> None:
    assert gathered(wire(recordings.OPENAI_NEW))["system_fingerprint"] is not None
    assert gathered(wire(recordings.GPT_TOOL))["system_fingerprint"] == "fp_80a1bad4c7"


@pytest.mark.parametrize("name", WHOLE)
def test_a_stream_that_ends_before_the_answer_does_is_no_answer(name: str) -> None:
    recording = WHOLE[name][0]
    last = next(number for number, text in enumerate(recording) if text == "[DONE]" or '"finish_reason":"' in text)
    with pytest.raises(BrokenStream):
        gathered(wire(recording[:last]))
    with pytest.raises(BrokenStream):
        gathered(wire(recording[: last + 1])[:-5])


def test_an_answer_the_server_gave_up_is_a_broken_stream() -> None:
    with pytest.raises(BrokenStream):
        gathered(wire(('{"id":"x","choices":[{"delta":{"content":"a"},"finish_reason":"error"}]}', "[DONE]")))


def test_a_piece_that_is_not_json_breaks_the_answer() -> None:
    with pytest.raises(BrokenStream):
        a_gatherer().feed(wire(("{",)))


# --- whole answers of the upstream -------------------------------------------------------------------------


def from_body(body: object) -> dict[str, Any]:
    return gathered(frames_of_body(json.dumps(body).encode()))


def test_claudes_text_and_calls_in_choices_of_their_own_become_one() -> None:
    choices = [
        {"finish_reason": "tool_calls", "index": 0, "message": {"content": "Reading.", "role": "assistant"}},
        *(
            {
                "finish_reason": "tool_calls",
                "index": number,
                "message": {
                    "role": "assistant",
                    "tool_calls": [
                        {"id": f"toolu_{number}", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                    ],
                },
            }
            for number in (1, 2)
        ),
    ]
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    (choice,) = from_body({"choices": choices, "created": 5, "id": "msg_1", "model": "c", "usage": usage})["choices"]
    assert choice["message"]["content"] == "Reading."
    assert [call["id"] for call in choice["message"]["tool_calls"]] == ["toolu_1", "toolu_2"]
    assert choice["finish_reason"] == "tool_calls"


def test_an_anthropic_body_on_the_chat_door_is_understood() -> None:
    body = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4.5",
        "content": [
            {"type": "text", "text": "Hi, "},
            {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"path": "ü"}},
            {"type": "text", "text": "there"},
            {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
        ],
        "stop_reason": "tool_use",
        "usage": {
            "input_tokens": 5,
            "cache_read_input_tokens": 7,
            "cache_creation_input_tokens": 2,
            "output_tokens": 3,
        },
        "copilot_usage": {"total_nano_aiu": 11},
    }
    gatherer = a_gatherer()
    gatherer.feed(frames_of_body(json.dumps(body).encode()))
    answer = json.loads(gatherer.end())
    (choice,) = answer["choices"]
    assert answer["id"] == "msg_01"
    assert choice["message"]["content"] == "Hi, there"
    calls = [(call["id"], *call["function"].values()) for call in choice["message"]["tool_calls"]]
    assert calls == [("toolu_1", "read", '{"path":"ü"}'), ("toolu_2", "now", "{}")]
    assert choice["finish_reason"] == "tool_calls"
    assert answer["usage"]["prompt_tokens"] == 14
    assert (gatherer.tally.cached, gatherer.tally.output, gatherer.tally.nano) == (7, 3, 11)


@pytest.mark.parametrize(
    ("stop", "finish"),
    [("end_turn", "stop"), ("max_tokens", "length"), ("refusal", "content_filter"), (None, "stop"), ("pause", "stop")],
)
def test_anthropics_stop_reasons_have_names_here(stop: str | None, finish: str) -> None:
    body = {"id": "m", "content": [{"type": "text", "text": "x"}], "stop_reason": stop}
    assert from_body(body)["choices"][0]["finish_reason"] == finish


def test_an_answer_without_choices_ran_into_its_limit() -> None:
    (choice,) = from_body({"id": "x", "choices": [], "usage": {"prompt_tokens": 9}})["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("", "length")


def test_an_error_in_a_body_of_status_200_is_noted() -> None:
    gatherer = a_gatherer()
    gatherer.feed(frames_of_body(b'{"error":{"code":"rate_limited","message":"Slow."}}'))
    assert gatherer.failure is not None
    assert gatherer.failure.code == "rate_limited"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"x"', b'{"a":1}', b"\xff", b"[" * 100_000, b"null"])
def test_a_body_that_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(BrokenStream):
        frames_of_body(body)


_NAMES = ["choices", "content", "usage", "message", "type", "input", "stop_reason", "error", "input_tokens", "delta"]
_bodies = st.recursive(
    st.none() | st.text() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(_NAMES), inner),
)


@given(st.binary(max_size=40) | _bodies.map(lambda value: json.dumps(value).encode()))
def test_no_body_does_worse_than_break(body: bytes) -> None:
    with contextlib.suppress(BrokenStream):
        assert gathered(frames_of_body(body))["object"] == "chat.completion"
