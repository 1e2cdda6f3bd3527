"""What an answer costs, what its headers say of the quota, and how an account runs dry."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs

import httpx
import pytest

from tests.simulator.accounts import Account, Era, presets
from tests.simulator.billing import charge
from tests.simulator.catalogue import Prices
from tests.simulator.catalogue_rows import MODELS
from tests.simulator.server import SimulatorServer
from tests.simulator.wire import Request

BY_ID = {model.id: model for model in MODELS}


@dataclass(frozen=True)
class Bill:
    nano_aiu: int


def a_request(initiator: str | None) -> Request:
    headers = {} if initiator is None else {"x-initiator": initiator}
    return Request("POST", "/chat/completions", {}, headers, b"{}", "copilot", "", 1)


def ask(
    sim: SimulatorServer, client: httpx.Client, login: str, model: str = "gpt-4o", **headers: str
) -> httpx.Response:
    bearer = {"authorization": f"Bearer {sim.token(login)}", "editor-version": "vscode/1.104.3"}
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
    return client.post(f"{sim.copilot_url}/chat/completions", json=body, headers={**bearer, **headers})


def test_credits_are_charged_whoever_began() -> None:
    account = presets()["credits"]
    for initiator in ("user", "agent", None):
        assert charge(account, a_request(initiator), BY_ID["claude-opus-5"], Bill(2_000_000_000)) == 2_000_000_000
    assert account.used == 6.0
    assert account.remaining == 6994.0


@pytest.mark.parametrize(
    ("initiator", "model", "cost"),
    [
        ("user", "claude-sonnet-4.6", 1),
        ("user", "claude-opus-4.5", 3),
        ("user", "claude-haiku-4.5", 0.33),
        ("user", "gpt-4.1", 0),
        (None, "claude-sonnet-4.6", 1),
        ("agent", "claude-opus-4.5", 0),
    ],
)
def test_premium_requests_are_charged_to_the_user_times_the_multiplier(
    initiator: str | None, model: str, cost: float
) -> None:
    account = presets()["legacy"]
    assert charge(account, a_request(initiator), BY_ID[model], Bill(5)) == 0
    assert account.premium_requests == cost
    assert account.nano_aiu == 0


def test_a_free_account_pays_in_messages_of_the_user() -> None:
    account = presets()["free"]
    charge(account, a_request("user"), BY_ID["gpt-4.1"], None)
    charge(account, a_request("agent"), BY_ID["gpt-4.1"], None)
    assert (account.chat_messages, account.remaining) == (1, 199)


def test_prices_are_nano_aiu_and_rise_with_the_prompt() -> None:
    assert BY_ID["claude-opus-5"].prices_for(10) == Prices(500 * 10**9, 50 * 10**9, 625 * 10**9, 2500 * 10**9)
    assert BY_ID["gpt-6-sol"].prices_for(272_000).input == 200 * 10**9
    assert BY_ID["gpt-6-sol"].prices_for(272_001).input == 400 * 10**9
    assert BY_ID["gpt-5-mini"].prices_for(5).cache_write == BY_ID["gpt-5-mini"].prices_for(5).input


def test_the_first_tier_also_counts_for_nothing_at_all() -> None:
    assert all(model.prices_for(0) == model.tiers[0].prices() for model in MODELS)


def test_good_answers_carry_the_quota_url_encoded(sim: SimulatorServer, client: httpx.Client) -> None:
    headers = ask(sim, client, "credits").headers
    line = headers["x-quota-snapshot-premium_interactions"]
    assert "%3A" in line
    said = parse_qs(line)
    assert (said["ent"], said["rem"], said["ovPerm"]) == (["7000"], ["100.0"], ["false"])
    assert said["rst"][0].endswith("-01T00:00:00Z")
    assert parse_qs(headers["x-quota-snapshot-chat"])["ent"] == ["-1"]
    assert parse_qs(headers["x-usage-ratelimit-session"])["rem"] == ["94.2"]
    assert parse_qs(headers["x-usage-ratelimit-weekly"])["rem"] == ["78.5"]


@pytest.mark.parametrize(
    ("login", "present", "absent"),
    [
        ("legacy", "x-quota-snapshot-premium_models", "x-quota-snapshot-premium_interactions"),
        ("business", "x-quota-snapshot-premium_interactions", "x-quota-snapshot-premium_models"),
        ("free", "x-quota-snapshot-chat", "x-quota-snapshot-premium_interactions"),
    ],
)
def test_the_counted_header_depends_on_the_billing(
    sim: SimulatorServer, client: httpx.Client, login: str, present: str, absent: str
) -> None:
    headers = ask(sim, client, login).headers
    assert present in headers
    assert absent not in headers


def test_refusals_carry_no_quota(sim: SimulatorServer, client: httpx.Client) -> None:
    headers = ask(sim, client, "credits", "nothing").headers
    assert not [name for name in headers if "quota" in name or "ratelimit" in name]


def left(answer: httpx.Response) -> float:
    return float(parse_qs(answer.headers["x-quota-snapshot-premium_models"])["totRem"][0])


def test_the_headers_lag_by_some_answers(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.control("POST", "settings", {"quota_lag": 2})
    seen = [left(ask(sim, client, "legacy", "claude-sonnet-4.5")) for _ in range(4)]
    assert seen == [288.0, 288.0, 288.0, 287.0]
    sim.control("POST", "settings", {"quota_lag": 0})
    assert left(ask(sim, client, "legacy", "claude-sonnet-4.5")) == 284.0


def test_an_answer_is_billed_and_a_refusal_is_not(sim: SimulatorServer, client: httpx.Client) -> None:
    ask(sim, client, "credits")
    once = sim.control("GET", "billing")["credits"]
    ask(sim, client, "credits", "nothing")
    sim.ask({"refuse": "server_error"}, account="credits")
    sim.token("legacy")
    assert once["answers"] == 1
    assert once["nano_aiu"] > 0
    assert sim.control("GET", "billing")["credits"]["nano_aiu"] == once["nano_aiu"]


@pytest.mark.parametrize(("login", "code"), [("exhausted", "quota_exceeded"), ("legacy-exhausted", "quota_exceeded")])
def test_an_exhausted_account_gets_402_without_a_hint(
    sim: SimulatorServer, client: httpx.Client, login: str, code: str
) -> None:
    answer = ask(sim, client, login, "claude-sonnet-4.5")
    assert answer.status_code == 402
    assert answer.json() == {"error": {"code": code, "message": "You have no quota"}}
    assert "retry-after" not in answer.headers
    assert sim.world.accounts[login].answers == 0


def test_a_free_account_has_its_own_code(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.control("POST", "account/free", {"state": "exhausted"})
    assert ask(sim, client, "free").json()["error"]["code"] == "free_quota_exceeded"


def test_the_included_model_goes_on_when_premium_requests_are_gone(sim: SimulatorServer, client: httpx.Client) -> None:
    assert ask(sim, client, "legacy-exhausted", "gpt-4.1").status_code == 200
    assert ask(sim, client, "exhausted", "gpt-4.1").status_code == 402


def test_overage_lets_an_account_go_on(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.control("POST", "account/exhausted", {"overage_permitted": True, "used_before": 7010.0})
    assert ask(sim, client, "exhausted").status_code == 200
    token = sim.world.accounts["exhausted"].github_token
    user = client.get(f"{sim.api_url}/copilot_internal/user", headers={"authorization": f"token {token}"}).json()
    premium = user["quota_snapshots"]["premium_interactions"]
    assert (premium["remaining"], premium["overage_count"]) == (0, 10)


def test_an_account_is_used_up_by_its_own_answers(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.control("POST", "account/legacy", {"entitlement": 14.0})
    codes = [ask(sim, client, "legacy", "claude-sonnet-4.5").status_code for _ in range(3)]
    assert codes == [200, 200, 402]


def test_a_rate_limited_account_is_told_to_wait(sim: SimulatorServer, client: httpx.Client) -> None:
    answer = ask(sim, client, "limited")
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "30.0"
    assert answer.json()["error"]["code"] == "user_global_rate_limited:pro"


def test_an_unlimited_entitlement_never_ends() -> None:
    account = Account("x", 1, billing=Era.CREDITS, entitlement=-1.0, nano_aiu=10**15)
    assert not account.is_out_of_quota
