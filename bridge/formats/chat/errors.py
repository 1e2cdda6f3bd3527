"""Errors in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`.

Shape: https://platform.openai.com/docs/guides/error-codes ; which fault takes which status and code is the
gateway's contract, drawn up from what client programs do with each.
"""

from __future__ import annotations

import msgspec

from bridge.errors import (
    BadKey,
    BridgeError,
    Busy,
    Exhausted,
    Forbidden,
    LimitReached,
    RateLimited,
    Refused,
    SeatRequired,
)
from bridge.sse import write_data

_TYPES: tuple[tuple[type[BridgeError], str], ...] = (
    (BadKey, "invalid_request_error"),
    (Forbidden, "permission_error"),
    (SeatRequired, "permission_error"),
    (Refused, "invalid_request_error"),
    (Exhausted, "insufficient_quota"),
    (LimitReached, "usage_limit_reached"),
    (RateLimited, "rate_limit_error"),
    (Busy, "overloaded_error"),
)


def write_error(error: BridgeError, sentence: str) -> bytes:
    """The body of an error answer; `sentence` is the error's text in the caller's language."""
    return msgspec.json.encode(_object(error, sentence))


def write_error_frame(error: BridgeError, sentence: str) -> bytes:
    """The event that ends a stream which failed after its head was sent."""
    return write_data(write_error(error, sentence))


def _object(error: BridgeError, sentence: str) -> dict[str, object]:
    kind = next((name for cls, name in _TYPES if isinstance(error, cls)), "server_error")
    return {"error": {"message": sentence, "type": kind, "param": error.param, "code": error.code}}
