"""What an answer is written under, for tests."""

from __future__ import annotations

from bridge.asked import Asked
from bridge.dialect import Dialect
from bridge.road import Heading

ID = "0123456789abcdef0123456789abcdef"


def a_heading(model: str = "asked", *, include_usage: bool = True, stream: bool = True) -> Heading:
    return Heading(Asked(Dialect.CHAT, {}, model, [], stream, include_usage), ID, 1_700_000_000)
