"""Server-sent events: frames are found whatever the line ends and packet borders."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BrokenStream
from bridge.sse import FrameSplitter, data_of, fields_of, write_comment, write_data

LINE_ENDS = [b"\n", b"\r\n", b"\r"]
MIXED = (
    "data: eins\n\n: ping\n\nevent: x\ndata: zwei\ndata: drei\n\ndata: U+2028 is \u2028 text, \x85 and \x0b too 🙂\n\n"
)


def _texts(packets: list[bytes], *, with_rest: bool = True) -> list[bytes]:
    """The data of all frames, and of what is left: a frame that ends in a lone CR waits for the next byte."""
    splitter = FrameSplitter()
    frames = [frame for packet in packets for frame in splitter.feed(packet)]
    if with_rest and splitter.rest:
        frames.append(splitter.rest)
    return [data for frame in frames if (data := data_of(frame)) is not None]


EXPECTED = ["eins", "zwei\ndrei", "U+2028 is \u2028 text, \x85 and \x0b too 🙂"]


@pytest.mark.parametrize("line_end", LINE_ENDS)
def test_the_events_are_the_same_wherever_the_stream_is_cut(line_end: bytes) -> None:
    stream = MIXED.encode().replace(b"\n", line_end)
    expected = [text.encode() for text in EXPECTED]
    for cut in range(len(stream) + 1):
        assert _texts([stream[:cut], stream[cut:]]) == expected, cut
    assert _texts([bytes([byte]) for byte in stream]) == expected


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_frame_is_handed_on_with_its_last_byte(line_end: bytes) -> None:
    stream = MIXED.encode().replace(b"\n", line_end)
    splitter = FrameSplitter()
    frames: list[bytes] = []
    for end in range(1, len(stream) + 1):
        frames += splitter.feed(stream[end - 1 : end])
        assert b"".join(frames) + splitter.rest == stream[:end]
        if stream[:end].endswith(line_end * 2):
            assert splitter.rest == b""
    assert len(frames) == 4


@given(
    st.lists(st.sampled_from([b"data: a", b"data:b", b"data", b": c", b"id: 1", b"", "data: \u2028é".encode()])),
    st.lists(st.sampled_from(LINE_ENDS), min_size=1),
    st.lists(st.integers(0, 200)),
)
def test_mixed_line_ends_cut_at_random_give_the_same_events(
    lines: list[bytes], ends: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(line + ends[number % len(ends)] for number, line in enumerate(lines))
    borders = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    packets = [stream[start:end] for start, end in itertools.pairwise(borders)]
    assert _texts(packets) == _texts([stream])


@given(st.lists(st.binary(min_size=1, max_size=30)))
def test_no_byte_is_lost_or_invented(packets: list[bytes]) -> None:
    splitter = FrameSplitter()
    frames = [frame for packet in packets for frame in splitter.feed(packet)]
    assert b"".join(frames) + splitter.rest == b"".join(packets)


def test_a_clean_frame_comes_out_as_the_bytes_it_came_in() -> None:
    frame = b'data: {"a":  1}\n\n'
    assert FrameSplitter().feed(frame) == [frame]


def test_what_has_not_ended_is_the_rest() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(b"data: a\n\ndata: b\n") == [b"data: a\n\n"]
    assert splitter.feed(b"data: c") == []
    assert splitter.rest == b"data: b\ndata: c"
    assert splitter.feed(b"\n\n") == [b"data: b\ndata: c\n\n"]
    assert splitter.rest == b""


def test_an_event_cut_within_a_character_is_put_together_again() -> None:
    stream = "data: 🙂\n\n".encode()
    splitter = FrameSplitter()
    assert splitter.feed(stream[:8]) == []
    assert splitter.feed(stream[8:]) == [stream]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_frame_without_end_is_refused_at_the_limit(line_end: bytes) -> None:
    splitter = FrameSplitter(limit=100)
    assert splitter.feed(b"data: x" + line_end * 2) != []
    splitter.feed(b"x" * 100)
    with pytest.raises(BrokenStream) as caught:
        splitter.feed(b"y")
    assert str(caught.value) == "The upstream sent an event of more than 100 bytes."


def test_many_small_frames_never_reach_the_limit() -> None:
    splitter = FrameSplitter(limit=20)
    for _ in range(50):
        assert splitter.feed(b"data: 1234\n") == []
        assert splitter.feed(b"\n") == [b"data: 1234\n\n"]


@pytest.mark.parametrize(
    ("frame", "data"),
    [
        (b"data: a\n\n", b"a"),
        (b"data:a\n\n", b"a"),
        (b"data:  a\n\n", b" a"),
        (b"data\n\n", b""),
        (b"data: a\r\n\r\n", b"a"),
        (b"data: a\rdata: b\r\r", b"a\nb"),
        (b"event: message\ndata: a\n\n", b"a"),
        (b"data: a\nid: 7\n\n", b"a"),
        (b"data: a", b"a"),
        (b": comment\n\n", None),
        (b"event: ping\n\n", None),
        (b"\n\n", None),
        (b"dataset: a\n\n", None),
    ],
)
def test_the_data_of_a_frame_is_that_of_its_data_lines(frame: bytes, data: bytes | None) -> None:
    assert data_of(frame) == data


def test_fields_are_read_in_order_and_comments_have_no_name() -> None:
    frame = b": hello\nevent: delta\ndata: a:b\nretry\n\n"
    assert list(fields_of(frame)) == [(b"", b"hello"), (b"event", b"delta"), (b"data", b"a:b"), (b"retry", b"")]


def test_written_frames_are_read_back() -> None:
    assert data_of(write_data(b'{"a":1}')) == b'{"a":1}'
    assert data_of(write_comment(b"ping")) is None
    assert list(fields_of(write_comment(b"ping"))) == [(b"", b"ping")]
