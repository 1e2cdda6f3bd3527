"""Who may use the Copilot API: bearers, tiers, editor headers, API versions, states of the account."""

from __future__ import annotations

import httpx
import pytest

from tests.simulator.accounts import GithubToken
from tests.simulator.server import SimulatorServer

EDITOR = {"editor-version": "vscode/1.104.3"}


def models(
    sim: SimulatorServer, client: httpx.Client, token: str, prefix: str = "copilot", **headers: str
) -> httpx.Response:
    sent = {"authorization": f"Bearer {token}", **EDITOR, **headers}
    return client.get(f"{sim.url}/{prefix}/models", headers=sent)


def test_an_exchanged_token_is_accepted(sim: SimulatorServer, client: httpx.Client) -> None:
    assert models(sim, client, sim.token("credits")).status_code == 200
    assert sim.world.log[-1].account == "credits"


def test_the_wrong_scheme_is_badly_formatted(sim: SimulatorServer, client: httpx.Client) -> None:
    headers = {"authorization": f"token {sim.token('credits')}", **EDITOR}
    answer = client.get(f"{sim.copilot_url}/models", headers=headers)
    assert (answer.status_code, "badly formatted" in answer.text) == (400, True)


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer nobody"}, {"authorization": "Bearer"}])
def test_without_a_good_bearer_there_is_a_401_in_text(
    sim: SimulatorServer, client: httpx.Client, headers: dict[str, str]
) -> None:
    answer = client.get(f"{sim.copilot_url}/models", headers={**headers, **EDITOR})
    assert answer.status_code == 401
    assert answer.text.startswith("unauthorized: ")
    assert answer.text.endswith("\n")


@pytest.mark.parametrize("act", ["expire", "revoke"])
def test_expired_and_revoked_tokens_are_refused_until_a_new_exchange(
    sim: SimulatorServer, client: httpx.Client, act: str
) -> None:
    token = sim.token("credits")
    assert sim.control("POST", f"token/{act}", {"account": "credits"}) == {"tokens": 1}
    assert models(sim, client, token).status_code == 401
    assert models(sim, client, sim.token("credits")).status_code == 200


def test_a_token_expires_with_the_clock(sim: SimulatorServer, client: httpx.Client) -> None:
    token = sim.token("credits")
    sim.control("POST", "clock", {"skew": 1801})
    assert models(sim, client, token).text == "unauthorized: token expired\n"


def test_an_oauth_token_is_used_directly_and_needs_no_editor(sim: SimulatorServer, client: httpx.Client) -> None:
    token = sim.world.accounts["direct"].github_token
    headers = {"authorization": f"Bearer {token}"}
    assert client.get(f"{sim.copilot_url}/models", headers=headers).status_code == 200
    sim.control("POST", "settings", {"gho_direct": False})
    assert client.get(f"{sim.copilot_url}/models", headers=headers).status_code == 401


def test_a_token_of_the_github_app_must_be_exchanged(sim: SimulatorServer, client: httpx.Client) -> None:
    assert models(sim, client, sim.world.accounts["credits"].github_token).status_code == 401


def test_personal_tokens_belong_to_the_command_line_client(sim: SimulatorServer, client: httpx.Client) -> None:
    token = sim.world.accounts["pat"].github_token
    refused = models(sim, client, token, **{"copilot-integration-id": "vscode-chat"})
    assert refused.text == "Personal Access Tokens are not supported for this endpoint\n"
    assert models(sim, client, token, **{"copilot-integration-id": "copilot-developer-cli"}).status_code == 200
    sim.world.accounts["pat"].github_tokens[0] = GithubToken("ghp_old", "classic", "")
    assert models(sim, client, "ghp_old", **{"copilot-integration-id": "copilot-developer-cli"}).status_code == 400


def test_an_exchanged_token_needs_an_editor_version(sim: SimulatorServer, client: httpx.Client) -> None:
    headers = {"authorization": f"Bearer {sim.token('credits')}"}
    answer = client.get(f"{sim.copilot_url}/models", headers=headers)
    assert answer.status_code == 400
    assert answer.text == "bad request: missing Editor-Version header for IDE auth\n"
    sim.control("POST", "settings", {"editor_version_required": False})
    assert client.get(f"{sim.copilot_url}/models", headers=headers).status_code == 200


