"""Pieces of text, nine frames of ten, on a way of their own: read by their known members, written without a dict."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from bridge.formats.responses.frames import is_text

_KIND = "response.output_text.delta"
TEXT_DELTA = f'"{_KIND}"'.encode()
_FRAME = (
    b"event: response.output_text.delta\n"
    b'data: {"type":"response.output_text.delta","sequence_number":%d,"item_id":%b,"output_index":%d,'
    b'"content_index":%d,"delta":%b,"logprobs":%b}\n\n'
)
_NULL = Raw(b"null")


class TextDelta(msgspec.Struct, forbid_unknown_fields=True):
    """The members that such a frame is known to have."""

    type: str
    output_index: int
    content_index: int
    delta: Raw
    logprobs: Raw = Raw(b"[]")
    item_id: Raw = _NULL
    sequence_number: Raw = _NULL
    obfuscation: Raw = _NULL


_decode = msgspec.json.Decoder(TextDelta).decode


def read_text_delta(data: bytes) -> TextDelta | None:
    """The frame; None when anything about it is unusual, so that it must be read as any other is."""
    try:
        frame = _decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    is_usual = frame.type == _KIND and b"\\ud" not in data and b"\\uD" not in data
    return frame if is_usual and is_text(data) else None


def write_text_delta(frame: TextDelta, quoted_id: bytes, number: int) -> bytes:
    """The same piece under the item's own id (as JSON) and the number of this event."""
    place = (frame.output_index, frame.content_index)
    return _FRAME % (number, quoted_id, *place, bytes(frame.delta), bytes(frame.logprobs))
