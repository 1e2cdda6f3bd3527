"""What the upstream does wrong, as the caller of the chat door sees it: status, error object, what clients do next."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway import Gateway
from tests.proxy.asking import HELLO, ask, error_of
from tests.proxy.conftest import new_gateway
from tests.simulator.server import SimulatorServer

UPSTREAM = [
    # what the upstream answers, status and code for the caller, whether clients are told not to retry
    ({"status": 402, "code": "quota_exceeded"}, 429, "insufficient_quota", True),
    ({"status": 429, "code": "user_model_rate_limited", "retry_after": 7}, 429, "rate_limit_exceeded", False),
    ({"status": 429, "code": "user_model_rate_limited", "retry_after": 7200}, 429, "usage_limit_reached", True),
    ({"status": 422, "code": "content_filter"}, 400, "content_filter", True),
    ({"status": 413, "code": "request_too_large"}, 413, "request_too_large", True),
    ({"status": 403, "code": "forbidden"}, 403, "seat_required", True),
    ({"status": 400, "code": "invalid_request_body", "message": "no such thing"}, 400, "invalid_request_error", True),
    ({"status": 500}, 502, "upstream_error", False),
    ({"status": 502}, 502, "upstream_error", False),
    ({"status": 503}, 503, "upstream_unavailable", False),
    ({"fault": "html_502"}, 502, "upstream_error", False),
    ({"fault": "reset_before_headers"}, 502, "upstream_unreachable", False),
    ({"fault": "reset_after_headers"}, 502, "upstream_stream_broken", False),
    ({"fault": "redirect"}, 502, "upstream_error", False),
]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("scenario", "status", "code", "is_final"), UPSTREAM)
def test_a_fault_of_the_upstream_keeps_its_meaning(
    http: httpx.Client,
    gateway: Gateway,
    simulator: SimulatorServer,
    scenario: dict[str, Any],
    status: int,
    code: str,
    is_final: bool,
    streamed: bool,
) -> None:
    wish = {"fault": "status", **scenario}
    answer = ask(http, f"Hello @sim{json.dumps(wish)} {streamed}", stream=streamed)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == code
    assert (answer.headers.get("x-should-retry") == "false") is is_final
    if "retry_after" in scenario and not is_final:
        assert answer.headers["retry-after"] == str(scenario["retry_after"])
    else:
        assert "retry-after" not in answer.headers
    row = gateway.row(answer.headers["x-request-id"])
    assert row["status"] in ("failed", "refused")
    assert row["http_status"] == status
    if scenario.get("status") == 402:
        gateway.manage("checkseats")
        wait_until_usable(http)


def wait_until_usable(http: httpx.Client) -> None:
    deadline = time.monotonic() + 5
    while http.get("/readyz").status_code != 200:
        assert time.monotonic() < deadline, http.get("/readyz").text
        time.sleep(0.05)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    "wish", [{"fault": "status", "status": 502}, {"fault": "reset_before_headers"}, {"fault": "clean_eof"}]
)
def test_what_passes_is_tried_again_before_the_first_byte(
    http: httpx.Client, gateway: Gateway, wish: dict[str, Any], streamed: bool
) -> None:
    # The simulator counts the failures of each wish: the message keeps the two runs apart.
    once = {**wish, "fail_times": 1, "message": f"streamed: {streamed}"}
    answer = ask(http, f"Hello again @sim{json.dumps(once)}", stream=streamed)
    assert answer.status_code == 200, answer.text
    row = gateway.row(answer.headers["x-request-id"])
    assert (row["status"], row["attempts"]) == ("settled", 2)
    tries = gateway.query("SELECT * FROM accounts_usageattempt WHERE record_id = ? ORDER BY number", row["id"])
    assert [line["number"] for line in tries] == [1, 2]
    assert tries[1]["status"] == 200


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"fault": "cut", "after": 3}, "upstream_stream_broken"),
        ({"fault": "clean_eof", "after": 3}, "upstream_stream_broken"),
        ({"fault": "hang_up", "after": 3}, "upstream_stream_broken"),
        ({"fault": "error_event", "after": 3, "code": "rate_limited", "message": "slow down"}, "rate_limit_exceeded"),
        ({"fault": "error_event", "after": 3, "code": "internal_error"}, "upstream_error"),
    ],
)
def test_a_stream_that_breaks_ends_with_an_error_event_and_never_cleanly(
    http: httpx.Client, gateway: Gateway, wish: dict[str, Any], code: str
) -> None:
    """Where three chunks and the break arrive as one, on a busy machine, the status tells it: right as well."""
    for _ in range(5):
        answer = ask(http, f"Tell me a story. @sim{json.dumps({**wish, 'delay_ms': 80})}", stream=True)
        if answer.status_code == 200:
            break
        assert answer.json()["error"]["code"] == code
    frames = [line for line in answer.text.splitlines() if line]
    assert answer.status_code == 200, "no head was ever sent"
    assert '"content"' in frames[1]
    assert "[DONE]" not in frames[-1]
    assert json.loads(frames[-1].removeprefix("data: "))["error"]["code"] == code
    row = gateway.row(answer.headers["x-request-id"])
    assert row["status"] == "failed"
    assert row["output_tokens"] > 0


def test_a_bearer_that_expired_is_renewed_once_unseen(
    http: httpx.Client, gateway: Gateway, simulator: SimulatorServer
) -> None:
    assert ask(http).status_code == 200
    before = simulator.control("GET", "account/credits")["exchanges"]
    simulator.control("POST", "token/revoke", {"account": "credits"})
    answer = ask(http)
    assert answer.status_code == 200
    assert simulator.control("GET", "account/credits")["exchanges"] == before + 1
    assert gateway.row(answer.headers["x-request-id"])["attempts"] == 2


def test_a_parameter_that_the_model_refuses_is_dropped_and_named(http: httpx.Client) -> None:
    answer = ask(http, model="gpt-5-mini", temperature=0.2, max_tokens=50, store=True, user="u" * 150)
    assert answer.status_code == 200, answer.text
    assert {"temperature", "store", "user"} <= set(answer.headers["x-bridge-dropped"].split(", "))


@pytest.mark.parametrize(
    ("account", "status", "code"),
    [(None, 403, "seat_required"), ("exhausted", 429, "insufficient_quota"), ("limited", 429, "rate_limit_exceeded")],
)
def test_a_member_whose_seat_cannot_serve_is_told_why(
    simulator: SimulatorServer, tmp_path: Path, account: str | None, status: int, code: str
) -> None:
    installation = new_gateway(tmp_path, simulator, account)
    try:
        installation.serve()
        with httpx.Client(
            base_url=installation.url, headers={"x-api-key": installation.key}, timeout=30, trust_env=False
        ) as http:
            answer = ask(http)
            said = error_of(answer, status, code)
            assert account is not None or "/auth/device" in said
            assert installation.row(answer.headers["x-request-id"])["http_status"] == status
            assert http.get("/healthz").status_code == 200
            ready = http.get("/readyz")
            if account is None:
                assert ready.status_code == 503
                assert "/auth/device" in ready.json()["missing"][0]
    finally:
        installation.stop()


def test_github_down_is_a_5xx_that_passes(simulator: SimulatorServer, tmp_path: Path) -> None:
    with SimulatorServer() as other:
        installation = new_gateway(tmp_path, other, "credits")
    # From here on nobody listens at the upstream's address.
    try:
        installation.serve()
        answer = httpx.post(
            f"{installation.url}/v1/chat/completions",
            json={"model": "gpt-4o", "messages": HELLO},
            headers={"x-api-key": installation.key},
            timeout=60,
            trust_env=False,
        )
        assert answer.status_code in (502, 503, 504)
        assert answer.json()["error"]["message"]
        assert installation.row(answer.headers["x-request-id"])["status"] == "failed" or "refused"
    finally:
        installation.stop()
