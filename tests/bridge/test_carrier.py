"""Carriers open to what was put in, for the same key and binding alone."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from bridge.carrier import PREFIX, SIZE_LIMIT, Carriers, is_carrier
from bridge.parts import Seal, SealKind

KEY = b"k" * 32
CARRIERS = Carriers(KEY, "gpt-5.6|lite|seat-1")
seals = st.builds(Seal, st.sampled_from(SealKind), st.text())


def wrapped(seal: Seal) -> str:
    carrier = CARRIERS.wrap(seal)
    assert carrier is not None
    return carrier


@given(seals)
def test_a_seal_comes_out_as_it_went_in(seal: Seal) -> None:
    carrier = wrapped(seal)
    assert is_carrier(carrier)
    assert CARRIERS.open(carrier) == seal


@given(seals)
def test_a_carrier_is_plain_text_that_any_client_keeps(seal: Seal) -> None:
    carrier = wrapped(seal)
    assert carrier.isascii()
    assert not set(carrier) & set(' \n"\\@+/=')


@given(seals)
def test_another_model_account_or_key_opens_nothing(seal: Seal) -> None:
    carrier = wrapped(seal)
    assert Carriers(KEY, "gpt-5.6|lite|seat-2").open(carrier) is None
    assert Carriers(b"l" * 32, "gpt-5.6|lite|seat-1").open(carrier) is None


@given(seals, st.data())
def test_a_carrier_that_was_touched_opens_to_nothing(seal: Seal, data: st.DataObject) -> None:
    content = bytearray(base64.urlsafe_b64decode(wrapped(seal).removeprefix(PREFIX) + "=="))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    assert CARRIERS.open(PREFIX + base64.urlsafe_b64encode(content).decode().rstrip("=")) is None


@given(st.text())
def test_what_is_no_carrier_opens_to_nothing(text: str) -> None:
    assert CARRIERS.open(text) is None
    assert CARRIERS.open(PREFIX + text) is None


def test_what_a_model_sealed_is_no_carrier() -> None:
    assert not is_carrier("gAAAAABm")
    assert not is_carrier("")


def test_a_seal_too_long_to_travel_is_neither_made_nor_read() -> None:
    long = Seal(SealKind.CIPHERTEXT, "x" * SIZE_LIMIT)
    assert CARRIERS.wrap(long) is None
    assert CARRIERS.open(PREFIX + "A" * (2 * SIZE_LIMIT + 1)) is None


def test_the_longest_seal_that_travels_comes_back() -> None:
    frame = len('["ciphertext",""]')
    seal = Seal(SealKind.CIPHERTEXT, "x" * (SIZE_LIMIT - frame))
    assert CARRIERS.open(wrapped(seal)) == seal
