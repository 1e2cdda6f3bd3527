"""Messages: errors in Anthropic's shape, with the types and statuses its clients know."""

from __future__ import annotations

import pytest

from bridge import errors
from bridge.formats.messages import write_error
from bridge.formats.messages.errors import write_error_event
from bridge.formats.messages.verbatim import ThreadUnsupported, status_of
from tests.dialects.failures import messages_failure
from tests.dialects.messages_stream import validated_failure

FAULTS: list[tuple[errors.BridgeError, int, str]] = [
    (errors.BadKey("x"), 401, "authentication_error"),
    (errors.Forbidden("x"), 403, "permission_error"),
    (errors.SeatRequired("x"), 403, "permission_error"),
    (errors.BadRequest("x"), 400, "invalid_request_error"),
    (errors.ContextTooLong("x"), 400, "invalid_request_error"),
    (errors.Filtered("x"), 400, "invalid_request_error"),
    (errors.TooLarge("x"), 413, "request_too_large"),
    (errors.UnknownModel("x"), 404, "not_found_error"),
    (errors.UnknownPath("x"), 404, "not_found_error"),
    (errors.WrongMethod("x"), 405, "invalid_request_error"),
    (errors.Exhausted("x"), 402, "billing_error"),
    (errors.RateLimited("x"), 429, "rate_limit_error"),
    (errors.LimitReached("x"), 429, "rate_limit_error"),
    (errors.Shedding("x"), 529, "overloaded_error"),
    (errors.Unavailable("x"), 529, "overloaded_error"),
    (errors.Unreachable("x"), 502, "api_error"),
    (errors.TimedOut("x"), 504, "api_error"),
    (errors.BrokenStream("x"), 502, "api_error"),
    (errors.Internal("x"), 500, "api_error"),
]


@pytest.mark.parametrize(("error", "status", "kind"), FAULTS, ids=lambda value: type(value).__name__)
def test_every_fault_has_its_status_and_type(error: errors.BridgeError, status: int, kind: str) -> None:
    failure = messages_failure(write_error(error, "Do this.", "req_1"), status)
    assert (status_of(error), failure.type, failure.message, failure.request_id) == (status, kind, "Do this.", "req_1")


def test_a_refused_thread_says_what_is_unsupported() -> None:
    body = write_error(ThreadUnsupported(), "No threads.")
    assert b'"details":{"error_code":"thread_unsupported_request","unsupported":["thread"]}' in body
    assert messages_failure(body, 400).code == "thread_unsupported_request"


def test_a_broken_stream_ends_in_an_error_event() -> None:
    failure = validated_failure(write_error_event(errors.TimedOut("x"), "Too slow."))
    assert (failure.type, failure.message) == ("api_error", "Too slow.")
