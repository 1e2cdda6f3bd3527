"""A seat that GitHub told to stop is left alone until it may be asked again, and its members are told until when."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import pytest

from tests.proxy.conftest import new_gateway
from tests.simulator.server import SimulatorServer

REFUSALS = [
    # what the upstream says, the state that follows, what callers get from then on, whether a check ends it
    ({"status": 429, "code": "user_global_rate_limited:pro", "retry_after": 30}, "cooling", 429, False),
    ({"status": 429, "code": "user_weekly_rate_limited"}, "cooling", 429, False),
    ({"status": 402, "code": "quota_exceeded"}, "exhausted", 429, True),
]


def wait_until(http: httpx.Client, status: int) -> None:
    """Until the server has heard of the seat's state, which takes it half a second."""
    deadline = time.monotonic() + 5
    while http.get("/readyz").status_code != status:
        assert time.monotonic() < deadline, http.get("/readyz").text
        time.sleep(0.05)


@pytest.mark.parametrize(("wish", "state", "status", "is_revived"), REFUSALS)
def test_a_seat_that_was_told_to_stop_is_not_asked_again(
    simulator: SimulatorServer, tmp_path: Path, wish: dict[str, object], state: str, status: int, is_revived: bool
) -> None:
    gateway = new_gateway(tmp_path, simulator, "credits")
    question = f"Hello @sim{json.dumps({'fault': 'status', **wish})}"
    try:
        gateway.serve()
        with httpx.Client(
            base_url=gateway.url, headers={"x-api-key": gateway.key}, timeout=30, trust_env=False
        ) as http:

            def ask(content: str) -> httpx.Response:
                body = {"model": "gpt-4o", "messages": [{"role": "user", "content": content}]}
                return http.post("/v1/chat/completions", json=body)

            assert ask(question).status_code == status
            seat = gateway.query("SELECT state, state_reason, state_until FROM accounts_seat")[0]
            assert seat["state"] == state
            assert seat["state_reason"]
            assert seat["state_until"]
            wait_until(http, 503)
            asked = len(simulator.world.log)
            refused = ask("Hello")
            assert refused.status_code == status
            assert "credits" in refused.json()["error"]["message"], "the seat is not named"
            assert len(simulator.world.log) == asked, "the seat was asked although it rests"
            gateway.run("checkseats")
            wait_until(http, 200 if is_revived else 503)
            assert (ask("Hello").status_code == 200) is is_revived
    finally:
        gateway.stop()


def test_a_limit_of_one_model_leaves_the_seat_in_service(simulator: SimulatorServer, tmp_path: Path) -> None:
    gateway = new_gateway(tmp_path, simulator, "credits")
    wish = json.dumps({"fault": "status", "status": 429, "code": "user_model_rate_limited", "retry_after": 30})
    try:
        gateway.serve()
        with httpx.Client(
            base_url=gateway.url, headers={"x-api-key": gateway.key}, timeout=30, trust_env=False
        ) as http:
            body = {"model": "gpt-4o", "messages": [{"role": "user", "content": f"Hello @sim{wish}"}]}
            assert http.post("/v1/chat/completions", json=body).headers["retry-after"] == "30"
            body["messages"] = [{"role": "user", "content": "Hello"}]
            assert http.post("/v1/chat/completions", json=body).status_code == 200
    finally:
        gateway.stop()


def test_a_suspended_account_needs_no_second_exchange_to_be_known(simulator: SimulatorServer, tmp_path: Path) -> None:
    gateway = new_gateway(tmp_path, simulator, "business")
    try:
        gateway.serve()
        with httpx.Client(
            base_url=gateway.url, headers={"x-api-key": gateway.key}, timeout=30, trust_env=False
        ) as http:
            body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
            assert http.post("/v1/chat/completions", json=body).status_code == 200
            simulator.control("POST", "account/business", {"state": "suspended"})
            simulator.control("POST", "token/revoke", {"account": "business"})
            first = http.post("/v1/chat/completions", json=body)
            assert first.status_code == 403
            assert first.json()["error"]["code"] == "seat_required"
            assert gateway.query("SELECT state FROM accounts_seat")[0]["state"] == "suspended"
            wait_until(http, 503)
            asked = len(simulator.world.log)
            again = http.post("/v1/chat/completions", json=body)
            assert again.status_code == 403
            assert "suspended" in again.json()["error"]["message"]
            assert len(simulator.world.log) == asked
    finally:
        simulator.control("POST", "account/business", {"state": "active"})
        gateway.stop()
