"""The device flow: its errors with status 200, its two encodings, and the page where the code is typed."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from tests.simulator.accounts import EDITOR_CLIENT, OPENCODE_CLIENT, VSCODE_CLIENT
from tests.simulator.device import GRANT_TYPE
from tests.simulator.server import SimulatorServer

JSON = {"accept": "application/json"}


def begin(sim: SimulatorServer, client: httpx.Client, client_id: str = VSCODE_CLIENT) -> dict[str, Any]:
    body = {"client_id": client_id, "scope": "read:user"}
    answer = client.post(f"{sim.github_url}/login/device/code", json=body, headers=JSON)
    grant: dict[str, Any] = answer.json()
    return grant


def poll(sim: SimulatorServer, client: httpx.Client, grant: dict[str, Any], **changes: str) -> dict[str, Any]:
    body = {"client_id": VSCODE_CLIENT, "device_code": grant["device_code"], "grant_type": GRANT_TYPE, **changes}
    answer = client.post(f"{sim.github_url}/login/oauth/access_token", json=body, headers=JSON)
    assert answer.status_code == 200
    said: dict[str, Any] = answer.json()
    return said


def later(sim: SimulatorServer, seconds: float) -> None:
    sim.world.clock.skew += seconds


def test_a_grant_begins_with_a_code_and_the_page_to_type_it_into(sim: SimulatorServer, client: httpx.Client) -> None:
    grant = begin(sim, client)
    assert grant["verification_uri"] == f"{sim.url}/github/login/device"
    assert (grant["expires_in"], grant["interval"]) == (900, 5)
    assert len(grant["user_code"]) == 9
    assert grant["user_code"][4] == "-"


def test_the_real_page_is_named_when_no_public_origin_is_set(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.world.settings.public_origin = None
    try:
        assert begin(sim, client)["verification_uri"] == "https://github.com/login/device"
    finally:
        sim.world.settings.public_origin = sim.url


def test_without_accept_json_the_answer_is_form_encoded(sim: SimulatorServer, client: httpx.Client) -> None:
    answer = client.post(f"{sim.github_url}/login/device/code", data={"client_id": VSCODE_CLIENT})
    assert answer.headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert parse_qs(answer.text)["interval"] == ["5"]


def test_an_unknown_client_is_not_found(sim: SimulatorServer, client: httpx.Client) -> None:
    answer = client.post(f"{sim.github_url}/login/device/code", json={"client_id": "nobody"}, headers=JSON)
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


def test_polling_waits_then_gives_a_token(sim: SimulatorServer, client: httpx.Client) -> None:
    grant = begin(sim, client)
    assert poll(sim, client, grant)["error"] == "authorization_pending"
    sim.control("POST", f"device/{grant['user_code']}/approve", {"account": "credits"})
    later(sim, 5)
    token = poll(sim, client, grant)
    assert token["access_token"].startswith("ghu_")
    assert (token["token_type"], token["scope"]) == ("bearer", "")
    user = client.get(f"{sim.api_url}/user", headers={"authorization": f"token {token['access_token']}"})
    assert user.json()["login"] == "credits"


def test_polling_too_fast_raises_the_interval_by_five_each_time(sim: SimulatorServer, client: httpx.Client) -> None:
    grant = begin(sim, client)
    poll(sim, client, grant)
    first = poll(sim, client, grant)
    assert (first["error"], first["interval"]) == ("slow_down", 10)
    later(sim, 5)
    assert poll(sim, client, grant)["interval"] == 15
    later(sim, 15)
    assert poll(sim, client, grant)["error"] == "authorization_pending"


def test_a_denied_grant_says_access_denied(sim: SimulatorServer, client: httpx.Client) -> None:
    grant = begin(sim, client)
    sim.control("POST", f"device/{grant['user_code']}/deny")
    assert poll(sim, client, grant)["error"] == "access_denied"


def test_a_grant_expires_by_the_clock_and_by_command(sim: SimulatorServer, client: httpx.Client) -> None:
    old, ended = begin(sim, client), begin(sim, client)
    sim.control("POST", f"device/{ended['user_code']}/expire")
    assert poll(sim, client, ended)["error"] == "expired_token"
    later(sim, 901)
    assert poll(sim, client, old)["error"] == "expired_token"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"device_code": "0" * 40}, "incorrect_device_code"),
        ({"client_id": EDITOR_CLIENT}, "incorrect_client_credentials"),
    ],
)
def test_wrong_polls_are_named(sim: SimulatorServer, client: httpx.Client, changes: dict[str, str], error: str) -> None:
    assert poll(sim, client, begin(sim, client), **changes)["error"] == error


def test_a_grant_gives_its_token_once(sim: SimulatorServer, client: httpx.Client) -> None:
    grant = begin(sim, client)
    sim.control("POST", f"device/{grant['user_code']}/approve", {"account": "credits"})
    assert "access_token" in poll(sim, client, grant)
    assert poll(sim, client, grant)["error"] == "incorrect_device_code"


@pytest.mark.parametrize(
    ("client_id", "prefix", "scope"),
    [(OPENCODE_CLIENT, "gho_", "read:user"), (EDITOR_CLIENT, "gho_", "read:user"), (VSCODE_CLIENT, "ghu_", "")],
)
def test_the_kind_of_token_depends_on_the_client(
    sim: SimulatorServer, client: httpx.Client, client_id: str, prefix: str, scope: str
) -> None:
    grant = begin(sim, client, client_id)
    sim.control("POST", f"device/{grant['user_code']}/approve", {"account": "credits"})
    token = poll(sim, client, grant, client_id=client_id)
    assert token["access_token"].startswith(prefix)
    assert token["scope"] == scope


def test_a_grant_can_approve_itself_after_some_polls(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.control("POST", "settings", {"auto_approve_after": 2, "auto_approve_account": "legacy", "device_interval": 0})
    grant = begin(sim, client)
    assert poll(sim, client, grant)["error"] == "authorization_pending"
    assert "access_token" in poll(sim, client, grant)
    assert len(sim.world.accounts["legacy"].github_tokens) == 2


def test_the_page_approves_for_the_account_that_was_chosen(sim: SimulatorServer, client: httpx.Client) -> None:
    grant = begin(sim, client)
    page = client.get(grant["verification_uri"], params={"user_code": grant["user_code"]})
    assert f'value="{grant["user_code"]}"' in page.text
    assert '<option value="legacy">' in page.text
    assert '<option value="ghe">' not in page.text
    form = {"user_code": grant["user_code"].lower(), "account": "legacy", "action": "approve"}
    assert "all set" in client.post(grant["verification_uri"], data=form).text
    assert "access_token" in poll(sim, client, grant)


def test_the_page_denies(sim: SimulatorServer, client: httpx.Client) -> None:
    grant = begin(sim, client)
    form = {"user_code": grant["user_code"], "account": "credits", "action": "deny"}
    assert "denied" in client.post(grant["verification_uri"], data=form).text
    assert poll(sim, client, grant)["error"] == "access_denied"


def test_the_page_knows_no_invented_code(sim: SimulatorServer, client: httpx.Client) -> None:
    form = {"user_code": "ABCD-<b>", "account": "credits", "action": "approve"}
    answer = client.post(f"{sim.github_url}/login/device", data=form)
    assert answer.status_code == 404
    shown = client.get(f"{sim.github_url}/login/device", params={"user_code": '"><script>'})
    assert "<script>" not in shown.text


def test_a_tenant_has_its_own_page_and_accounts(sim: SimulatorServer, client: httpx.Client) -> None:
    base = f"{sim.url}/ghe/octo/github"
    grant = client.post(f"{base}/login/device/code", json={"client_id": VSCODE_CLIENT}, headers=JSON).json()
    assert grant["verification_uri"] == f"{base}/login/device"
    page = client.get(grant["verification_uri"]).text
    assert '<option value="ghe">' in page
    assert '<option value="credits">' not in page
    assert poll(sim, client, grant)["error"] == "incorrect_device_code"
