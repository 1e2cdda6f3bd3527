"""Errors in OpenAI's shape."""

from __future__ import annotations

import json

import pytest

from bridge.errors import (
    BadKey,
    BadRequest,
    BridgeError,
    BrokenStream,
    ContextTooLong,
    Exhausted,
    Filtered,
    Forbidden,
    Internal,
    LimitReached,
    RateLimited,
    SeatRequired,
    Shedding,
    TimedOut,
    TooLarge,
    Unavailable,
    UnknownModel,
    Unreachable,
)
from bridge.formats.chat import write_error
from bridge.formats.chat.errors import write_error_frame
from bridge.sse import data_of


@pytest.mark.parametrize(
    ("kind", "status", "type_", "code"),
    [
        (BadKey, 401, "invalid_request_error", "invalid_api_key"),
        (Forbidden, 403, "permission_error", "permission_denied"),
        (SeatRequired, 403, "permission_error", "seat_required"),
        (BadRequest, 400, "invalid_request_error", "invalid_request_error"),
        (ContextTooLong, 400, "invalid_request_error", "context_length_exceeded"),
        (Filtered, 400, "invalid_request_error", "content_filter"),
        (TooLarge, 413, "invalid_request_error", "request_too_large"),
        (UnknownModel, 404, "invalid_request_error", "model_not_found"),
        (Exhausted, 429, "insufficient_quota", "insufficient_quota"),
        (RateLimited, 429, "rate_limit_error", "rate_limit_exceeded"),
        (LimitReached, 429, "usage_limit_reached", "usage_limit_reached"),
        (Shedding, 503, "overloaded_error", "overloaded"),
        (Unreachable, 502, "server_error", "upstream_unreachable"),
        (TimedOut, 504, "server_error", "upstream_timeout"),
        (Unavailable, 503, "server_error", "upstream_unavailable"),
        (BrokenStream, 502, "server_error", "upstream_stream_broken"),
        (Internal, 500, "server_error", "internal_error"),
    ],
)
def test_each_fault_has_its_status_type_and_code(kind: type[BridgeError], status: int, type_: str, code: str) -> None:
    error = kind("Said %(how)s.", {"how": "so"}, param="model")
    assert error.status == status
    assert json.loads(write_error(error, "Gesagt.")) == {
        "error": {"message": "Gesagt.", "type": type_, "param": "model", "code": code}
    }


def test_an_error_event_is_the_same_object_in_a_frame() -> None:
    error = Unreachable("No connection.")
    assert data_of(write_error_frame(error, "No connection.")) == write_error(error, "No connection.")


def test_a_sentence_with_a_percent_sign_and_no_params_is_taken_as_it_is() -> None:
    assert str(Internal("100% of it")) == "100% of it"
