"""api.github.com: who am I, the token exchange with all its refusals, and the four shapes of the user document."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.simulator.accounts import GithubToken
from tests.simulator.server import SimulatorServer

EXCHANGE = "/copilot_internal/v2/token"
USER = "/copilot_internal/user"


def get(sim: SimulatorServer, client: httpx.Client, path: str, login: str = "credits") -> httpx.Response:
    token = sim.world.accounts[login].github_token
    return client.get(f"{sim.api_url}{path}", headers={"authorization": f"token {token}"})


def document(sim: SimulatorServer, client: httpx.Client, login: str) -> dict[str, Any]:
    body: dict[str, Any] = get(sim, client, USER, login).json()
    return body


def test_the_exchange_gives_a_token_of_fields_and_a_mac(sim: SimulatorServer, client: httpx.Client) -> None:
    body = get(sim, client, EXCHANGE).json()
    fields, _, mac = body["token"].partition(":")
    parts = dict(field.split("=", 1) for field in fields.split(";"))
    assert int(mac, 16)
    assert parts["exp"] == str(body["expires_at"])
    assert parts["sku"] == body["sku"]
    assert parts["proxy-ep"] == "proxy.individual.githubcopilot.com"
    assert abs(body["expires_at"] - sim.world.time() - 1800) < 5
    assert body["refresh_in"] == 1500
    assert body["endpoints"]["api"] == f"{sim.url}/copilot-individual"
    assert list(body) == sorted(body)


def test_the_life_of_a_token_follows_the_settings_and_the_clock(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.control("POST", "settings", {"token_ttl": 60, "refresh_in": 40})
    sim.control("POST", "clock", {"skew": 7200})
    body = get(sim, client, EXCHANGE).json()
    assert body["refresh_in"] == 40
    assert abs(body["expires_at"] - sim.world.time() - 60) < 5


def test_the_real_hosts_are_named_without_a_public_origin(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.world.settings.public_origin = None
    try:
        business = get(sim, client, EXCHANGE, "business").json()["endpoints"]["api"]
    finally:
        sim.world.settings.public_origin = sim.url
    assert business == "https://api.business.githubcopilot.com"


def test_every_exchange_is_counted_and_gives_another_token(sim: SimulatorServer, client: httpx.Client) -> None:
    tokens = {get(sim, client, EXCHANGE).json()["token"] for _ in range(3)}
    assert len(tokens) == 3
    assert sim.control("GET", "account/credits")["exchanges"] == 3


def test_the_exchange_is_by_get_only(sim: SimulatorServer, client: httpx.Client) -> None:
    token = sim.world.accounts["credits"].github_token
    answer = client.post(f"{sim.api_url}{EXCHANGE}", headers={"authorization": f"token {token}"})
    assert answer.status_code == 404


def test_an_unknown_token_is_bad_credentials(sim: SimulatorServer, client: httpx.Client) -> None:
    answer = client.get(f"{sim.api_url}{EXCHANGE}", headers={"authorization": "token ghu_nobody"})
    assert answer.status_code == 401
    assert answer.json()["message"] == "Bad credentials"
    assert answer.json()["status"] == "401"


def test_a_revoked_github_token_is_bad_credentials(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.world.accounts["credits"].github_tokens[0].revoked = True
    sim.world.accounts["credits"].github_tokens.append(GithubToken("ghu_other", "ghu", "Iv1.x"))
    assert get(sim, client, "/user").status_code == 200
    value = sim.world.accounts["credits"].github_tokens[0].value
    answer = client.get(f"{sim.api_url}/user", headers={"authorization": f"Bearer {value}"})
    assert answer.status_code == 401


@pytest.mark.parametrize(("kind", "status"), [("pat", 403), ("classic", 404)])
def test_personal_access_tokens_are_not_exchanged(
    sim: SimulatorServer, client: httpx.Client, kind: str, status: int
) -> None:
    sim.world.accounts["credits"].github_tokens.insert(0, GithubToken("personal", kind, ""))
    assert get(sim, client, EXCHANGE).status_code == status
    assert get(sim, client, "/user").status_code == 200


def test_a_token_for_direct_use_cannot_reach_the_internals(sim: SimulatorServer, client: httpx.Client) -> None:
    assert get(sim, client, EXCHANGE, "direct").status_code == 404
    assert get(sim, client, USER, "direct").status_code == 404


@pytest.mark.parametrize(("login", "notification"), [("noseat", "no_copilot_access"), ("suspended", "access_revoked")])
def test_the_403_of_the_exchange_says_why(
    sim: SimulatorServer, client: httpx.Client, login: str, notification: str
) -> None:
    answer = get(sim, client, EXCHANGE, login)
    assert answer.status_code == 403
    details = answer.json()["error_details"]
    assert details["notification_id"] == notification
    assert details["title"]
    assert answer.headers["content-type"].startswith("application/json")


def test_any_notification_can_be_asked_for(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.control("POST", "account/credits", {"notification": "billing_locked"})
    assert get(sim, client, EXCHANGE).json()["error_details"]["notification_id"] == "billing_locked"
    sim.control("POST", "account/credits", {"notification": ""})
    sim.ask({"refuse": "feature_flag_blocked"}, account="credits", path=EXCHANGE)
    assert get(sim, client, EXCHANGE).json()["error_details"]["notification_id"] == "feature_flag_blocked"
    assert get(sim, client, EXCHANGE).status_code == 200


@pytest.mark.parametrize(
    ("word", "status", "message"),
    [
        ("rest_rate_limited", 403, "API rate limit exceeded for user ID"),
        ("rest_too_many", 429, "You have exceeded"),
        ("rest_not_found", 404, "Not Found"),
        ("rest_server_error", 500, "Server Error"),
    ],
)
def test_other_failures_of_the_exchange_vanish_on_the_next_try(
    sim: SimulatorServer, client: httpx.Client, word: str, status: int, message: str
) -> None:
    sim.ask({"refuse": word}, path=EXCHANGE)
    answer = get(sim, client, EXCHANGE)
    assert answer.status_code == status
    assert answer.json()["message"].startswith(message)
    assert get(sim, client, EXCHANGE).status_code == 200


def test_a_retry_after_can_be_asked_for(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.ask({"refuse": {"code": "rest_too_many", "retry_after": 7}}, path=EXCHANGE)
    assert get(sim, client, EXCHANGE).headers["retry-after"] == "7"


def test_the_exchange_can_redirect_to_a_foreign_host(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.ask({"redirect": "http://127.0.0.1:9/steal"}, path=EXCHANGE)
    answer = get(sim, client, EXCHANGE)
    assert (answer.status_code, answer.headers["location"]) == (302, "http://127.0.0.1:9/steal")


def test_the_exchange_can_be_slow(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.ask({"hold": 0.3}, path=EXCHANGE)
    answer = get(sim, client, EXCHANGE)
    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() >= 0.3


def test_fields_of_the_exchange_can_be_set(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.ask({"exchange": {"endpoints": {"api": "https://evil.example"}, "refresh_in": None}}, path=EXCHANGE)
    body = get(sim, client, EXCHANGE).json()
    assert body["endpoints"] == {"api": "https://evil.example"}
    assert body["refresh_in"] is None


def test_a_tenant_has_its_own_tokens_and_hosts(sim: SimulatorServer, client: httpx.Client) -> None:
    token = {"authorization": f"token {sim.world.accounts['ghe'].github_token}"}
    body = client.get(f"{sim.url}/ghe/octo/api{EXCHANGE}", headers=token).json()
    assert body["endpoints"]["api"] == f"{sim.url}/ghe/octo/copilot"
    assert body["endpoints"]["proxy"] == "https://copilot-proxy.octo.ghe.com"
    assert client.get(f"{sim.api_url}{EXCHANGE}", headers=token).status_code == 401
    assert client.get(f"{sim.url}/ghe/other/api{EXCHANGE}", headers=token).status_code == 401


def test_a_credit_account_shows_credits(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.world.accounts["credits"].nano_aiu = 2_500_000_000
    body = document(sim, client, "credits")
    premium = body["quota_snapshots"]["premium_interactions"]
    assert body["token_based_billing"] is True
    assert (premium["entitlement"], premium["remaining"]) == (7000, 6997)
    assert premium["quota_remaining"] == pytest.approx(6997.5)
    assert premium["credits_used"] == pytest.approx(2.5)
    assert body["quota_snapshots"]["chat"]["unlimited"] is True


def test_a_legacy_account_shows_premium_requests_even_below_nought(sim: SimulatorServer, client: httpx.Client) -> None:
    body = document(sim, client, "legacy-exhausted")
    premium = body["quota_snapshots"]["premium_interactions"]
    assert "token_based_billing" not in body
    assert (premium["entitlement"], premium["remaining"]) == (300, -1)
    assert premium["percent_remaining"] == pytest.approx(-1 / 3)
    assert "has_quota" not in premium


def test_the_old_free_shape_has_no_snapshots(sim: SimulatorServer, client: httpx.Client) -> None:
    body = document(sim, client, "free-old")
    assert "quota_snapshots" not in body
    assert body["limited_user_quotas"] == {"chat": 490, "completions": 4000}
    assert body["monthly_quotas"] == {"chat": 500, "completions": 4000}
    token = get(sim, client, EXCHANGE, "free-old").json()
    assert token["limited_user_quotas"]["chat"] == 490
    assert isinstance(token["limited_user_reset_date"], int)


def test_the_new_free_shape_counts_chat(sim: SimulatorServer, client: httpx.Client) -> None:
    snapshots = document(sim, client, "free")["quota_snapshots"]
    assert (snapshots["chat"]["entitlement"], snapshots["completions"]["entitlement"]) == (200, 2000)
    assert (snapshots["premium_interactions"]["entitlement"], snapshots["premium_interactions"]["unlimited"]) == (
        0,
        False,
    )


def test_the_user_document_may_disagree_or_lack_its_snapshots(sim: SimulatorServer, client: httpx.Client) -> None:
    assert document(sim, client, "enterprise")["endpoints"]["api"] == f"{sim.url}/copilot-business"
    assert get(sim, client, EXCHANGE, "enterprise").json()["endpoints"]["api"] == f"{sim.url}/copilot-enterprise"
    sim.control("POST", "account/credits", {"user_shape": "bare"})
    assert "quota_snapshots" not in document(sim, client, "credits")
