"""Errors in the caller's dialect: a body before the head was sent, the error of `response.failed` behind it.

Client programs decide by `error.code` whether to try again (`server_error`, `rate_limit_exceeded` with "try again in
Ns" in the sentence) or to show the sentence (any other).
Codes: https://platform.openai.com/docs/api-reference/responses/object#responses/object-error
"""

from __future__ import annotations

import math

from bridge.errors import BridgeError, Busy, ContextTooLong, Exhausted, LimitReached, RateLimited, Refused
from bridge.openai_errors import write_openai_error

_CODES: tuple[tuple[type[BridgeError], str], ...] = (
    (ContextTooLong, "context_length_exceeded"),
    (Exhausted, "insufficient_quota"),
    (LimitReached, "usage_limit_reached"),
    (RateLimited, "rate_limit_exceeded"),
    (Busy, "server_is_overloaded"),
    (Refused, "invalid_prompt"),
)
_WAIT = "try again in"


def write_error(error: BridgeError, sentence: str, request_id: str = "") -> bytes:
    """The body of an error answer; OpenAI tells the request's id in a header alone."""
    del request_id
    return write_openai_error(error, sentence)


def failure_of(error: BridgeError, sentence: str) -> dict[str, object]:
    """The `error` member of a failed response."""
    code = next((code for kind, code in _CODES if isinstance(error, kind)), "")
    if not code:
        code = error.code if error.final else "server_error"
    if code == "rate_limit_exceeded" and _WAIT not in sentence:
        sentence = f"{sentence} Please {_WAIT} {max(1, math.ceil(error.retry_after or 1))}s."
    return {"code": code, "message": sentence}
