"""Every kind of account serves through the gateway: plans, eras of billing, direct tokens, a GHE tenant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway import Gateway
from tests.simulator.server import SimulatorServer

ACCOUNTS = ["credits", "pro", "business", "enterprise", "legacy", "free", "free-old", "direct", "ghe"]
TENANT = "octo.ghe.com"


@pytest.mark.parametrize("account", ACCOUNTS)
def test_an_account_of_each_kind_answers_and_its_use_is_booked(
    simulator: SimulatorServer, tmp_path: Path, account: str
) -> None:
    tenant = f"{simulator.url}/ghe/octo"
    origins = {TENANT: {"github": f"{tenant}/github", "api": f"{tenant}/api", "copilot": f"{tenant}/copilot"}}
    gateway = Gateway(tmp_path, simulator.url, BRIDGE_ORIGINS=json.dumps(origins))
    gateway.manage("setup")
    host = ["--host", TENANT] if account == "ghe" else []
    token = simulator.world.accounts[account].github_token
    said = gateway.manage("addseat", "--owner", "owner", *host, said=token)
    assert "connected" in said
    assert token not in said
    gateway.key = gateway.manage("issuekey", "owner").strip()
    try:
        gateway.serve(path="/readyz")
        before = billed(simulator, account)
        row = asked(gateway)
        after = billed(simulator, account)
    finally:
        gateway.stop()
    assert row["status"] == "settled"
    assert row["input_tokens"] > 0
    assert row["output_tokens"] > 0
    if after["billing"] == "credits":
        assert row["nano_reported"] == after["nano_aiu"] - before["nano_aiu"] > 0
    premium = round((after["premium_requests"] - before["premium_requests"]) * 1000)
    assert (row["premium_thousandths"] or 0) == premium


def asked(gateway: Gateway) -> dict[str, Any]:
    """The ledger row of one question to the best model that every plan has."""
    with httpx.Client(base_url=gateway.url, headers={"x-api-key": gateway.key}, timeout=30, trust_env=False) as http:
        ids = {model["id"] for model in http.get("/v1/models").json()["data"]}
        model = next(name for name in ("claude-sonnet-4.5", "gpt-4o", "gpt-5-mini", "gpt-4.1") if name in ids)
        answer = http.post(
            "/v1/chat/completions", json={"model": model, "messages": [{"role": "user", "content": "Hi"}]}
        )
        assert answer.status_code == 200, answer.text
    return gateway.row(answer.headers["x-request-id"])


def billed(simulator: SimulatorServer, account: str) -> dict[str, Any]:
    found: dict[str, Any] = simulator.control("GET", f"account/{account}")
    return found
