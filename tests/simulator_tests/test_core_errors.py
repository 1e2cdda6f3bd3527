"""Every refusal that can be asked for by a word, as it goes over the wire."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.simulator import errors, rest_errors
from tests.simulator.server import SimulatorServer


def refused(sim: SimulatorServer, client: httpx.Client, wish: Any, path: str = "/models") -> httpx.Response:
    token = sim.token("credits")
    sim.ask({"refuse": wish}, account="credits", path=path)
    headers = {"authorization": f"Bearer {token}", "editor-version": "vscode/1.104.3"}
    return client.get(f"{sim.copilot_url}{path}", headers=headers)


@pytest.mark.parametrize(
    ("word", "status", "part"),
    [
        ("bad_request", 400, "Bad Request\n"),
        ("off_topic", 400, '"code":"off_topic"'),
        ("model_kind_not_supported", 400, "Model is not supported for this request."),
        ("too_large_for_context", 400, "Request body is too large for model context window"),
        ("token_expired", 401, "unauthorized: token expired\n"),
        ("authorize_url", 401, '{"authorize_url":'),
        ("suspended", 403, "unauthorized: not authorized to use this Copilot feature\n"),
        ("access_denied", 403, "forbidden: access denied\n"),
        ("policy_required", 403, "requires an enterprise or organization policy"),
        ("not_found", 404, "404 page not found\n"),
        ("too_large", 413, "too large"),
        ("misdirected", 421, "Misdirected Request"),
        ("filtered", 422, "Filtered by Responsible AI Service"),
        ("failed_dependency", 424, "failed_dependency"),
        ("api_version", 466, "no longer supported"),
        ("cancelled", 499, "closed"),
        ("server_error", 500, "internal"),
        ("bad_gateway", 502, "Bad Gateway"),
        ("unavailable", 503, "upstream connect error"),
        ("overloaded", 529, '"type":"overloaded_error"'),
    ],
)
def test_a_word_asks_for_its_refusal_once(
    sim: SimulatorServer, client: httpx.Client, word: str, status: int, part: str
) -> None:
    answer = refused(sim, client, word)
    assert answer.status_code == status
    assert part in answer.text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    again = client.get(answer.request.url, headers=answer.request.headers)
    assert again.status_code == 200


@pytest.mark.parametrize("code", sorted(errors.RATE_MESSAGES))
def test_every_rate_limit_code_is_a_429_with_a_message(sim: SimulatorServer, client: httpx.Client, code: str) -> None:
    answer = refused(sim, client, code)
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["message"]
    assert "retry-after" not in answer.headers


def test_a_rate_limit_has_suffix_wait_and_name_when_asked(sim: SimulatorServer, client: httpx.Client) -> None:
    wish = {"code": "user_global_rate_limited:enterprise", "retry_after": 54000, "exceeded": "global-chat"}
    answer = refused(sim, client, wish)
    assert answer.json()["error"]["code"] == "user_global_rate_limited:enterprise"
    assert "54000 seconds" in answer.json()["error"]["message"]
    assert answer.headers["retry-after"] == "54000"
    assert answer.headers["x-ratelimit-exceeded"] == "global-chat"


@pytest.mark.parametrize("code", sorted(errors.QUOTA_MESSAGES))
def test_every_quota_code_is_a_402(sim: SimulatorServer, client: httpx.Client, code: str) -> None:
    answer = refused(sim, client, code)
    assert (answer.status_code, answer.json()["error"]["code"]) == (402, code)
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("word", sorted(errors.WORDS))
def test_every_word_builds_a_refusal_above_399(word: str) -> None:
    refusal = errors.asked(word, {})
    assert refusal.status >= 400
    assert refusal.body


@pytest.mark.parametrize("notification", sorted(rest_errors.NOTICES))
def test_every_notification_is_a_403_of_the_rest_api(notification: str) -> None:
    refusal = rest_errors.not_entitled(notification, "somebody")
    assert refusal.status == 403
    assert f'"notification_id":"{notification}"'.encode() in refusal.body


def test_a_raw_answer_is_sent_as_it_was_given(sim: SimulatorServer, client: httpx.Client) -> None:
    token = sim.token("credits")
    raw = {"status": 418, "body": {"b": 1, "a": 2}, "headers": {"x-odd": "1"}, "content_type": "text/html"}
    sim.ask({"raw": raw}, path="/models")
    headers = {"authorization": f"Bearer {token}", "editor-version": "v"}
    answer = client.get(f"{sim.copilot_url}/models", headers=headers)
    assert (answer.status_code, answer.text) == (418, '{"a":2,"b":1}\n')
    assert (answer.headers["x-odd"], answer.headers["content-type"]) == ("1", "text/html")


def test_the_three_envelopes() -> None:
    assert errors.capi(400, "c", "m").body == b'{"error":{"code":"c","message":"m"}}\n'
    assert errors.bare("m").body == b'{"message":"m"}\n'
    assert b'"request_id":"req_' in errors.anthropic("invalid_request_error", "m").body
    assert b'\\"type\\":\\"error\\"' in errors.wrapped("invalid_request_error", "m").body


def test_a_prompt_that_is_too_long_is_counted() -> None:
    body = errors.prompt_too_long(138898, 64000).body
    assert b"prompt token count of 138898 exceeds the limit of 64000" in body
