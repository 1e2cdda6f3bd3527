"""The shape that a request asks for, and the bytes that are made for it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.fast_answers import Shape, frames_for, tag_asked_for

NUMBERS = st.integers(min_value=0, max_value=999_999)


def chunk_of(packet: bytes) -> bytes:
    """The data of one HTTP chunk, after checking that its length is the one announced."""
    size, _, rest = packet.partition(b"\r\n")
    assert len(rest) == int(size, 16) + 2
    assert rest.endswith(b"\r\n")
    return rest[:-2]


@given(chunks=NUMBERS, delay=NUMBERS, size=NUMBERS)
def test_a_shape_is_read_as_it_is_written(chunks: int, delay: int, size: int) -> None:
    shape = Shape(chunks, delay, size)
    assert Shape.asked_for(f'{{"content":"before {shape} behind"}}'.encode()) == shape


@pytest.mark.parametrize(
    "text", [b"", b"no shape", b"@@n=1,d=2@@", b"@@n=1,d=2,s=x@@", b"@@n=-1,d=2,s=3@@", b"@@n=1,d=2,s=3@"]
)
def test_what_asks_for_no_shape_gets_the_default(text: bytes) -> None:
    assert Shape.asked_for(text) == Shape(20, 10, 200)


def test_the_first_of_two_shapes_counts() -> None:
    assert Shape.asked_for(b"@@n=1,d=2,s=3@@ @@n=4,d=5,s=6@@") == Shape(1, 2, 3)


def test_a_shape_knows_how_long_it_takes() -> None:
    assert Shape(30, 50, 200).seconds == 1.5


@pytest.mark.parametrize(
    ("text", "tag"), [(b"x @@tag=00000042@@ y", b"00000042"), (b"@@tag=42@@", b"00000000"), (b"", b"00000000")]
)
def test_a_tag_has_eight_digits_or_is_zero(text: bytes, tag: bytes) -> None:
    assert tag_asked_for(text) == tag


@pytest.mark.parametrize("quirky", [False, True])
@pytest.mark.parametrize("size", [0, 250, 600, 5000])
def test_a_chunk_has_the_size_that_was_asked_for_or_the_least_possible(quirky: bool, size: int) -> None:
    frame = chunk_of(frames_for(quirky, Shape(1, 0, size)).chunk(b"00000007"))
    least = len(chunk_of(frames_for(quirky, Shape(1, 0, 0)).chunk(b"00000007")))
    assert len(frame) == max(size, least)
    assert b"@#00000007#" in frame


@pytest.mark.parametrize("quirky", [False, True])
def test_only_clean_frames_have_an_object(quirky: bool) -> None:
    frame = chunk_of(frames_for(quirky, Shape(1, 0, 300)).chunk(b"00000007"))
    chunk = msgspec.json.decode(frame.removeprefix(b"data: "))
    assert ("object" in chunk) is not quirky
    assert ("role" in chunk["choices"][0]["delta"]) is quirky
