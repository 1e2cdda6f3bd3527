"""Carrier: a seal of one dialect, wrapped so that a client of another carries it from turn to turn.

A Claude client keeps a thinking block's `signature`, a Responses client a reasoning item's `encrypted_content`, and
both give them back unread. So a seal that the caller's dialect does not know travels there as text:

    brg1.<base64url of 16 bytes HMAC-SHA256 and the JSON [kind, value]>

The HMAC also covers the binding (model, wire profile, account): a carrier from another model, another account or
another hand opens to nothing, and what it stood beside goes upstream without it. Carriers are never sent upstream.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

import msgspec

from bridge.parts import Seal, SealKind

PREFIX = "brg1."
# Longer ones are not made and not read: they would grow with every turn.
SIZE_LIMIT = 1024 * 1024
_MAC_SIZE = 16


def is_carrier(value: str) -> bool:
    """Whether a signature or ciphertext is one of ours, whoever's model made what is in it."""
    return value.startswith(PREFIX)


class Carriers:
    """Makes and opens carriers under a secret `key` for one `binding`: model, wire profile and account in one text."""

    def __init__(self, key: bytes, binding: str) -> None:
        self._key = key
        self._binding = binding.encode()

    def wrap(self, seal: Seal) -> str | None:
        """The seal as text for a client to keep; None when it is too long to travel."""
        content = msgspec.json.encode((seal.kind, seal.value))
        if len(content) > SIZE_LIMIT:
            return None
        return PREFIX + base64.urlsafe_b64encode(self._mac(content) + content).decode().rstrip("=")

    def open(self, carrier: str) -> Seal | None:
        """The seal inside; None when it is broken, another's, or not of this binding."""
        text = carrier.removeprefix(PREFIX)
        if len(text) > 2 * SIZE_LIMIT:
            return None
        try:
            wrapped = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        mac, content = wrapped[:_MAC_SIZE], wrapped[_MAC_SIZE:]
        if not hmac.compare_digest(mac, self._mac(content)):
            return None
        kind, value = msgspec.json.decode(content, type=tuple[SealKind, str])
        return Seal(kind, value)

    def _mac(self, content: bytes) -> bytes:
        mac = hmac.new(self._key, self._binding, hashlib.sha256)
        mac.update(b"\0" + content)
        return mac.digest()[:_MAC_SIZE]
