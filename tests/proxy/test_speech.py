"""Errors in words and headers."""

from __future__ import annotations

import json

import pytest
from django.utils.translation import get_language

from bridge.errors import (
    BadKey,
    BridgeError,
    ContextTooLong,
    Exhausted,
    RateLimited,
    Shedding,
    UnknownModel,
    Unreachable,
)
from proxy.lean import DoorRequest
from proxy.runtime import Runtime
from proxy.speech import error_response, retry_headers, sentence


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (RateLimited("x", retry_after=30), {"retry-after": "30"}),
        (RateLimited("x", retry_after=0.2), {"retry-after": "1"}),
        (RateLimited("x", retry_after=0.0), {"retry-after": "1"}),
        (Shedding("x", retry_after=2.1), {"retry-after": "3"}),
        (RateLimited("x", retry_after=3600, final=True), {"x-should-retry": "false"}),
        (RateLimited("x"), {}),
        (Unreachable("x"), {}),
        (Exhausted("x"), {"x-should-retry": "false"}),
        (BadKey("x"), {"x-should-retry": "false"}),
    ],
)
def test_clients_are_told_whether_and_when_to_come_back(error: BridgeError, headers: dict[str, str]) -> None:
    assert retry_headers(error) == headers


def test_a_sentence_is_said_in_the_members_language_with_its_params() -> None:
    # One of Django's own sentences, which both languages have.
    error = UnknownModel("“%(path)s” does not exist", {"path": "gpt-x"})
    chinese = sentence(error, "zh-hans")
    assert "gpt-x" in chinese
    assert "不存在" in chinese
    assert sentence(error, "en") == "“gpt-x” does not exist"
    assert sentence(error, "") == "“gpt-x” does not exist"
    assert get_language() == "en"


@pytest.mark.parametrize("language", ["zh-hans", "xx", "not a language"])
def test_a_sentence_nobody_translated_stays_as_it_is(language: str) -> None:
    error = Unreachable("Nobody ever translated %(what)s.", {"what": "100% of this"})
    assert sentence(error, language) == "Nobody ever translated 100% of this."


def test_a_sentence_that_clients_parse_is_never_translated() -> None:
    error = ContextTooLong("“%(path)s” does not exist", {"path": "x"})
    assert sentence(error, "zh-hans") == "“x” does not exist"


async def test_an_error_answer_is_whole(transactional_db: None) -> None:
    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "query_string": b"", "headers": []}

    async def receive() -> dict[str, object]:
        return {"type": "http.request"}

    request = DoorRequest(scope, receive, Runtime())
    request.language = "zh-hans"
    error = RateLimited("“%(path)s” does not exist", {"path": "x"}, param="model", retry_after=7)
    response = error_response(request, error)
    assert (response.status_code, response["content-type"], response["retry-after"]) == (429, "application/json", "7")
    assert json.loads(response.content)["error"] == {
        "message": sentence(error, "zh-hans"),
        "type": "rate_limit_error",
        "param": "model",
        "code": "rate_limit_exceeded",
    }
