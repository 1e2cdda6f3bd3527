"""Messages: a stream gathered into one whole answer, its blocks as they were."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.errors import BrokenStream
from bridge.events import Failed
from bridge.formats.messages.verbatim import Gatherer
from tests.bridge.formats.messages.recordings import ALL, CALLS, REDACTED, SEARCH, TEXT, dressed, wire, without
from tests.bridge.formats.messages.upstream import heading_of
from tests.dialects.messages_stream import whole_message


def gathered(*packets: bytes) -> bytes:
    gatherer = Gatherer(heading_of(stream=False))
    assert [gatherer.feed(packet) for packet in packets] == [b""] * len(packets)
    return gatherer.end()


def content(recording: tuple[str, ...] | list[str]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = json.loads(gathered(wire(recording)))["content"]
    return blocks


@pytest.mark.parametrize("recording", ALL)
def test_every_cut_and_dress_of_the_wire_gives_the_same_answer(recording: tuple[str, ...]) -> None:
    whole = wire(recording)
    wanted = gathered(whole)
    answer = whole_message(wanted, model="sonnet")
    assert (answer.usage["input_tokens"], answer.usage["output_tokens"]) == (16, 17)
    assert gathered(*(whole[at : at + 1] for at in range(len(whole)))) == wanted
    assert gathered(dressed(recording)) == wanted


def test_thinking_text_and_calls_are_gathered() -> None:
    assert content(CALLS) == [
        {"signature": "EqQB+/=", "thinking": "I must look.", "type": "thinking"},
        {"text": "Looking.", "type": "text"},
        {"id": "toolu_vrtx_01", "input": {"path": "a.py"}, "name": "read", "type": "tool_use"},
        {"id": "toolu_vrtx_02", "input": {}, "name": "list", "type": "tool_use"},
    ]
    assert content(without(CALLS, "content_block_stop")) == content(CALLS)


def test_sealed_thinking_and_stop_sequences_are_gathered() -> None:
    whole = json.loads(gathered(wire(REDACTED)))
    assert whole["content"][0] == {"data": "EroB", "type": "redacted_thinking"}
    assert (whole["stop_reason"], whole["stop_sequence"]) == ("stop_sequence", "###")


def test_searches_and_citations_are_gathered() -> None:
    search, found, text = content(SEARCH)
    assert search["input"] == {"query": "weather"}
    assert found["content"][0]["encrypted_content"] == "x"
    assert [citation["cited_text"] for citation in text["citations"]] == ["Sun"]


def test_what_copilot_adds_for_itself_is_left_out() -> None:
    assert b"copilot_" not in gathered(wire(TEXT))


def test_an_answer_cut_before_its_end_is_broken() -> None:
    gatherer = Gatherer(heading_of())
    gatherer.feed(wire(CALLS[:-2]))
    assert gatherer.begun
    with pytest.raises(BrokenStream):
        gatherer.end()


def test_an_error_inside_the_stream_is_a_failure() -> None:
    gatherer = Gatherer(heading_of())
    gatherer.feed(wire((TEXT[0], '{"type":"error","error":{"type":"api_error","message":"boom"}}')))
    assert gatherer.failure == Failed("boom", "api_error")
    assert not gatherer.begun


def test_a_call_that_broke_off_is_wrapped() -> None:
    recording = [data for data in CALLS if '.py\\"}' not in data]
    last = recording[-2].replace('"tool_use"', '"max_tokens"')
    blocks = content([*recording[:-2], last, recording[-1]])
    assert blocks[2]["input"] == {"_raw_arguments": '{"path": "a'}
