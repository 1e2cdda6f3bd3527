r"""Server-sent events on bytes: cut a byte stream into frames, read a frame's fields, write a frame.

A frame ends at an empty line; a line ends at `\n`, `\r\n` or `\r` and at nothing else (U+2028 is text), wherever
the packets were cut. Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
A frame is handed on as the bytes it came in, so that what needs no change passes untouched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bridge.errors import BrokenStream

# A frame larger than this is a fault or an attack; the longest honest ones hold one whole tool argument or image.
FRAME_LIMIT = 16 * 1024 * 1024

_LINE_END = re.compile(rb"\r\n|\n|\r")
_FRAME_END = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?=[^\n]))")


class FrameSplitter:
    """Feed packets, get whole frames with their final empty line; `rest` is what has not ended yet."""

    def __init__(self, limit: int = FRAME_LIMIT) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._limit = limit
        self._has_cr = False

    def feed(self, packet: bytes) -> list[bytes]:
        """Return the frames that `packet` completes. Raises BrokenStream when one grows beyond the limit."""
        if not self._has_cr and b"\r" in packet:
            self._has_cr = True
        if self._has_cr:
            return self._feed_slowly(packet)
        if self._parts:
            return self._feed_with_rest(packet)
        if packet.endswith(b"\n\n"):
            return [frame + b"\n\n" for frame in packet[:-2].split(b"\n\n")]
        return self._cut(packet)

    @property
    def rest(self) -> bytes:
        return b"".join(self._parts)

    def _feed_with_rest(self, packet: bytes) -> list[bytes]:
        last = self._parts[-1]
        if b"\n\n" not in packet and not (last.endswith(b"\n") and packet.startswith(b"\n")):
            self._keep(packet)
            return []
        whole = b"".join(self._parts) + packet
        self._parts, self._size = [], 0
        return self._cut(whole)

    def _cut(self, data: bytes) -> list[bytes]:
        frames = data.split(b"\n\n")
        rest = frames.pop()
        if rest:
            self._keep(rest)
        return [frame + b"\n\n" for frame in frames]

    def _feed_slowly(self, packet: bytes) -> list[bytes]:
        """With carriage returns about: a `\\r` at the end of the data may be half of a `\\r\\n`."""
        if self._parts and not re.search(rb"[\r\n]", packet) and self._parts[-1][-1:] not in (b"\r", b"\n"):
            self._keep(packet)
            return []
        data = b"".join(self._parts) + packet
        self._parts, self._size = [], 0
        frames: list[bytes] = []
        start = 0
        for match in _FRAME_END.finditer(data):
            frames.append(data[start : match.end()])
            start = match.end()
        if start < len(data):
            self._keep(data[start:])
        return frames

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._limit:
            raise BrokenStream("The upstream sent an event of more than %(limit)d bytes.", {"limit": self._limit})
        self._parts.append(data)


def data_of(frame: bytes) -> bytes | None:
    """The `data` of a frame: its data lines joined by a line feed; None when it has none (comments, bare events)."""
    if (
        frame.startswith(b"data: ")
        and frame.endswith(b"\n\n")
        and frame.find(b"\n") == len(frame) - 2
        and b"\r" not in frame
    ):
        return frame[6:-2]
    lines = [value for name, value in fields_of(frame) if name == b"data"]
    return b"\n".join(lines) if lines else None


def fields_of(frame: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The (name, value) lines of a frame; comments have an empty name."""
    for line in _LINE_END.split(frame):
        if not line:
            continue
        name, _, value = line.partition(b":")
        yield name, value.removeprefix(b" ")


def write_data(data: bytes) -> bytes:
    """One frame with one data line; `data` holds no line end (compact JSON never does)."""
    return b"data: " + data + b"\n\n"


def write_comment(text: bytes) -> bytes:
    return b": " + text + b"\n\n"
