"""A strict reader of OpenAI's streams: refuses whatever a client of the standard may stumble over, and adds it up."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from bridge.sse import FrameSplitter, data_of

FINISH_REASONS = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
# These name one thing each time they come; every other text of a delta is a piece of a longer one.
_NAMES = frozenset({"reasoning_opaque", "cot_id"})


@dataclass(slots=True)
class Added:
    """What the deltas of a stream add up to, as a client's SDK would do it."""

    chunks: list[dict[str, Any]] = field(default_factory=list)
    message: dict[str, Any] = field(default_factory=dict)
    calls: list[dict[str, str]] = field(default_factory=list)
    finish: str | None = None
    usage: dict[str, Any] | None = None

    @property
    def text(self) -> str:
        return str(self.message.get("content", ""))


def validated(stream: bytes, *, model: str, include_usage: bool) -> Added:
    """Add up a whole stream; asserts everything that OpenAI's own streams keep to."""
    splitter = FrameSplitter()
    frames = splitter.feed(stream)
    assert splitter.rest == b"", "the last frame does not end"
    texts = [data for frame in frames if (data := data_of(frame)) is not None]
    assert texts[-1] == b"[DONE]", "the stream does not end with [DONE]"
    assert texts.count(b"[DONE]") == 1
    added = Added()
    for text in texts[:-1]:
        _take(added, json.loads(text), model, include_usage=include_usage)
    assert added.finish is not None, "no chunk says how the answer ended"
    return added


def _take(added: Added, chunk: dict[str, Any], model: str, *, include_usage: bool) -> None:
    assert {"id", "object", "created", "model", "choices"} <= chunk.keys(), chunk
    assert chunk["object"] == "chat.completion.chunk"
    assert chunk["model"] == model
    assert isinstance(chunk["id"], str)
    assert chunk["id"] != ""
    assert isinstance(chunk["created"], int)
    assert chunk["created"] > 0
    assert "error" not in chunk
    if added.chunks:
        assert chunk["id"] == added.chunks[0]["id"], "the id changes within the stream"
    added.chunks.append(chunk)
    if not chunk["choices"]:
        assert include_usage, "a usage chunk nobody asked for"
        assert added.finish is not None, "usage before the end"
        assert added.usage is None, "two usage chunks"
        added.usage = chunk["usage"]
        assert {"prompt_tokens", "completion_tokens", "total_tokens"} <= chunk["usage"].keys()
        return
    assert chunk.get("usage") is None
    assert added.usage is None, "a choice behind the usage"
    _choice(added, chunk["choices"])


def _choice(added: Added, choices: list[dict[str, Any]]) -> None:
    assert len(choices) == 1, "more than one choice"
    choice = choices[0]
    assert choice["index"] == 0
    assert added.finish is None, "a choice behind the finish reason"
    delta = choice["delta"]
    is_first = len(added.chunks) == 1
    assert ("role" in delta) == is_first, "the role stands in the first delta and in no other"
    if is_first:
        assert delta["role"] == "assistant"
    for name, value in delta.items():
        _grow(added, name, value)
    finish = choice["finish_reason"]
    if finish is not None:
        assert finish in FINISH_REASONS
        added.finish = finish


def _grow(added: Added, name: str, value: Any) -> None:
    if name == "tool_calls":
        for call in value:
            _call(added, call)
    elif name in added.message and _grows(name, value):
        added.message[name] += value
    elif value is not None:
        added.message[name] = value


def _grows(name: str, value: Any) -> bool:
    return isinstance(value, list) or (isinstance(value, str) and name not in _NAMES)


def _call(added: Added, call: dict[str, Any]) -> None:
    index = call["index"]
    assert 0 <= index <= len(added.calls), "a gap in the numbers of the calls"
    function = call["function"]
    assert isinstance(function["arguments"], str)
    if index == len(added.calls):
        assert call["type"] == "function"
        assert isinstance(call["id"], str)
        assert call["id"] != ""
        added.calls.append({"id": call["id"], "name": function["name"], "arguments": function["arguments"]})
        return
    assert not {"id", "type"} & call.keys(), "only the first delta of a call names it"
    assert "name" not in function
    added.calls[index]["arguments"] += function["arguments"]
