"""Ids: UUIDs of version 7 for requests, ordered by the time they were made, and version 4 for single attempts.

They name things and keep no secret, so they come from a generator that was seeded once and not from a system call
each. Layout: https://www.rfc-editor.org/rfc/rfc9562#section-5
"""

from __future__ import annotations

import time
from random import Random
from uuid import UUID

_VARIANT = 0x2 << 62
_CLEARED = ~(0xF << 76 | 0x3 << 62)


class Ids:
    """Makes ids for one process. Not for secrets."""

    def __init__(self) -> None:
        self._bits = Random().getrandbits  # noqa: S311 - names, not secrets; seeded by the system

    def request(self) -> UUID:
        """A new request id; of two made in different milliseconds the later is the greater."""
        stamp = (time.time_ns() // 1_000_000) << 80
        return UUID(int=(stamp | self._bits(80)) & _CLEARED | 0x7 << 76 | _VARIANT)

    def attempt(self) -> str:
        return str(UUID(int=self._bits(128) & _CLEARED | 0x4 << 76 | _VARIANT))
