"""Errors in Anthropic's shape: `{"type": "error", "error": {"type", "message"}, "request_id"}`, and their statuses.

Shape and types: https://docs.claude.com/en/api/errors ; which fault takes which status is the gateway's contract,
drawn up from what client programs do with each.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bridge.errors import (
    BadKey,
    BadRequest,
    BridgeError,
    Busy,
    Exhausted,
    Forbidden,
    RateLimited,
    Refused,
    SeatRequired,
    Shedding,
    TooLarge,
    Unavailable,
    UnknownModel,
    UnknownPath,
)

_TYPES: tuple[tuple[type[BridgeError], str], ...] = (
    (BadKey, "authentication_error"),
    (Forbidden, "permission_error"),
    (SeatRequired, "permission_error"),
    (UnknownModel, "not_found_error"),
    (UnknownPath, "not_found_error"),
    (TooLarge, "request_too_large"),
    (Refused, "invalid_request_error"),
    (Exhausted, "billing_error"),
    (RateLimited, "rate_limit_error"),
    (Busy, "overloaded_error"),
    (Unavailable, "overloaded_error"),
)


class ThreadUnsupported(BadRequest):
    """The caller wants the vendor to keep the conversation (`thread`); told so, its SDK sends the history itself."""

    def __init__(self) -> None:
        super().__init__("'thread' is not supported here. Send the whole conversation in 'messages'.", param="thread")


def status_of(error: BridgeError) -> int:
    """The HTTP status on the Messages doors."""
    match error:
        case Exhausted():
            return 402
        case Shedding() | Unavailable():
            return 529
        case _:
            return error.status


def write_error(error: BridgeError, sentence: str, request_id: str = "") -> bytes:
    """The body of an error answer; `sentence` is the error's text in the caller's language."""
    return msgspec.json.encode({**_members(error, sentence), "request_id": request_id or None})


def write_error_event(error: BridgeError, sentence: str) -> bytes:
    """The event that ends a stream which broke off after its head was sent."""
    return b"event: error\ndata: " + msgspec.json.encode(_members(error, sentence)) + b"\n\n"


def _members(error: BridgeError, sentence: str) -> dict[str, Any]:
    kind = next((name for cls, name in _TYPES if isinstance(error, cls)), "api_error")
    inner: dict[str, Any] = {"type": kind, "message": sentence}
    if isinstance(error, ThreadUnsupported):
        inner["details"] = {"error_code": "thread_unsupported_request", "unsupported": ["thread"]}
    return {"type": "error", "error": inner}
