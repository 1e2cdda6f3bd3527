"""The text of API keys: how they are made, recognised and digested.

An issued key is `brg_`, 43 base62 characters that carry 256 random bits, and 6 base62 characters of the
CRC-32 of everything before them. The checksum lets a secret scanner, and the gateway before any look-up,
tell a real key from noise; it is no protection, the random bits are.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib

PREFIX = "brg_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_BITS = 256
_RANDOM_LENGTH = 43
_CHECKSUM_LENGTH = 6
_ISSUED = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM_LENGTH + _CHECKSUM_LENGTH}}}")
_SHORTEST_WITH_ENDS = 24


def new_secret() -> str:
    """Return a fresh key; the only time its text exists."""
    body = PREFIX + _base62(secrets.randbits(_RANDOM_BITS), _RANDOM_LENGTH)
    return body + _checksum(body)


def looks_issued(text: str) -> bool:
    """Whether `text` has the shape of an issued key, right or wrong."""
    return _ISSUED.fullmatch(text) is not None


def checksum_holds(text: str) -> bool:
    """Whether `text` has the shape of an issued key and no character was lost or changed."""
    return looks_issued(text) and text[-_CHECKSUM_LENGTH:] == _checksum(text[:-_CHECKSUM_LENGTH])


def digest(text: str) -> str:
    """Return the SHA-256 of a key in hexadecimal, the only form in which it is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


def hint(text: str) -> str:
    """Return what a person may see of a key to know it again: `brg_AbCd…wxyz`, or less of a short one."""
    if looks_issued(text):
        return f"{text[: len(PREFIX) + 4]}…{text[-4:]}"
    return f"{text[:4]}…{text[-2:]}" if len(text) >= _SHORTEST_WITH_ENDS else f"{text[:2]}…"


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
