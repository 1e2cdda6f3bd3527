"""The JSON inside of a frame, whatever the frame looks like."""

from __future__ import annotations

import msgspec
import pytest

from bridge.errors import BrokenStream
from bridge.formats.responses.frames import data_in, decoded, write_event


def read(frame: bytes) -> object:
    data = data_in(frame)
    assert data is not None
    return decoded(frame, data, msgspec.json.decode)


@pytest.mark.parametrize(
    "frame",
    [
        b'event: a\ndata: {"type":"a"}\n\n',
        b'data: {"type":"a"}\n\n',
        b'data:{"type":"a"}\n\n',
        b'event: a\r\ndata: {"type":"a"}\r\n\r\n',
        b'event: a\ndata: {"type":\ndata: "a"}\n\n',
        b': note\nevent: a\nid: 7\ndata: {"type":"a"}\n\n',
        b'data: {"type":"a"}\nevent: a\n\n',
        b'event: a\ndata: {"type":"a"}',
    ],
)
def test_the_data_is_found_in_every_kind_of_frame(frame: bytes) -> None:
    assert read(frame) == {"type": "a"}


def test_a_frame_without_data_has_none() -> None:
    assert data_in(b": ping\n\n") is None
    assert data_in(b"event: a\n\n") is None


@pytest.mark.parametrize(
    "frame",
    [
        b'event: a\ndata: {"delta":"one\ntwo"}\n\n',
        b'event: a\r\ndata: {"delta":"one\r\ntwo"}\r\n\r\n',
        b'data: {"delta":"one\ndata: two"}\n\n',
    ],
)
def test_a_raw_line_end_inside_a_text_is_mended(frame: bytes) -> None:
    assert read(frame) == {"delta": "one\ntwo"}


def test_half_a_surrogate_pair_is_no_fault() -> None:
    assert read(b'data: {"delta":"\\ud83d"}\n\n') == {"delta": "\ufffd"}


@pytest.mark.parametrize("frame", [b"data: nonsense\n\n", b'data: {"a":\n\n', b"data: " + b"[" * 9999 + b"\n\n"])
def test_what_is_no_json_is_a_broken_stream(frame: bytes) -> None:
    with pytest.raises(BrokenStream):
        read(frame)


def test_an_event_is_written_with_its_line() -> None:
    assert write_event("a.b", {"type": "a.b"}) == b'event: a.b\ndata: {"type":"a.b"}\n\n'
