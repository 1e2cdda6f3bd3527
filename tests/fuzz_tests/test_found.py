"""What fuzzing has found, as the smallest case that shows it; none may come back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.assembly import Reply, events_of
from bridge.carrier import Carriers
from bridge.crossing import FORMATS, Crossing
from bridge.dialect import Dialect
from bridge.events import Stop
from bridge.parts import Text
from bridge.road import Heading
from tests.dialects.written import (
    RESPONSES_USAGE,
    Json,
    block,
    chunk,
    message_end,
    message_start,
    messages_stream,
    named_bytes,
    responses_stream,
)
from tests.fuzz import doors, requests, seeds, streams
from tests.fuzz.mutation import nested
from tests.fuzz.requests import RequestCase
from tests.fuzz.streams import StreamCase

USER = {"role": "user", "content": "x"}


def stream(dialect: Dialect, *packets: bytes) -> StreamCase:
    return StreamCase(dialect, packets)


def responses_with(number: int, **members: Any) -> bytes:
    events = responses_stream()
    events[number] = {**events[number], **members}
    return named_bytes(events)


def terminal_with(**members: Any) -> bytes:
    return responses_with(-1, response={**responses_stream()[-1]["response"], **members})


def _messages(*blocks: Json) -> bytes:
    return named_bytes([message_start(), *blocks, *message_end("end_turn")])


EVENTS = responses_stream()
STREAMS = {
    "invalid UTF-8 in a delta": stream(
        Dialect.RESPONSES, named_bytes(responses_stream()).replace(b"Hel", b"\xed\xa0\x80", 1)
    ),
    "invalid UTF-8 in the terminal event": stream(
        Dialect.RESPONSES, named_bytes(responses_stream())[::-1].replace(b"olleH", b"\xff", 1)[::-1]
    ),
    "invalid UTF-8 at the end of what came": stream(
        Dialect.RESPONSES, named_bytes(responses_stream()[:3]), b'event: x\ndata: {"type":"\xff'
    ),
    "nesting without end in an item": stream(
        Dialect.RESPONSES,
        named_bytes(responses_stream()).replace(b'"summary": []', b'"summary": ' + nested(9000, as_list=True), 1),
    ),
    "an output_index beyond every list": stream(Dialect.RESPONSES, responses_with(2, output_index=2**63)),
    "a negative output_index": stream(Dialect.RESPONSES, responses_with(2, output_index=-1)),
    "output that is true": stream(Dialect.RESPONSES, terminal_with(output=True)),
    "a response that is a list": stream(Dialect.RESPONSES, responses_with(0, response=[])),
    "an item that is a text": stream(Dialect.RESPONSES, responses_with(2, item="x")),
    "reasoning tokens without output tokens": stream(
        Dialect.RESPONSES, terminal_with(usage={**RESPONSES_USAGE, "output_tokens": 0})
    ),
    "a type that is an object": stream(Dialect.RESPONSES, responses_with(3, type={"a": 1})),
    "a type with quotes and backslashes": stream(Dialect.RESPONSES, responses_with(3, type='re"\\')),
    "an error behind a preamble": stream(Dialect.RESPONSES, named_bytes(responses_stream()[:2])),
    "a frame that never ended": stream(
        Dialect.RESPONSES, named_bytes(responses_stream()[:5]) + named_bytes(responses_stream()[5:6])[:-2]
    ),
    "a phase unheard of": stream(
        Dialect.RESPONSES,
        named_bytes(responses_stream()).replace(b'"role": "assistant"', b'"role": "assistant", "phase": "x"'),
    ),
    "a delta behind the end of an item that waits": stream(
        Dialect.RESPONSES,
        named_bytes([*EVENTS[:2], EVENTS[8], *EVENTS[2:8], EVENTS[4], *EVENTS[9:]]),
    ),
    "line ends inside of an item": stream(
        Dialect.RESPONSES, named_bytes(EVENTS).replace(b', "summary": [{', b',\ndata: "summary": [{')
    ),
    "a tool use without a name": stream(
        Dialect.MESSAGES,
        _messages(*block(0, {"type": "tool_use", "id": "toolu_1", "name": "", "input": {}})),
    ),
    "a block whose type is an object": stream(
        Dialect.MESSAGES, _messages({"type": "content_block_start", "index": 0, "content_block": {"type": {}}})
    ),
    "a delta whose type is an object": stream(
        Dialect.MESSAGES, _messages({"type": "content_block_delta", "index": 0, "delta": {"type": []}})
    ),
    "a start without a model": stream(
        Dialect.MESSAGES, named_bytes([{"type": "message_start", "message": {"id": "msg_1"}}, *messages_stream()[1:]])
    ),
    "content that is a number": stream(
        Dialect.MESSAGES,
        named_bytes(
            [{**message_start(), "message": {**message_start()["message"], "content": 5}}, *message_end("end_turn")]
        ),
    ),
    "a call without a name": stream(
        Dialect.CHAT,
        b"data: "
        + json.dumps(chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"arguments": "{}"}}]})).encode()
        + b"\n\ndata: [DONE]\n\n",
    ),
    "reasoning tokens and a broken count of the output": StreamCase(
        Dialect.CHAT,
        (
            json.dumps(
                {
                    "choices": [{"message": {"content": "a"}, "finish_reason": "stop"}],
                    "usage": {
                        "prompt_tokens": 9,
                        "completion_tokens": 10**40,
                        "completion_tokens_details": {"reasoning_tokens": 26},
                    },
                }
            ).encode(),
        ),
        is_whole=True,
    ),
    "text, refusal and log probabilities at once": StreamCase(
        Dialect.CHAT,
        (
            json.dumps(
                {
                    "choices": [
                        {
                            "message": {"content": "a", "refusal": "b"},
                            "logprobs": {"content": [{"token": "a", "logprob": -1, "bytes": None, "top_logprobs": []}]},
                            "finish_reason": "stop",
                        }
                    ]
                }
            ).encode(),
        ),
        is_whole=True,
    ),
}
REQUESTS: dict[str, tuple[str, Json]] = {
    "a role that is a list": ("responses", {"input": [{"role": ["user"], "content": "x"}]}),
    "a tool whose type is an object": ("responses", {"input": "x", "tools": [{"type": {}}]}),
    "a tool choice whose type is an object": (
        "responses",
        {"input": "x", "tools": [{"type": "function", "name": "f"}], "tool_choice": {"type": {}, "name": []}},
    ),
    "an item whose type is a list": ("responses", {"input": [{"type": [], "content": "x"}]}),
    "a part whose type is an object": (
        "responses",
        {"input": [{"role": "user", "content": [{"type": {}, "text": "x"}]}]},
    ),
    "an include that is an object": ("responses", {"input": "x", "include": [{}, []]}),
    "an effort that is a list": ("responses", {"input": "x", "reasoning": {"effort": []}}),
    "a member without a name": ("responses", {"input": "x", "": 1}),
    "a call id that is an object": (
        "chat",
        {"messages": [USER, {"role": "assistant", "tool_calls": [{"id": {}, "function": {"name": "f"}}]}]},
    ),
    "a result for a call id that is a list": ("chat", {"messages": [USER, {"role": "tool", "tool_call_id": []}]}),
    "a block whose type is a list": ("messages", {"messages": [{"role": "user", "content": [{"type": []}]}]}),
    "a tool whose type is a list": ("messages", {"messages": [USER], "tools": [{"type": [], "name": "x"}]}),
    "a result for a call id that is an object": (
        "messages",
        {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": {}}]}]},
    ),
}


@pytest.mark.parametrize("name", STREAMS)
def test_what_an_upstream_once_broke_stays_whole(name: str) -> None:
    streams.run(STREAMS[name])


@pytest.mark.parametrize("model", ["gpt-5.4", "kimi-k3", "claude-haiku-4.5"])
@pytest.mark.parametrize("name", REQUESTS)
def test_what_a_client_once_broke_stays_whole(name: str, model: str) -> None:
    door, body = REQUESTS[name]
    requests.run(RequestCase(door, json.dumps({"model": model, "max_tokens": 50, **body}).encode()))


@pytest.mark.parametrize(
    ("dialect", "body"),
    [(Dialect.RESPONSES, named_bytes(responses_stream())), (Dialect.MESSAGES, named_bytes(messages_stream()))],
)
def test_what_the_cases_are_made_of_is_read_to_its_end(dialect: Dialect, body: bytes) -> None:
    """Else they would fail for another reason than their own."""
    assert streams.read(stream(dialect, body))[1] is None


GOOD = [
    *((Dialect.CHAT, body) for body in seeds.CHAT),
    *((Dialect.RESPONSES, body) for body in seeds.RESPONSES),
    *((Dialect.MESSAGES, body) for body in seeds.MESSAGES),
]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("number", range(len(GOOD)))
@pytest.mark.parametrize("upstream", list(Dialect))
def test_a_request_with_line_ends_between_its_members_is_answered_like_any_other(
    upstream: Dialect, number: int, line_end: str
) -> None:
    door, body = GOOD[number]
    text = json.dumps({"model": "asked", **body, "stream": True}, indent=2).replace("\n", line_end)
    asked = FORMATS[door].open_request(text.encode())
    crossing = Crossing(asked, upstream, requests.TARGETS[upstream][0], Carriers(b"key", "binding"))
    crossing.write()
    heading = Heading(asked=asked, id=streams.REQUEST_ID, created=1_750_000_000)
    upstreams = FORMATS[upstream].writer(streams.heading_of(upstream, stream=True))
    packets = b"".join(upstreams.write(event) for event in events_of(Reply((Text("Hello"),), Stop.END)))
    road = crossing.road(heading)
    answer = doors.check_stream(road.feed(packets) + road.end(), door)
    assert answer.text == "Hello"