def test_an_old_api_version_is_gone(sim: SimulatorServer, client: httpx.Client) -> None:
    token = sim.token("credits")
    old = models(sim, client, token, **{"x-github-api-version": "2023-07-07"})
    assert old.status_code == 466
    assert "no longer supported" in old.text
    assert models(sim, client, token, **{"x-github-api-version": "2025-04-01"}).status_code == 200


@pytest.mark.parametrize(
    ("login", "prefix", "status"),
    [
        ("credits", "copilot-individual", 200),
        ("credits", "copilot-business", 421),
        ("business", "copilot", 200),
        ("business", "copilot-business", 200),
        ("business", "copilot-individual", 421),
        ("enterprise", "copilot-enterprise", 200),
        ("ghe", "ghe/octo/copilot", 200),
        ("ghe", "copilot", 421),
        ("ghe", "ghe/other/copilot", 421),
        ("credits", "ghe/octo/copilot", 421),
    ],
)
def test_a_token_works_on_the_host_of_its_tier(
    sim: SimulatorServer, client: httpx.Client, login: str, prefix: str, status: int
) -> None:
    answer = models(sim, client, sim.token(login), prefix)
    assert answer.status_code == status
    if status == 421:
        assert answer.text == "Misdirected Request"


def test_a_suspended_account_is_refused_with_its_running_token(sim: SimulatorServer, client: httpx.Client) -> None:
    token = sim.token("credits")
    sim.control("POST", "account/credits", {"state": "suspended"})
    answer = models(sim, client, token)
    assert answer.status_code == 403
    assert answer.text == "unauthorized: not authorized to use this Copilot feature\n"


def test_abuse_stops_the_exchange_and_leaves_running_tokens(sim: SimulatorServer, client: httpx.Client) -> None:
    token = sim.token("credits")
    sim.control("POST", "account/credits", {"state": "abuse"})
    with pytest.raises(httpx.HTTPStatusError, match="403"):
        sim.token("credits")
    assert models(sim, client, token).status_code == 200


def test_every_answer_carries_request_ids(sim: SimulatorServer, client: httpx.Client) -> None:
    token = sim.token("credits")
    good = models(sim, client, token, **{"x-request-id": "mine-1"})
    bad = models(sim, client, "nobody")
    assert good.headers["x-request-id"] == "mine-1"
    assert bad.headers["x-request-id"]
    assert good.headers["x-github-request-id"] != bad.headers["x-github-request-id"]
    assert good.headers["x-github-request-id"].count(":") == 4


def test_only_refusals_carry_the_guarding_headers(sim: SimulatorServer, client: httpx.Client) -> None:
    refused = models(sim, client, "nobody")
    assert refused.headers["content-type"] == "text/plain; charset=utf-8"
    assert refused.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert refused.headers["x-github-backend"] == "Kubernetes"
    assert "x-github-backend" not in models(sim, client, sim.token("credits")).headers


def test_a_tenant_marks_its_refusals(sim: SimulatorServer, client: httpx.Client) -> None:
    refused = models(sim, client, "nobody", "ghe/octo/copilot")
    assert refused.headers["x-glb-log-append"] == "tenant=octo,service=copilot-api"


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("POST", "/v1/messages/batches", 404, "404 page not found\n"),
        ("GET", "/v1/files", 404, "404 page not found\n"),
        ("GET", "/v1/models", 404, "404 page not found\n"),
        ("GET", "/mcp/readonly", 403, "forbidden: access denied\n"),
        ("GET", "/_ping", 200, "OK"),
    ],
)
def test_other_paths_answer_in_text(
    sim: SimulatorServer, client: httpx.Client, method: str, path: str, status: int, text: str
) -> None:
    headers = {"authorization": f"Bearer {sim.token('credits')}", **EDITOR}
    answer = client.request(method, f"{sim.copilot_url}{path}", headers=headers)
    assert (answer.status_code, answer.text) == (status, text)


def test_a_websocket_upgrade_is_refused_quickly(sim: SimulatorServer, client: httpx.Client) -> None:
    headers = {
        "authorization": f"Bearer {sim.token('credits')}", "connection": "Upgrade", "upgrade": "websocket",
        "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", **EDITOR,
    }  # fmt: skip
    assert client.get(f"{sim.copilot_url}/responses", headers=headers).status_code == 426


def test_an_address_nobody_lives_at_is_not_found(sim: SimulatorServer, client: httpx.Client) -> None:
    assert client.get(f"{sim.url}/elsewhere/models").status_code == 404
    assert client.get(f"{sim.url}/").status_code == 404
