"""Messages as a client gets it: a state machine over the bytes of a stream, and a check of a whole answer.

    stream := message_start (content_block_start content_block_delta* content_block_stop | life)* message_delta
              message_stop
    life   := a message_delta whose stop_reason is null, for clients that count events

Every frame has an `event:` line equal to its `type`; blocks are numbered from 0 and never overlap; a tool's input
comes by deltas alone; usage stands in message_start and message_delta; nothing follows message_stop. Comments may
stand anywhere, pings between message_start and message_stop.
Shape: https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.dialects.answer import Answer, Counts, Failure
from tests.dialects.failures import messages_error
from tests.dialects.frames import Frame, check_arguments, need, need_text, read_frames, read_object
from tests.dialects.messages_blocks import GROWTH, add_block, check_block, object_or_empty
from tests.dialects.sdk_types import check_message, check_message_event

_STOPS = frozenset(
    {
        "end_turn",
        "tool_use",
        "max_tokens",
        "stop_sequence",
        "refusal",
        "pause_turn",
        "model_context_window_exceeded",
    }
)
# What Copilot adds for itself and no client of Anthropic's knows.
_FOREIGN = frozenset({"copilot_usage", "copilot_annotations", "amazon-bedrock-invocationMetrics"})


def validated(body: bytes, *, model: str | None = None, json_arguments: bool = True) -> Answer:
    """Add up a whole stream. `model` is the name the request asked for.

    With `json_arguments` a tool's input must be a JSON object, unless the answer was cut short.
    """
    machine = _Machine(model, json_arguments)
    for frame in read_frames(body):
        machine.take(frame)
    return machine.finished()


def validated_failure(body: bytes, *, model: str | None = None) -> Failure:
    """The error event that a stream ends with; what stands before it must be a stream that is whole up to there."""
    frames = [frame for frame in read_frames(body) if frame.data is not None]
    assert frames, "the stream says nothing"
    machine = _Machine(model, json_arguments=False)
    for frame in frames[:-1]:
        machine.take(frame)
    last = frames[-1]
    assert last.event == "error", f"the last event is {last.event!r}, not 'error'"
    assert not machine.ended, "an error behind message_stop"
    failure = messages_error(read_object(last.data or ""))
    events = tuple(machine.answer.events)
    return Failure(failure.message, failure.type, failure.code, request_id=failure.request_id, events=events)


def whole_message(body: bytes, *, model: str | None = None, json_arguments: bool = True) -> Answer:
    """An unstreamed answer, checked and taken apart."""
    whole = read_object(body)
    check_message(whole)
    answer = Answer(events=[whole], whole=whole)
    _take_head(answer, whole, model)
    for block in need(whole, "content", list, "message"):
        assert block["type"] in GROWTH, f"a block of the type {block['type']!r}"
        check_block(block, f"the {block['type']} block")
        add_block(answer, block, json.dumps(block.get("input")))
    answer.usage = whole["usage"]
    answer.counts = counts_of(whole["usage"])
    _take_stop(answer, whole)
    _check_stop(answer, json_arguments=json_arguments)
    return answer


def counts_of(usage: dict[str, Any]) -> Counts:
    """What `usage` tells: input tokens are those that the cache neither gave nor took."""
    numbers = [
        need(usage, name, int, "usage")
        for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
    ]
    assert min(numbers) >= 0, f"a negative count: {usage}"
    fresh, cached, written, output = numbers
    details = usage.get("output_tokens_details") or {}
    return Counts(fresh + cached + written, output, cached, written, details.get("thinking_tokens"))


@dataclass(slots=True)
class _Machine:
    """`_block` is the open block, `_pieces` what came of its input, `_count` how many have stopped."""

    model: str | None
    json_arguments: bool
    answer: Answer = field(default_factory=Answer)
    ended: bool = False
    _block: dict[str, Any] | None = None
    _pieces: list[str] = field(default_factory=list)
    _count: int = 0

    def take(self, frame: Frame) -> None:
        if frame.data is None:
            self.answer.comments += 1
            return
        assert not self.ended, f"something comes after message_stop: {frame.event} {frame.data[:80]!r}"
        event = read_object(frame.data)
        kind = need_text(event, "type", "event")
        assert frame.event == kind, f"the event line says {frame.event!r}, the type is {kind!r}"
        assert not _FOREIGN & event.keys(), f"a member of Copilot's own: {_FOREIGN & event.keys()}"
        if kind == "ping":
            assert self.answer.events, "a ping before message_start"
            self.answer.pings += 1
            return
        assert (kind == "message_start") == (not self.answer.events), f"{kind} as event {len(self.answer.events)}"
        check_message_event(event)
        self.answer.events.append(event)
        self._step(kind, event)

    def finished(self) -> Answer:
        assert self.answer.events, "the stream says nothing"
        assert self.ended, "the stream ends without message_stop"
        _check_stop(self.answer, json_arguments=self.json_arguments)
        return self.answer

    def _step(self, kind: str, event: dict[str, Any]) -> None:
        match kind:
            case "message_start":
                self._message_start(event)
            case "content_block_start":
                self._content_block_start(event)
            case "content_block_delta":
                self._content_block_delta(event)
            case "content_block_stop":
                self._content_block_stop(event)
            case "message_delta" if event["delta"].get("stop_reason") is None:
                assert self._block is None, "a message_delta inside of a block"
                assert not self.answer.stop, "a second message_delta"
            case "message_delta":
                self._message_delta(event)
            case "message_stop":
                assert self.answer.stop, "message_stop without message_delta"
                self.ended = True
            case _:
                raise AssertionError(f"an event of the type {kind!r}")

    def _message_start(self, event: dict[str, Any]) -> None:
        message = need(event, "message", dict, "message_start")
        _take_head(self.answer, message, self.model)
        assert message.get("content") == [], "message_start with content"
        for name in ("stop_reason", "stop_sequence"):
            assert name in message, f"message_start without {name}"
            assert message[name] is None, f"message_start with a {name}"
        usage = need(message, "usage", dict, "message")
        for name in ("input_tokens", "output_tokens"):
            assert need(usage, name, int, "usage") >= 0, f"a negative count: {usage}"
        self.answer.whole = {**message, "content": [], "usage": dict(usage)}

    def _content_block_start(self, event: dict[str, Any]) -> None:
        assert self._block is None, "a block starts while another is open"
        assert not self.answer.stop, "a block behind message_delta"
        assert event["index"] == self._count, f"block {event['index']} after {self._count} blocks"
        block = dict(need(event, "content_block", dict, "content_block_start"))
        kind = need_text(block, "type", "content_block")
        assert kind in GROWTH, f"a block of the type {kind!r}"
        for name in ("text", "thinking", "signature"):
            assert not block.get(name), f"a {kind} block that starts with {name}"
        assert not block.get("citations"), "a text block that starts with citations"
        if kind in ("tool_use", "server_tool_use"):
            assert block.get("input") == {}, f"a {kind} block that starts with input"
        self._block, self._pieces = block, []

    def _content_block_delta(self, event: dict[str, Any]) -> None:
        block = self._block
        assert block is not None, "a delta outside of a block"
        assert event["index"] == self._count, f"a delta for block {event['index']} in block {self._count}"
        delta = event["delta"]
        growth = GROWTH[block["type"]]
        assert delta["type"] in growth, f"a {delta['type']} in a {block['type']} block"
        value = delta[growth[delta["type"]]]
        assert block["type"] != "thinking" or not block.get("signature"), "something behind the signature"
        match delta["type"]:
            case "input_json_delta":
                self._pieces.append(value)
            case "citations_delta":
                block["citations"] = [*(block.get("citations") or []), value]
            case "signature_delta":
                assert value, "an empty signature_delta"
                block["signature"] = value
            case "compaction_delta":
                block["content"] = (block.get("content") or "") + (value or "")
            case _:
                block[growth[delta["type"]]] += value

    def _content_block_stop(self, event: dict[str, Any]) -> None:
        block = self._block
        assert block is not None, "a block stops that never started"
        assert event["index"] == self._count, f"block {event['index']} stops in block {self._count}"
        text = "".join(self._pieces)
        if block["type"] in ("tool_use", "server_tool_use"):
            if block["type"] == "server_tool_use":
                check_arguments(text, "server_tool_use")
            block["input"] = object_or_empty(text)
        check_block(block, f"the {block['type']} block")
        add_block(self.answer, block, text)
        self.answer.whole["content"].append(block)
        self._block = None
        self._count += 1

    def _message_delta(self, event: dict[str, Any]) -> None:
        assert self._block is None, "message_delta while a block is open"
        assert not self.answer.stop, "two message_deltas"
        self.answer.usage = need(event, "usage", dict, "message_delta")
        self.answer.counts = counts_of(self.answer.usage)
        _take_stop(self.answer, event["delta"])
        self.answer.whole |= {"stop_reason": self.answer.stop, "stop_sequence": self.answer.sequence}
        self.answer.whole["usage"] |= self.answer.usage


def _take_head(answer: Answer, message: dict[str, Any], model: str | None) -> None:
    assert message.get("type") == "message", f"the message's type is {message.get('type')!r}"
    assert message.get("role") == "assistant", f"the role is {message.get('role')!r}"
    answer.id, answer.model = need_text(message, "id", "message"), need_text(message, "model", "message")
    assert model is None or answer.model == model, f"the model {answer.model!r} is not {model!r} as asked for"
    assert not _FOREIGN & message.keys(), f"a member of Copilot's own: {_FOREIGN & message.keys()}"


def _take_stop(answer: Answer, where: dict[str, Any]) -> None:
    answer.stop = need_text(where, "stop_reason", "the end")
    answer.sequence = need(where, "stop_sequence", (str, type(None)), "the end")
    assert answer.stop in _STOPS, f"the stop reason {answer.stop!r}"
    assert answer.sequence is None or answer.stop == "stop_sequence", f"a stop sequence with {answer.stop!r}"


def _check_stop(answer: Answer, *, json_arguments: bool) -> None:
    ids = [block["id"] for block in answer.whole["content"] if "id" in block]
    assert len(set(ids)) == len(ids), f"two calls with one id: {ids}"
    if answer.stop == "tool_use":
        assert answer.calls, "tool_use without calls"
    elif answer.stop == "end_turn":
        assert not answer.calls, "calls, but the answer ends with 'end_turn'"
    if json_arguments and answer.stop == "tool_use":
        for call in answer.calls:
            check_arguments(call.arguments, call.name)
