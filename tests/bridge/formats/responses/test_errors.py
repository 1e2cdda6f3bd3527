"""Errors as a Responses client gets them."""

from __future__ import annotations

import json

import pytest

from bridge.errors import (
    BadRequest,
    BridgeError,
    BrokenStream,
    ContextTooLong,
    Exhausted,
    Filtered,
    Internal,
    LimitReached,
    RateLimited,
    SeatRequired,
    Shedding,
    Unavailable,
    Unreachable,
)
from bridge.formats.responses import write_error
from bridge.formats.responses.errors import failure_of
from tests.dialects.failures import openai_failure


def test_an_error_body_is_openais() -> None:
    error = BadRequest("No %(what)s.", {"what": "model"}, param="model")
    assert json.loads(write_error(error, "Kein Modell.", "0123")) == {
        "error": {
            "message": "Kein Modell.",
            "type": "invalid_request_error",
            "param": "model",
            "code": "invalid_request_error",
        }
    }
    assert openai_failure(write_error(error, "No."), 400).param == "model"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ContextTooLong("Long."), "context_length_exceeded"),
        (Exhausted("Gone."), "insufficient_quota"),
        (RateLimited("Wait."), "rate_limit_exceeded"),
        (LimitReached("Wait long."), "usage_limit_reached"),
        (Shedding("Full."), "server_is_overloaded"),
        (BadRequest("Bad."), "invalid_prompt"),
        (Filtered("Filtered."), "invalid_prompt"),
        (SeatRequired("Seat."), "invalid_prompt"),
        (BrokenStream("Broken."), "server_error"),
        (Unreachable("Away."), "server_error"),
        (Internal("Ours."), "server_error"),
    ],
)
def test_a_failed_response_bears_the_code_that_clients_act_on(error: BridgeError, code: str) -> None:
    assert failure_of(error, "Said.")["code"] == code


def test_a_fault_that_will_not_go_away_bears_no_code_by_which_clients_try_again() -> None:
    assert failure_of(Unavailable("Never.", final=True), "Never.")["code"] == "upstream_unavailable"


@pytest.mark.parametrize(
    ("wait", "sentence", "told"),
    [
        (6.2, "Slow down.", "Slow down. Please try again in 7s."),
        (None, "Slow down.", "Slow down. Please try again in 1s."),
        (9, "Slow down and try again in 9s.", "Slow down and try again in 9s."),
    ],
)
def test_a_rate_limit_says_how_long_to_wait_in_the_words_that_clients_read(
    wait: float | None, sentence: str, told: str
) -> None:
    assert failure_of(RateLimited("x", retry_after=wait), sentence)["message"] == told
