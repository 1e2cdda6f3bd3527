"""The checkers of error bodies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.dialects.failures import messages_failure, openai_failure

OPENAI = {"message": "No.", "type": "invalid_request_error", "param": "model", "code": None}
MESSAGES = {"type": "invalid_request_error", "message": "No."}


def openai_body(**members: Any) -> bytes:
    return json.dumps({"error": {**OPENAI, **members}}).encode()


def messages_body(**members: Any) -> bytes:
    return json.dumps({"type": "error", "error": {**MESSAGES, **members}, "request_id": "req_1"}).encode()


def test_good_errors_are_read() -> None:
    failure = openai_failure(openai_body(), 400)
    assert (failure.message, failure.type, failure.param) == ("No.", "invalid_request_error", "model")
    details = {"error_code": "thread_unsupported_request"}
    other = messages_failure(messages_body(details=details), 400)
    assert (other.type, other.code, other.request_id) == ("invalid_request_error", details["error_code"], "req_1")


@pytest.mark.parametrize(
    ("sentence", "body", "status"),
    [
        ("not JSON", b"<html>", 400),
        ("no 'error'", b"{}", 400),
        ("message is empty", openai_body(message=""), 400),
        ("type is empty", openai_body(type=""), 400),
        ("code is 5", openai_body(code=5), 400),
        ("that clients send again", openai_body(type="server_error"), 400),
        ("that clients send again", openai_body(code="rate_limit_exceeded"), 402),
    ],
)
def test_bad_errors_of_openai_are_refused(sentence: str, body: bytes, status: int) -> None:
    with pytest.raises(AssertionError, match=sentence):
        openai_failure(body, status)


@pytest.mark.parametrize(
    ("sentence", "body", "status"),
    [
        ("the body's type is None", openai_body(), 400),
        ("does not document", messages_body(type="server_error"), 500),
        ("a 404 with the type", messages_body(), 404),
        ("a 500 with the type", messages_body(), 500),
        ("message is empty", messages_body(message=""), 400),
    ],
)
def test_bad_errors_of_messages_are_refused(sentence: str, body: bytes, status: int) -> None:
    with pytest.raises(AssertionError, match=sentence):
        messages_failure(body, status)
