"""The text of API keys."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.secrets import checksum_holds, digest, hint, looks_issued, new_secret


def test_an_issued_key_has_the_promised_shape() -> None:
    assert re.fullmatch(r"brg_[0-9A-Za-z]{43}[0-9A-Za-z]{6}", new_secret())


def test_keys_differ_and_use_all_their_random_characters() -> None:
    made = [new_secret() for _ in range(300)]
    assert len(set(made)) == 300
    assert all(len({key[place] for key in made}) > 10 for place in range(5, 47))


def test_the_checksum_of_an_issued_key_holds() -> None:
    key = new_secret()
    assert looks_issued(key)
    assert checksum_holds(key)


def _checksum_by_hand(body: str) -> str:
    """CRC-32 by the polynomial, then base 62, written down a second time."""
    register = 0xFFFFFFFF
    for byte in body.encode():
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0xEDB88320 if register & 1 else 0)
    number, text = register ^ 0xFFFFFFFF, ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        text = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[digit] + text
    return text


def test_the_checksum_is_the_crc_32_of_everything_before_it() -> None:
    key = new_secret()
    assert key[-6:] == _checksum_by_hand(key[:-6])


@given(place=st.integers(4, 52), other=st.sampled_from("aZ09k"))
def test_one_changed_character_breaks_the_checksum(place: int, other: str) -> None:
    key = new_secret()
    changed = key[:place] + other + key[place + 1 :]
    assert checksum_holds(changed) == (changed == key)


@pytest.mark.parametrize("text", ["", "brg_", "sk-abc", "brg_" + "a" * 48, "brg_" + "a" * 50, "brg_" + "ä" * 49])
def test_noise_does_not_look_issued(text: str) -> None:
    assert not looks_issued(text)
    assert not checksum_holds(text)


def test_the_digest_is_sha_256() -> None:
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_hint_shows_the_ends_of_an_issued_key_and_little_of_a_short_one() -> None:
    key = new_secret()
    assert hint(key) == f"{key[:8]}…{key[-4:]}"
    assert hint("a-long-key-of-somebodys-own") == "a-lo…wn"
    assert hint("short") == "sh…"
