"""Errors in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`, for Chat Completions and Responses.

Shape: https://platform.openai.com/docs/guides/error-codes ; which fault takes which status and code is the
gateway's contract, drawn up from what client programs do with each: types by which they decide to try again
(`server_error`, `overloaded_error`, `rate_limit_error`) stand only where trying again may help.
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


def write_openai_error(error: BridgeError, sentence: str) -> bytes:
    """The body of an error answer; `sentence` is the error's text in the caller's language."""
    kind = next((name for cls, name in _TYPES if isinstance(error, cls)), "server_error")
    return msgspec.json.encode({"error": {"message": sentence, "type": kind, "param": error.param, "code": error.code}})
