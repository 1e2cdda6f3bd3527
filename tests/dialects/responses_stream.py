"""Responses as a client gets it: a state machine over the bytes of a stream, and a check of a whole answer.

    stream := created in_progress? (item events)* (completed | incomplete)
    item   := output_item.added (part or argument events)* output_item.done

Every frame has an `event:` line equal to its `type`, sequence numbers run from 0 without gaps, items are numbered
from 0 and keep their ids, every `.done` says what its deltas added up to, and the terminal event repeats all items in
full. Comments may stand anywhere.
Shape: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.dialects.answer import Answer, Counts, Failure
from tests.dialects.frames import Frame, need, need_text, read_frames, read_object
from tests.dialects.responses_items import OpenItem, add_item, check_item
from tests.dialects.sdk_types import check_response, check_response_event

_TERMINAL = {"response.completed": "completed", "response.incomplete": "incomplete", "response.failed": "failed"}
# Codes that client programs act on; another word makes them give up with the bare message, which is right as well.
_RESPONSE_MEMBERS = ("id", "object", "created_at", "status", "model", "output", "parallel_tool_calls", "tool_choice")
_NULL_AT_FIRST = ("error", "incomplete_details", "usage")


def validated(body: bytes, *, model: str | None = None, json_arguments: bool = True) -> Answer:
    """Add up a whole stream. `model` is the name the request asked for.

    With `json_arguments` the arguments of functions must be JSON objects, unless the answer was cut short.
    """
    machine = _Machine(model)
    for frame in read_frames(body):
        machine.take(frame)
    assert machine.answer.events, "the stream says nothing"
    assert machine.terminal, "the stream ends without response.completed, response.incomplete or response.failed"
    assert machine.terminal["type"] != "response.failed", f"the response failed: {machine.terminal}"
    answer = _taken(machine.terminal["response"], model, json_arguments=json_arguments)
    answer.events, answer.comments, answer.pings = machine.answer.events, machine.answer.comments, machine.answer.pings
    assert answer.whole["output"] == machine.items, "the terminal event does not repeat the items as they were done"
    return answer


def validated_failure(body: bytes, *, model: str | None = None) -> Failure:
    """The error that a stream ends with, as response.failed; what is before it must be whole up to there."""
    machine = _Machine(model)
    for frame in read_frames(body):
        machine.take(frame)
    assert machine.answer.events, "the stream says nothing"
    terminal = machine.terminal
    assert terminal, "the stream ends without response.failed"
    assert terminal["type"] == "response.failed", f"the stream ends with {terminal['type']}"
    error = need(terminal["response"], "error", dict, "response")
    return Failure(
        need_text(error, "message", "error"),
        code=need_text(error, "code", "error"),
        events=tuple(machine.answer.events[:-1]),
    )


def whole_response(body: bytes, *, model: str | None = None, json_arguments: bool = True) -> Answer:
    """An unstreamed answer, checked and taken apart."""
    whole = read_object(body)
    check_response(whole)
    answer = _taken(whole, model, json_arguments=json_arguments)
    answer.events = [whole]
    return answer


def counts_of(usage: dict[str, Any]) -> Counts:
    """What `usage` tells; asserts that it adds up."""
    prompt, output = need(usage, "input_tokens", int, "usage"), need(usage, "output_tokens", int, "usage")
    assert min(prompt, output) >= 0, f"a negative count: {usage}"
    assert need(usage, "total_tokens", int, "usage") == prompt + output, f"the total does not add up: {usage}"
    into, out = need(usage, "input_tokens_details", dict, "usage"), need(usage, "output_tokens_details", dict, "usage")
    cached, reasoning = need(into, "cached_tokens", int, "usage"), need(out, "reasoning_tokens", int, "usage")
    written = into.get("cache_write_tokens")
    assert 0 <= cached + (written or 0) <= prompt, f"more cached than there was: {usage}"
    assert 0 <= reasoning <= output, f"more reasoning than output: {usage}"
    return Counts(prompt, output, cached, written, reasoning)


@dataclass(slots=True)
class _Machine:
    """`items` are the finished items by their number; `terminal` is the last event once it has come."""

    model: str | None
    answer: Answer = field(default_factory=Answer)
    terminal: dict[str, Any] = field(default_factory=dict)
    _first: dict[str, Any] = field(default_factory=dict)
    _open: dict[int, OpenItem] = field(default_factory=dict)
    _done: dict[int, dict[str, Any]] = field(default_factory=dict)
    _count: int = 0

    @property
    def items(self) -> list[dict[str, Any]]:
        return [self._done[index] for index in sorted(self._done)]

    def take(self, frame: Frame) -> None:
        if frame.data is None:
            self.answer.comments += 1
            return
        assert not self.terminal, f"something comes after {self.terminal['type']}: {frame.data[:80]!r}"
        event = read_object(frame.data)
        kind = need_text(event, "type", "event")
        assert frame.event == kind, f"the event line says {frame.event!r}, the type is {kind!r}"
        number = need(event, "sequence_number", int, kind)
        assert number == len(self.answer.events) + self.answer.pings, f"a gap in the numbers before {number}: {kind}"
        foreign = [name for name in event if name.startswith("copilot_")]
        assert not foreign, f"members of Copilot's own: {foreign}"
        if kind == "keepalive":
            self.answer.pings += 1
            return
        check_response_event(event)
        self.answer.events.append(event)
        self._step(kind, event)

    def _step(self, kind: str, event: dict[str, Any]) -> None:
        is_first = len(self.answer.events) == 1
        assert (kind == "response.created") == is_first, f"{kind} as event {len(self.answer.events) - 1}"
        if kind == "response.created":
            self._created(event["response"])
        elif kind in ("response.in_progress", "response.queued"):
            assert not self._count, f"{kind} behind the first item"
            self._same_response(event["response"])
        elif kind in _TERMINAL:
            self._end(kind, event)
        elif kind == "response.output_item.added":
            self._added(event)
        elif kind == "response.output_item.done":
            self._item_done(event)
        else:
            self._grow(kind, event)

    def _created(self, response: dict[str, Any]) -> None:
        _check_head(response, self.model)
        assert response["status"] in ("in_progress", "queued"), f"the status at first is {response['status']!r}"
        assert response["output"] == [], "output before the first item"
        for name in _NULL_AT_FIRST:
            assert response.get(name) is None, f"{name} at the start: {response.get(name)!r:.100}"
        self._first = response

    def _same_response(self, response: dict[str, Any]) -> None:
        for name in ("id", "model", "created_at", "object"):
            was, now = self._first[name], response.get(name)
            assert was == now, f"the response's {name} changes from {was!r} to {now!r}"

    def _added(self, event: dict[str, Any]) -> None:
        index = event["output_index"]
        assert index == self._count, f"item {index} after {self._count} items"
        self._count += 1
        self._open[index] = OpenItem(index, event["item"])
        ids = [item["id"] for item in self.items] + [item.id for item in self._open.values()]
        assert len(set(ids)) == len(ids), f"two items with one id: {ids}"

    def _item_done(self, event: dict[str, Any]) -> None:
        index = event["output_index"]
        assert index in self._open, f"item {index} is done and was not open"
        self._done[index] = self._open.pop(index).done(event["item"])

    def _grow(self, kind: str, event: dict[str, Any]) -> None:
        index = need(event, "output_index", int, kind)
        assert index in self._open, f"{kind} for item {index}, which is not open"
        self._open[index].grow(kind, event)

    def _end(self, kind: str, event: dict[str, Any]) -> None:
        response = event["response"]
        self._same_response(response)
        _check_head(response, self.model)
        assert response["status"] == _TERMINAL[kind], f"{kind} with the status {response['status']!r}"
        assert kind == "response.failed" or not self._open, f"items {sorted(self._open)} are open at the end"
        self.terminal = event


def _check_head(response: dict[str, Any], model: str | None) -> None:
    missing = [name for name in _RESPONSE_MEMBERS if name not in response]
    assert not missing, f"the response has no {missing}"
    assert response["object"] == "response", f"the object is {response['object']!r}"
    assert need(response, "created_at", (int, float), "response") > 0, "created_at is not a time"
    need_text(response, "id", "response")
    name = need_text(response, "model", "response")
    assert model is None or name == model, f"the model {name!r} is not {model!r} as asked for"
    foreign = [name for name in response if name.startswith("copilot_")]
    assert not foreign, f"members of Copilot's own: {foreign}"


def _taken(response: dict[str, Any], model: str | None, *, json_arguments: bool) -> Answer:
    _check_head(response, model)
    for name in ("tools", "error", "incomplete_details"):
        assert name in response, f"the response has no {name}"
    assert response["error"] is None, f"an error in a response that should be whole: {response['error']}"
    answer = Answer(id=response["id"], model=response["model"], whole=response)
    answer.usage = need(response, "usage", dict, "response")
    answer.counts = counts_of(answer.usage)
    for item in response["output"]:
        check_item(item, is_whole=response["status"] == "completed" and json_arguments)
        add_item(answer, item)
    ids = [item["id"] for item in response["output"]]
    assert len(set(ids)) == len(ids), f"two items with one id: {ids}"
    call_ids = [call.id for call in answer.calls]
    assert len(set(call_ids)) == len(call_ids), f"two calls with one id: {call_ids}"
    answer.stop = _stop_of(response)
    return answer


def _stop_of(response: dict[str, Any]) -> str:
    """`completed`, or the reason why the response is incomplete."""
    if response["status"] == "completed":
        assert response["incomplete_details"] is None, "completed, but with incomplete_details"
        return "completed"
    assert response["status"] == "incomplete", f"the status {response['status']!r} at the end"
    reason = need_text(need(response, "incomplete_details", dict, "response"), "reason", "incomplete_details")
    assert reason in ("max_output_tokens", "content_filter"), f"incomplete because of {reason!r}"
    return reason
