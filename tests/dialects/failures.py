"""Error bodies as the doors give them: OpenAI's shape (Chat Completions, Responses, embeddings) and Anthropic's.

Shapes: https://platform.openai.com/docs/guides/error-codes, https://docs.anthropic.com/en/api/errors
"""

from __future__ import annotations

from typing import Any

from tests.dialects.answer import Failure
from tests.dialects.frames import need, need_text, read_object

# What Anthropic documents, by status; a word outside of this is shown to users as an unknown fault.
MESSAGES_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "api_error",
    504: "api_error",
    529: "overloaded_error",
}
# Client programs send a request again when they read one of these, whatever the status says.
_RETRIED_WORDS = ("server_error", "overloaded", "rate_limit")


def openai_failure(body: bytes, status: int | None = None) -> Failure:
    """The error in `{"error": {"message", "type", "param", "code"}}`; asserts the shape."""
    return openai_error(read_object(body), status)


def openai_error(whole: dict[str, Any], status: int | None = None) -> Failure:
    error = need(whole, "error", dict, "the body")
    message = need_text(error, "message", "error")
    kind = need_text(error, "type", "error")
    code = need(error, "code", (str, type(None)), "error")
    param = need(error, "param", (str, type(None)), "error")
    if status is not None and 400 <= status < 500 and status not in (408, 409, 429):
        words = f"{kind} {code}"
        assert not any(word in words for word in _RETRIED_WORDS), f"a {status} that clients send again: {words}"
    return Failure(message, kind, code or "", param)


def messages_failure(body: bytes, status: int | None = None) -> Failure:
    """The error in `{"type": "error", "error": {"type", "message"}, "request_id"}`; asserts the shape."""
    failure = messages_error(read_object(body))
    if status is not None:
        wanted = MESSAGES_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
        assert failure.type == wanted, f"a {status} with the type {failure.type!r}, not {wanted!r}"
    return failure


def messages_error(whole: dict[str, Any]) -> Failure:
    assert whole.get("type") == "error", f"the body's type is {whole.get('type')!r}, not 'error'"
    error = need(whole, "error", dict, "the body")
    kind = need_text(error, "type", "error")
    assert kind in MESSAGES_TYPES.values(), f"an error type that Anthropic does not document: {kind!r}"
    request_id = whole.get("request_id")
    assert isinstance(request_id, str | None), f"request_id is {request_id!r}"
    details = error.get("details")
    code = details.get("error_code", "") if isinstance(details, dict) else ""
    return Failure(need_text(error, "message", "error"), kind, code, request_id=request_id or "")
