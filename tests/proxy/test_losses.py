"""What a caller's body calls things never breaks a header."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.losses import OTHERS, speakable


def test_each_name_is_told_once_in_its_order() -> None:
    assert speakable(["store", "temperature", "store", "input[].foo"]) == ("store", "temperature", "input[].foo")


def test_what_fits_no_header_is_among_the_others() -> None:
    assert speakable(["a\r\nset-cookie: b", "", "x" * 65, "top_k"]) == (OTHERS, "top_k")


def test_there_is_an_end_to_the_list() -> None:
    told = speakable(f"field_{number}" for number in range(5000))
    assert told[:2] == ("field_0", "field_1")
    assert told[-1] == OTHERS
    assert len(told) == 33


@given(st.lists(st.text()))
def test_anything_makes_a_header(names: list[str]) -> None:
    told = ", ".join(speakable(names))
    assert told.isascii()
    assert told.isprintable() or not told
    assert len(told) < 2500
