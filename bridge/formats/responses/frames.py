r"""Frames of a Responses stream: the JSON inside of one, and one written with its `event:` line.

Quirk responses-raw-newlines: a frame's JSON may hold raw line ends, which cut it into several lines of the frame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
from msgspec import Raw

from bridge.errors import BrokenStream
from bridge.json_text import mend_surrogates
from bridge.sse import data_of

_encode = msgspec.json.Encoder().encode
_Value = TypeVar("_Value")

DONE = b"[DONE]"
_FAULTS = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


def data_in(frame: bytes) -> bytes | None:
    """The data of a frame; None when it has none. The usual frame, one event line and one data line, is cut fast."""
    if frame.startswith(b"event: ") and b"\r" not in frame:
        start = frame.find(b"\ndata: ")
        if start != -1 and frame.find(b"\n", start + 7) == len(frame) - 2 and frame.find(b"\n", 7) == start:
            return frame[start + 7 : -2]
    data = data_of(frame)
    return data if data is None or b"\n" not in data else _on_one_line(data)


def decoded(frame: bytes, data: bytes, decode: Callable[[bytes], _Value]) -> _Value:
    """What `decode` reads out of the frame's data, mended if need be. Raises BrokenStream when it is no event."""
    try:
        return _read(data, decode)
    except _FAULTS:
        return read_json(_mended(frame), decode, "an event that is not JSON")


def read_json(data: bytes | Raw, decode: Callable[[bytes], _Value], what: str) -> _Value:
    """What `decode` reads out of JSON. Raises BrokenStream: the upstream sent `what`."""
    try:
        return _read(bytes(data), decode)
    except _FAULTS as error:
        raise BrokenStream("The upstream sent %(what)s. Send the request again.", {"what": what}) from error


def _on_one_line(data: bytes) -> bytes:
    """JSON that came in several data lines without its line ends: parts of it go into frames again as they are."""
    try:
        return msgspec.json.format(data, indent=-1)
    except _FAULTS:
        return data


def is_text(data: bytes) -> bool:
    """Whether the bytes are UTF-8: a decoder that passes over a value does not look."""
    try:
        return data.isascii() or bool(data.decode())
    except UnicodeDecodeError:
        return False


def write_event(kind: str, fields: Mapping[str, object]) -> bytes:
    """One frame; `fields` are its whole JSON."""
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), _encode(fields))


def _read(data: bytes, decode: Callable[[bytes], _Value]) -> _Value:
    if not data.isascii():
        data.decode()
    return decode(mend_surrogates(data))


def _mended(frame: bytes) -> bytes:
    """Everything behind the first `data:`, its line ends written as JSON writes them inside of a text."""
    _, _, rest = frame.partition(b"data:")
    lines = rest.strip().replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return b"\\n".join(
        line.removeprefix(b"data:").removeprefix(b" ") if number else line for number, line in enumerate(lines)
    )
