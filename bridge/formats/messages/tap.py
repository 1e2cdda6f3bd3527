"""Messages, streamed answer: pass it on with a tap on it, repair the frames that need it.

Deltas, of which there are many, pass as the bytes they came in when a cheap test finds nothing in them to repair. All
other frames are parsed: `message_start` waits for the first content, the end (`message_delta`, `message_stop`) for
`end()`, so that a ledger can be settled before the last byte.
"""

from __future__ import annotations

from bridge.errors import BridgeError, BrokenStream
from bridge.formats.messages.errors import write_error_event
from bridge.formats.messages.frames import Event, read_event
from bridge.formats.messages.life import SEALED, sign_of_life
from bridge.formats.messages.starts import Delta, split_start
from bridge.formats.messages.watch import without_foreign
from bridge.formats.messages.watching import Watching
from bridge.formats.messages.writer import frame
from bridge.road import Heading

_DELTA = b"event: content_block_delta\ndata: {"
_DELTA_OVERHEAD = 115


class StreamTap(Watching):
    """A `bridge.road.Road`: `feed` the upstream's packets and send what it returns; at the end send `end()`."""

    def __init__(self, heading: Heading) -> None:
        super().__init__(heading)
        self.begun = False
        self._count = 0
        self._open: int | None = None
        self._kind: str | None = None
        self._has_opened = heading.started > 0
        self._suffix: bytes | None = None
        self._prefix = b""
        self._later: list[Delta] = []

    def feed(self, packet: bytes) -> bytes:
        """The bytes for the client that `packet` completes, maybe none. Raises BrokenStream on what is no stream."""
        out = [piece for frame in self._splitter.feed(packet) if (piece := self._frame(frame))]
        return out[0] if len(out) == 1 else b"".join(out)

    def end(self) -> bytes:
        """The end of the answer, under the counts that are billed. Raises BrokenStream when it ended in the middle."""
        before = self._frame(self._splitter.rest) if self._splitter.rest else b""
        delta, usage, beside = self._watch.ending()
        return b"".join(
            (
                before,
                self._begin(),
                self._close(),
                frame("message_delta", {"type": "message_delta", "delta": delta, "usage": usage, **beside}),
                frame("message_stop", {"type": "message_stop"}),
            )
        )

    def fail(self, error: BridgeError, sentence: str) -> bytes:
        return write_error_event(error, sentence)

    def keepalive(self) -> bytes:
        return self._opening() or sign_of_life(self._count, self._kind)

    def _frame(self, data: bytes) -> bytes:
        if self._is_clean(data):
            if b'"signature_delta"' in data:
                self._kind = SEALED
            else:
                self.output_bytes += max(0, len(data) - _DELTA_OVERHEAD)
            return data
        event = read_event(data)
        if event is None or self._watch.done or self._watch.failure is not None:
            return b""
        return self._event(event)

    def _is_clean(self, data: bytes) -> bool:
        """Whether a frame is a delta of the open block in one of the two orders of members that are known."""
        return (
            self._suffix is not None
            and (
                (data.endswith(self._suffix) and data.startswith(_DELTA))
                or (data.startswith(self._prefix) and data.endswith(b"}}\n\n"))
            )
            and data.count(b"\n") == 3
            and b"\r" not in data
            and b"copilot_" not in data
        )

    def _event(self, event: Event) -> bytes:
        match event["type"]:
            case "content_block_delta":
                return self._delta(event)
            case "content_block_start":
                return self._start(event)
            case "content_block_stop":
                return self._close() if self._is_open(event) else b""
            case "ping":
                return self.keepalive() if self._has_opened else b""
            case _:
                self._watch.note(event)
                return b""

    def _start(self, event: Event) -> bytes:
        """Quirk messages-block-order: a block that was never stopped stops before the next; numbers go from 0 on."""
        out = self._begin() + self._close()
        index, block = event.get("index"), event.get("content_block")
        block = block if isinstance(block, dict) else {"type": "text", "text": ""}
        self._open = index if isinstance(index, int) else self._count
        self._watch.has_calls = self._watch.has_calls or block.get("type") == "tool_use"
        self._kind = str(block.get("type"))
        bare, now, self._later = split_start(block)
        if self._open == self._count and not self._later:
            self._suffix = b'},"index":%d,"type":"content_block_delta"}\n\n' % self._count
            self._prefix = _DELTA + b'"type":"content_block_delta","index":%d,"delta":{' % self._count
        event = {**without_foreign(event), "index": self._count, "content_block": bare}
        return out + frame("content_block_start", event) + self._told(now)

    def _delta(self, event: Event) -> bytes:
        if not self._is_open(event):
            raise BrokenStream("The upstream mixed up the pieces of its answer. Send the request again.")
        delta = event.get("delta")
        if not isinstance(delta, dict):
            return b""
        if delta.get("partial_json") != "":
            self._later = [each for each in self._later if each["type"] != delta.get("type")]
        self._measure(delta)
        return frame("content_block_delta", {**without_foreign(event), "index": self._count})

    def _is_open(self, event: Event) -> bool:
        index = event.get("index")
        return self._open is not None and (not isinstance(index, int) or index == self._open)

    def _begin(self) -> bytes:
        self.begun = True
        return self._opening()

    def _opening(self) -> bytes:
        if self._has_opened:
            return b""
        self._has_opened = True
        return frame("message_start", {"type": "message_start", "message": self._watch.message})

    def _close(self) -> bytes:
        if self._open is None:
            return b""
        out = self._told(self._later)
        out += frame("content_block_stop", {"type": "content_block_stop", "index": self._count})
        self._open, self._kind, self._suffix, self._later = None, None, None, []
        self._count += 1
        return out

    def _told(self, deltas: list[Delta]) -> bytes:
        """Deltas for what a block said in its start."""
        for delta in deltas:
            self._measure(delta)
        event = {"type": "content_block_delta", "index": self._count}
        return b"".join([frame("content_block_delta", {**event, "delta": delta}) for delta in deltas])

    def _measure(self, delta: Delta) -> None:
        if delta.get("type") == "signature_delta":
            self._kind = SEALED
        else:
            texts = [text for name, text in delta.items() if name != "type" and isinstance(text, str)]
            self.output_bytes += sum(len(text) for text in texts)
