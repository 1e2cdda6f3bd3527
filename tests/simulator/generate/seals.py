"""Ids and sealed blobs: everything opaque that an answer carries, derived from the world's seed and checkable later.

A sealed blob is ``head + urlsafe base64(mac 16 | mark 8 | filler)``: the mark says what it is bound to, the mac covers
mark, kind, account and filler. So ciphertexts, signatures and rotating ids can be verified on replay without keeping
any of them. ``Seals.bound`` tells a blob of this account from one of another account and from noise.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import uuid
from dataclasses import dataclass
from enum import StrEnum

_FILL = 192
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_CIPHER_HEAD = "gAAAAA"


class Kind(StrEnum):
    ITEM = "item"
    CIPHER = "cipher"
    SIGNATURE = "signature"
    OPAQUE = "opaque"


class Verdict(StrEnum):
    OURS = "ours"
    OTHER_ACCOUNT = "other_account"
    FOREIGN = "foreign"


def digest(text: str | bytes) -> bytes:
    """Eight bytes that stand for `text` in a seal."""
    data = text.encode() if isinstance(text, str) else text
    return hashlib.blake2b(data, digest_size=8).digest()


def mark_of(blob: str) -> bytes:
    """The eight bytes a blob says it is bound to; empty when it is no blob."""
    return _open(blob)[1]


def _open(blob: str) -> tuple[bytes, bytes, bytes]:
    body = blob.removeprefix(_CIPHER_HEAD)
    try:
        raw = base64.urlsafe_b64decode(body.encode())
    except (binascii.Error, ValueError):
        return b"", b"", b""
    return raw[:16], raw[16:24], raw[24:]


@dataclass(slots=True)
class Seals:
    """All opaque values of one answer: `number` is the running number of the request, `account` the login."""

    seed: str
    account: str
    number: int
    _count: int = 0

    def bits(self, length: int, purpose: str = "") -> bytes:
        """The next `length` pseudo-random bytes of this answer."""
        self._count += 1
        text = f"{self.seed}|{self.number}|{self._count}|{purpose}"
        return hashlib.shake_128(text.encode()).digest(length)

    def pick(self, number: int, purpose: str) -> int:
        """A number below `number` that depends on the request and the purpose alone."""
        return hashlib.blake2b(f"{self.seed}|{self.number}|{purpose}".encode(), digest_size=4).digest()[0] % number

    def letters(self, length: int) -> str:
        """The next `length` letters and digits."""
        return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in self.bits(length))

    def uuid(self) -> str:
        return str(uuid.UUID(bytes=self.bits(16), version=4))

    def seal(self, kind: Kind, mark: bytes = b"", fill: int = _FILL) -> str:
        """A fresh blob of this account, bound to `mark` (eight bytes, random when empty)."""
        body = (mark or self.bits(8)) + self.bits(fill)
        head = _CIPHER_HEAD if kind is Kind.CIPHER else ""
        return head + base64.urlsafe_b64encode(self._mac(kind, self.account, body) + body).decode()

    def item_id(self) -> str:
        """A rotating id of some 400 characters."""
        return self.seal(Kind.ITEM, fill=276)

    def verdict(self, kind: Kind, blob: str, accounts: tuple[str, ...] = ()) -> Verdict:
        """Whose blob this is; `accounts` are the other logins of the world."""
        mac, mark, filler = _open(blob)
        if not filler:
            return Verdict.FOREIGN
        body = mark + filler
        if mac == self._mac(kind, self.account, body):
            return Verdict.OURS
        if any(mac == self._mac(kind, account, body) for account in accounts):
            return Verdict.OTHER_ACCOUNT
        return Verdict.FOREIGN

    def _mac(self, kind: Kind, account: str, body: bytes) -> bytes:
        key = f"{self.seed}|{kind}|{account}".encode()[:64]
        return hashlib.blake2b(body, key=key, digest_size=16).digest()
