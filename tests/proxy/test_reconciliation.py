"""Reconciliation end to end: a real gateway, GitHub's own bill, and traffic on the seat that went past the gateway."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway import Gateway
from tests.proxy.conftest import new_gateway
from tests.simulator.server import SimulatorServer

MODEL = "claude-sonnet-4.5"


def ask(http: httpx.Client, *, stream: bool = False) -> None:
    """One question through the gateway, read to its end."""
    question = {"model": MODEL, "stream": stream, "messages": [{"role": "user", "content": "How far is the moon?"}]}
    with http.stream("POST", "/v1/chat/completions", json=question) as answer:
        answer.read()
        assert answer.status_code == 200, answer.text


def ask_past_the_gateway(simulator: SimulatorServer) -> int:
    """One question straight at Copilot, as an editor would; returns what it was billed."""
    account = simulator.world.accounts["credits"]
    before = account.nano_aiu
    headers = {"authorization": f"Bearer {simulator.token('credits')}", "editor-version": "vscode/1.108.0"}
    body = {"model": MODEL, "messages": [{"role": "user", "content": "What is for lunch, and where?"}]}
    answer = httpx.post(
        f"{simulator.copilot_url}/chat/completions", json=body, headers=headers, timeout=30, trust_env=False
    )
    assert answer.status_code == 200, answer.text
    return account.nano_aiu - before


def reconciled(gateway: Gateway) -> dict[str, Any]:
    gateway.manage("reconcile")
    (row,) = gateway.query("SELECT * FROM accounts_reconciliation ORDER BY id DESC LIMIT 1")
    return row


def causes(row: dict[str, Any]) -> dict[str, int]:
    return {cause["code"]: cause["nano"] for cause in json.loads(row["causes"])}


def test_drift_is_the_traffic_that_went_past_the_gateway_to_the_billionth(
    simulator: SimulatorServer, gateway: Gateway, http: httpx.Client
) -> None:
    reconciled(gateway)
    billed_before = simulator.world.accounts["credits"].nano_aiu
    for number in range(6):
        ask(http, stream=number % 2 == 0)
    quiet = reconciled(gateway)
    through = simulator.world.accounts["credits"].nano_aiu - billed_before
    assert quiet["github_nano"] == quiet["ledger_nano"] == through > 0
    assert quiet["requests"] == 6

    ask(http)
    outside = ask_past_the_gateway(simulator) + ask_past_the_gateway(simulator)
    row = reconciled(gateway)
    assert row["since"] == quiet["until"]
    assert row["github_nano"] - row["ledger_nano"] == outside > 0
    assert row["requests"] == 1
    assert causes(row) == {"outside": outside}


def test_a_night_that_nobody_was_up_for_is_made_up_at_the_start(simulator: SimulatorServer, tmp_path: Path) -> None:
    gateway = new_gateway(tmp_path, simulator, "pro")
    try:
        gateway.serve()
        wait_for(gateway, "SELECT 1 FROM accounts_nightlytask WHERE name = 'reconcile'")
        gateway.stop()
        assert gateway.query("SELECT * FROM accounts_reconciliation") == []
        gateway.execute("UPDATE accounts_nightlytask SET done_day = '2026-01-01'")
        gateway.serve()
        wait_for(gateway, "SELECT 1 FROM accounts_nightlytask WHERE name = 'prune' AND done_at IS NOT NULL")
    finally:
        gateway.stop()
    rows = gateway.query("SELECT seat_id FROM accounts_reconciliation")
    assert len(rows) == 1


def wait_for(gateway: Gateway, sql: str, *, seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not gateway.query(sql):
        assert time.monotonic() < deadline, gateway.log.read_text()[-2000:]
        time.sleep(0.1)


@pytest.mark.parametrize("wrong", ["0", "4711"])
def test_a_seat_that_does_not_exist_is_named(gateway: Gateway, wrong: str) -> None:
    done = gateway.run("reconcile", "--seat", wrong)
    assert done.returncode == 1
    assert wrong in done.stderr
