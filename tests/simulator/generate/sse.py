"""Writing server-sent events, and text deltas whose JSON is made once and filled many times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from tests.simulator.wire import encode

_HERE = "<<here>>"
DONE = b"data: [DONE]\n\n"


def data(value: Any) -> bytes:
    """A frame without an event line."""
    return b"data: %b\n\n" % encode(value)


def event(value: dict[str, Any], *, named: bool = True) -> bytes:
    """A frame whose event line repeats the value's type."""
    if not named:
        return data(value)
    return b"event: %b\ndata: %b\n\n" % (value["type"].encode(), encode(value))


@dataclass(frozen=True, slots=True)
class Template:
    """The bytes of a frame around one string."""

    before: bytes
    after: bytes

    @classmethod
    def of(cls, value: dict[str, Any], *, named: bool = False) -> Template:
        """Make it from a value in which `HOLE` stands where the string goes."""
        before, after = event(value, named=named).split(b'"' + _HERE.encode() + b'"')
        return cls(before, after)

    def fill(self, text: str) -> bytes:
        return self.before + msgspec.json.encode(text) + self.after

    @property
    def overhead(self) -> int:
        """Bytes of a frame beyond the string itself."""
        return len(self.before) + len(self.after) + 2


HOLE = _HERE
