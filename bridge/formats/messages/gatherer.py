"""Messages, unstreamed answer: gather the upstream's stream into one message, its blocks as they were.

Upstream is always asked to stream, since long unstreamed answers are cut off there.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bridge.errors import BridgeError
from bridge.formats.messages.blocks import input_of
from bridge.formats.messages.errors import write_error_event
from bridge.formats.messages.frames import Event, read_event
from bridge.formats.messages.watching import Watching
from bridge.road import Heading
from bridge.sse import write_comment

# Which member of a block a delta's text is added to.
_TEXTS = {"text_delta": "text", "thinking_delta": "thinking", "compaction_delta": "content"}


class Gatherer(Watching):
    """A `bridge.road.Road` that says nothing until `end()` gives the whole answer."""

    def __init__(self, heading: Heading) -> None:
        super().__init__(heading)
        self._blocks: dict[int, _Block] = {}
        self._last = -1

    @property
    def begun(self) -> bool:
        return bool(self._blocks)

    def feed(self, packet: bytes) -> bytes:
        """Take a packet in; nothing goes to the caller yet. Raises BrokenStream on what is no stream of events."""
        for frame in self._splitter.feed(packet):
            self._frame(frame)
        return b""

    def end(self) -> bytes:
        """The whole answer. Raises BrokenStream when it ended in the middle."""
        if self._splitter.rest:
            self._frame(self._splitter.rest)
        delta, usage, beside = self._watch.ending()
        message = self._watch.message
        return msgspec.json.encode(
            {
                **message,
                "content": [self._blocks[index].whole() for index in sorted(self._blocks)],
                **delta,
                "usage": {**message["usage"], **usage},
                **beside,
            }
        )

    def fail(self, error: BridgeError, sentence: str) -> bytes:
        return write_error_event(error, sentence)

    def keepalive(self) -> bytes:
        return write_comment(b"keep-alive")

    def _frame(self, frame: bytes) -> None:
        event = read_event(frame)
        if event is None or self._watch.done or self._watch.failure is not None:
            return
        match event["type"]:
            case "content_block_start" if isinstance(event.get("content_block"), dict):
                self._last = _index(event, self._last + 1)
                self._blocks[self._last] = _Block(event["content_block"])
                self._watch.has_calls = self._watch.has_calls or event["content_block"].get("type") == "tool_use"
            case "content_block_delta":
                block = self._blocks.get(_index(event, self._last))
                if block is not None and isinstance(event.get("delta"), dict):
                    self.output_bytes += block.grow(event["delta"])
            case _:
                self._watch.note(event)


class _Block:
    """One content block: its start, and what its deltas add."""

    def __init__(self, start: dict[str, Any]) -> None:
        self._start = start
        self._pieces: dict[str, list[str]] = {}
        self._citations: list[Any] = []
        self._input: list[str] = []

    def grow(self, delta: dict[str, Any]) -> int:
        """Add a delta; returns how much content it brought."""
        kind = delta.get("type")
        match kind:
            case "input_json_delta" if isinstance(delta.get("partial_json"), str):
                self._input.append(delta["partial_json"])
                return len(delta["partial_json"])
            case "signature_delta":
                self._start = {**self._start, "signature": delta.get("signature")}
            case "citations_delta":
                self._citations.append(delta.get("citation"))
            case str() if kind in _TEXTS and isinstance(text := delta.get(_TEXTS[kind]), str):
                self._pieces.setdefault(_TEXTS[kind], []).append(text)
                return len(text)
        return 0

    def whole(self) -> dict[str, Any]:
        block = dict(self._start)
        for member, pieces in self._pieces.items():
            block[member] = str(block.get(member) or "") + "".join(pieces)
        if self._citations:
            given = block.get("citations")
            block["citations"] = [*(given if isinstance(given, list) else []), *self._citations]
        if text := "".join(self._input):
            block["input"] = input_of(text)
        elif block.get("type") in ("tool_use", "server_tool_use"):
            block["input"] = block.get("input") or {}
        return block


def _index(event: Event, otherwise: int) -> int:
    index = event.get("index")
    return index if isinstance(index, int) else otherwise
