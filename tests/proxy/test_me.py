"""`GET /v1/me`: what a key may do, what is used of it, and what is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.gateway import Gateway
from tests.proxy.asking import ask, error_of
from tests.proxy.second_process import SecondProcess

CREDIT = 1_000_000_000


@pytest.fixture(scope="module")
def other(gateway: Gateway) -> Iterator[SecondProcess]:
    process = SecondProcess(gateway)
    yield process
    process.stop()


@pytest.fixture(scope="module")
def mo(gateway: Gateway, other: SecondProcess) -> Iterator[httpx.Client]:
    """A member of a team, with a key that has limits and budgets around it."""
    secret = other.run(
        "team = Team.objects.create(name='Platform', models=['gpt-*'], requests_per_minute=100, "
        "addresses=['127.0.0.0/8'])\n"
        "mo = Member.objects.create_user('mo', team=team)\n"
        "key, text = ApiKey.objects.issue(mo, 'laptop', doors=['chat'], requests_per_minute=50, "
        "tokens_per_minute=20000, concurrent_requests=4, expires_at=now() + timedelta(days=9))\n"
        f"Budget.objects.create(scope='key', key=key, span='day', limit_nano=5 * {CREDIT})\n"
        f"Budget.objects.create(scope='team', team=team, span='month', hard=False, limit_nano={CREDIT})\n"
        f"Budget.objects.create(scope='installation', span='week', limit_nano={CREDIT * 2**33})\n"
        f"Budget.objects.create(scope='member', member=Member.objects.get(username='owner'), limit_nano=1)\n"
        f"Budget.objects.create(scope='member', member=mo, limit_nano=1, active=False)\n"
        "print(text)"
    )
    with httpx.Client(base_url=gateway.url, headers={"x-api-key": secret}, timeout=20, trust_env=False) as http:
        until(lambda: http.get("/v1/me").status_code == 200)
        yield http


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)


def me(http: httpx.Client) -> dict[str, Any]:
    answer = http.get("/v1/me")
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-store"
    return dict(answer.json())


def test_the_key_its_limits_and_whose_it_is_are_told(mo: httpx.Client) -> None:
    told = me(mo)
    key = told["key"]
    assert (told["object"], told["member"]) == ("me", {"name": "mo"})
    assert (key["name"], key["doors"], key["models"], key["addresses"]) == ("laptop", ["chat"], [], [])
    assert key["hint"].startswith("brg_")
    assert len(key["hint"]) < 20
    ends, made = datetime.fromisoformat(key["expires_at"]), datetime.fromisoformat(key["created_at"])
    assert 8 <= (ends - made).days <= 9
    assert key["limits"]["concurrent_requests"] == {"limit": 4, "used": 0, "left": 4}
    team = told["team"]
    assert (team["name"], team["models"], team["addresses"]) == ("Platform", ["gpt-*"], ["127.0.0.0/8"])
    assert team["limits"]["tokens_per_minute"] is None


def test_what_a_request_used_is_seen_in_limits_budgets_and_today(mo: httpx.Client) -> None:
    before = me(mo)
    answer = ask(mo, "How much is it?")
    assert answer.status_code == 200, answer.text
    nano = int(Decimal(answer.headers["x-bridge-cost"]) * CREDIT)
    assert nano > 0
    tokens = answer.json()["usage"]["total_tokens"]
    until(lambda: me(mo)["today"]["cost"]["nano"] == before["today"]["cost"]["nano"] + nano)
    after = me(mo)
    limits = after["key"]["limits"]
    assert limits["requests_per_minute"]["used"] == before["key"]["limits"]["requests_per_minute"]["used"] + 1
    assert limits["tokens_per_minute"]["used"] == before["key"]["limits"]["tokens_per_minute"]["used"] + tokens
    assert after["team"]["limits"]["requests_per_minute"]["used"] == limits["requests_per_minute"]["used"]
    assert after["today"]["requests"]["settled"] == before["today"]["requests"]["settled"] + 1
    assert sum(after["today"]["tokens"].values()) == sum(before["today"]["tokens"].values()) + tokens
    pairs = zip(after["budgets"], before["budgets"], strict=True)
    spent = [now["settled"]["nano"] - then["settled"]["nano"] for now, then in pairs]
    assert spent == [nano] * 3
    for budget in after["budgets"]:
        assert budget["left"]["nano"] == budget["limit"]["nano"] - budget["settled"]["nano"]
        assert budget["reserved"] == {"credits": "0.000000000", "nano": 0}


def test_every_active_budget_in_scope_is_told_and_no_other(mo: httpx.Client) -> None:
    budgets = me(mo)["budgets"]
    assert [(budget["scope"], budget["span"], budget["hard"]) for budget in budgets] == [
        ("key", "day", True), ("team", "month", False), ("installation", "week", True),
    ]  # fmt: skip
    assert "laptop" in budgets[0]["for"]
    assert budgets[1]["for"] == "Platform"
    assert budgets[0]["limit"] == {"credits": "5.000000000", "nano": 5 * CREDIT}
    assert budgets[2]["limit"]["credits"] == f"{2**33}.000000000"
    resets = [datetime.fromisoformat(budget["resets_at"]) for budget in budgets]
    assert all(at.utcoffset() is not None and (at.hour, at.minute) == (0, 0) for at in resets)
    assert (resets[1].day, resets[2].weekday()) == (1, 0)


def test_the_seat_that_would_serve_and_what_is_left_of_it_are_told(mo: httpx.Client) -> None:
    assert ask(mo, "Tell me the quota").status_code == 200
    until(lambda: bool(me(mo)["seat"]["quota"]))
    seat = me(mo)["seat"]
    assert (seat["state"], seat["reason"]) == ("active", "")
    assert "credits" in seat["name"]
    assert {"name", "unlimited", "entitlement", "remaining", "percent_remaining", "reset_at"} == set(seat["quota"][0])
    assert datetime.fromisoformat(seat["quota_seen_at"]).tzinfo is not None


def test_without_a_seat_the_reason_says_what_to_do(mo: httpx.Client, other: SecondProcess) -> None:
    other.run("seat = Seat.objects.get(); seat.disable('holidays')")
    try:
        until(lambda: me(mo)["seat"]["name"] is None)
        seat = me(mo)["seat"]
        assert (seat["state"], seat["quota"], seat["quota_seen_at"]) == (None, [], None)
        assert "switched off" in seat["reason"]
    finally:
        other.run("seat.revive()")


def test_an_owner_without_a_team_and_limits_has_none(http: httpx.Client) -> None:
    told = me(http)
    assert told["team"] is None
    assert set(told["key"]["limits"].values()) == {None}
    assert told["key"]["expires_at"] is None


def test_refusals_have_the_callers_shape(gateway: Gateway, http: httpx.Client) -> None:
    error_of(httpx.get(f"{gateway.url}/v1/me", trust_env=False), 401, "invalid_api_key")
    error_of(http.post("/v1/me"), 405, "method_not_allowed")
    claude = httpx.get(f"{gateway.url}/v1/me", headers={"anthropic-version": "2023-06-01"}, trust_env=False)
    assert claude.json()["error"]["type"] == "authentication_error"
    assert http.head("/v1/me").status_code == 200
    assert http.head("/v1/me").content == b""
