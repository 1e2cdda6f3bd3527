"""A whole body in the place of a stream goes the way of the stream, bill and all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.asked import Asked
from bridge.carrier import Carriers
from bridge.crossing import FORMATS, Crossing
from bridge.dialect import Dialect
from bridge.errors import BrokenStream
from bridge.road import Heading
from bridge.tally import Tally
from bridge.unstreamed import frames_of
from tests.dialects.chat_stream import whole_chat
from tests.dialects.messages_stream import whole_message
from tests.dialects.responses_stream import whole_response
from tests.matrix.crossing import TARGETS
from tests.matrix.features import FEATURES

BILL = {
    "token_details": [
        {"token_type": "input", "token_count": 12, "batch_size": 1_000_000, "cost_per_batch": 500_000_000_000},
        {"token_type": "output", "token_count": 3, "batch_size": 1_000_000, "cost_per_batch": 2_500_000_000_000},
    ],
    "total_nano_aiu": 13_500_000,
}
BODIES: dict[Dialect, dict[str, Any]] = {
    Dialect.CHAT: {
        "id": "chatcmpl-1",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Yes"}}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
        "copilot_usage": BILL,
    },
    Dialect.RESPONSES: {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "m",
        "output": [
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "Yes", "annotations": []}],
            }
        ],
        "usage": {
            "input_tokens": 12,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 3,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 15,
        },
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "copilot_usage": BILL,
    },
    Dialect.MESSAGES: {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "Yes"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 3},
        "copilot_usage": BILL,
    },
}
READ = {Dialect.CHAT: whole_chat, Dialect.RESPONSES: whole_response, Dialect.MESSAGES: whole_message}


def asked_at(door: Dialect) -> Asked:
    return FORMATS[door].open_request(json.dumps({"model": "asked", **FEATURES[0].requests[door]}).encode())


@pytest.mark.parametrize("door", Dialect)
@pytest.mark.parametrize("upstream", Dialect)
def test_a_whole_body_reaches_every_door(door: Dialect, upstream: Dialect) -> None:
    crossing = Crossing(asked_at(door), upstream, TARGETS[upstream], Carriers(b"key", "tests"))
    crossing.write()
    road = crossing.road(Heading(asked_at(door), "0" * 32, 1_790_000_000))
    assert road.feed(frames_of(json.dumps(BODIES[upstream]).encode(), upstream)) == b""
    answer = READ[door](road.end())
    assert answer.text == "Yes"
    assert road.tally == Tally(input=12, output=3, nano=13_500_000)
    assert answer.counts is not None
    answer.counts.check(road.tally)


@pytest.mark.parametrize("upstream", Dialect)
@pytest.mark.parametrize("body", [b"no json", b"[]", b"{}"])
def test_what_is_no_answer_is_a_broken_one(upstream: Dialect, body: bytes) -> None:
    with pytest.raises(BrokenStream):
        frames_of(body, upstream)


@pytest.mark.parametrize("upstream", Dialect)
def test_an_error_in_a_body_is_a_failure(upstream: Dialect) -> None:
    crossing = Crossing(asked_at(upstream), upstream, TARGETS[upstream], Carriers(b"key", "tests"))
    crossing.write()
    road = crossing.road(Heading(asked_at(upstream), "0" * 32, 1_790_000_000))
    road.feed(frames_of(b'{"error": {"message": "no and no", "code": "rate_limited"}}', upstream))
    assert road.failure is not None
    assert road.failure.message == "no and no"
