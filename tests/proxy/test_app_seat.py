"""An organisation's app as the seat of a running gateway: added, used, renewed, lost and found again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.accounts.apps import CLIENT, INSTALLATION, ORGANISATION, installed, private_key
from tests.gateway import Gateway
from tests.simulator.apps import Installation
from tests.simulator.server import SimulatorServer

QUESTION = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
def installation(simulator: SimulatorServer) -> Installation:
    return installed(simulator)


@pytest.fixture
def app_gateway(simulator: SimulatorServer, installation: Installation, tmp_path: Path) -> Iterator[Gateway]:
    """Serving, with the app as its only seat."""
    gateway = Gateway(tmp_path, simulator.url)
    gateway.manage("setup")
    said = gateway.manage("addappseat", "--app", CLIENT, "--installation", str(INSTALLATION), said=private_key())
    assert "octo-org pays for it" in said
    assert "Experimental" in said
    gateway.key = gateway.manage("issuekey", "owner").strip()
    gateway.serve(path="/readyz")
    yield gateway
    gateway.stop()


@pytest.fixture
def client(app_gateway: Gateway) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {app_gateway.key}"}
    with httpx.Client(base_url=app_gateway.url, headers=headers, timeout=30, trust_env=False) as http:
        yield http


def ask(client: httpx.Client) -> httpx.Response:
    return client.post("/v1/chat/completions", json=QUESTION)


def bearers(simulator: SimulatorServer) -> list[str]:
    """The bearers that generation requests carried, in order."""
    asked = [record.request for record in simulator.world.log if record.request.path == "/chat/completions"]
    return [request.headers["authorization"].removeprefix("Bearer ") for request in asked]


def test_requests_are_billed_to_the_organisation(
    simulator: SimulatorServer, app_gateway: Gateway, client: httpx.Client
) -> None:
    answer = ask(client)
    assert answer.status_code == 200, answer.text
    row = app_gateway.row(answer.headers["x-request-id"])
    assert row["status"] == "settled"
    assert row["seat_name"] == ORGANISATION
    assert row["nano_reported"] == simulator.world.accounts[ORGANISATION].nano_aiu > 0
    assert bearers(simulator)[-1].startswith("ghs_")


def test_a_token_that_copilot_no_longer_takes_is_replaced_within_the_request(
    simulator: SimulatorServer, client: httpx.Client, installation: Installation
) -> None:
    assert ask(client).status_code == 200
    issued = installation.issued
    simulator.world.revoke_tokens(ORGANISATION)
    answer = ask(client)
    assert answer.status_code == 200, answer.text
    assert installation.issued == issued + 1
    assert len(set(bearers(simulator)[-3:])) == 2


def test_a_stored_token_serves_after_a_restart_without_a_new_one(
    app_gateway: Gateway, client: httpx.Client, installation: Installation
) -> None:
    assert ask(client).status_code == 200
    issued = installation.issued
    app_gateway.stop()
    app_gateway.serve(path="/readyz")
    with httpx.Client(base_url=app_gateway.url, headers=client.headers, timeout=30, trust_env=False) as again:
        assert ask(again).status_code == 200
    assert installation.issued == issued


def test_an_app_that_was_removed_needs_somebody_and_a_check_brings_it_back(
    simulator: SimulatorServer, app_gateway: Gateway, client: httpx.Client, installation: Installation
) -> None:
    assert ask(client).status_code == 200
    installation.removed = True
    simulator.world.revoke_tokens(ORGANISATION)
    answer = ask(client)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "seat_required"
    (seat,) = app_gateway.query("SELECT state, state_reason FROM accounts_seat")
    assert seat["state"] == "needs_login"
    assert "not installed" in seat["state_reason"]

    installation.removed = False
    assert f"{ORGANISATION}: active" in app_gateway.manage("checkseats")
    deadline = time.monotonic() + 10
    while ask(client).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_the_key_stands_nowhere_in_the_clear(app_gateway: Gateway) -> None:
    middle = private_key()[100:140].encode()
    assert middle not in (app_gateway.folder / "bridge.sqlite3").read_bytes()
    assert middle not in app_gateway.log.read_bytes()
