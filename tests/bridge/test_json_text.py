"""Halves of surrogate pairs become U+FFFD; everything else stays the bytes it was."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.json_text import decode_object, mend_surrogates


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (rb'{"a":"\ud83d"}', "�"),
        (rb'{"a":"x\ude00y"}', "x�y"),
        (rb'{"a":"\uD83D\uDE00"}', "😀"),
        (rb'{"a":"\ud83d\ud83d\ude00"}', "�😀"),
        (rb'{"a":"\\ud83d"}', "\\ud83d"),
        (rb'{"a":"\\\ud83d"}', "\\�"),
        (rb'{"a":"\u00e9\n"}', "é\n"),
    ],
)
def test_a_lone_half_is_replaced_and_nothing_else(sent: bytes, read: str) -> None:
    assert decode_object(sent) == {"a": read}


@given(st.text(st.characters(codec=None)))
def test_any_string_of_javascript_is_read_as_far_as_it_is_text(text: str) -> None:
    sent = json.dumps({"a": text}).encode()
    read = decode_object(sent)
    # The standard library joins two halves that meet; what stays alone afterwards is what must be replaced.
    joined: str = json.loads(sent)["a"]
    assert read == {"a": "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in joined)}


@given(st.text())
def test_text_without_halves_stays_the_bytes_it_was(text: str) -> None:
    sent = json.dumps({"a": text}).encode()
    assert mend_surrogates(sent) == sent


@pytest.mark.parametrize("sent", [b"", b"[1]", b"null", b"{", b"[" * 100_000, b'{"a":"\xff"}'])
def test_what_is_no_object_is_none(sent: bytes) -> None:
    assert decode_object(sent) is None
