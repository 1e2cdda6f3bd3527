"""Budgets at the doors of a running gateway: who is refused, in which words, and how far a hundred overshoot."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.gateway import Gateway
from tests.proxy.asking import HELLO, ask, error_of

CREDIT = 10**9
DOORS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"model": "gpt-5-mini", "messages": HELLO}),
    "responses": ("/v1/responses", {"model": "gpt-5-mini", "input": "Hello"}),
    "messages": ("/v1/messages", {"model": "gpt-5-mini", "max_tokens": 50, "messages": HELLO}),
    "embeddings": ("/v1/embeddings", {"model": "text-embedding-3-small", "input": "Hello"}),
}


def a_budget(gateway: Gateway, nano: int, **fields: Any) -> int:
    """A budget; returns when the running gateway holds to it, if it is a hard one."""
    told = {"limit_nano": nano, "scope": "installation", "span": "month", **fields}
    code = f"from accounts.models import Budget; print(Budget.objects.create(**{told!r}).pk)"
    number = int(gateway.manage("shell", "--no-imports", "-c", code))
    if told.get("hard", True):
        _until(gateway, is_held_to=True)
    return number


def _until(gateway: Gateway, *, is_held_to: bool) -> None:
    """Until the gateway holds requests to a budget, or to none."""
    deadline = time.monotonic() + 20
    while _is_held_to(gateway) is not is_held_to:
        assert time.monotonic() < deadline, "the gateway never heard of it"
        time.sleep(0.1)


def _is_held_to(gateway: Gateway) -> bool:
    """Whether a request, which costs nothing because the upstream refuses it, is reserved for or refused."""
    wish = json.dumps({"fault": "status", "status": 422, "code": "content_filter"})
    body = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": f"{time.time()} @sim{wish}"}]}
    headers = {"authorization": f"Bearer {gateway.key}"}
    answer = httpx.post(f"{gateway.url}/v1/chat/completions", json=body, headers=headers, timeout=30, trust_env=False)
    row = gateway.row(answer.headers["x-request-id"])
    assert answer.status_code in {400, 429}
    return bool(row["error_code"] == "insufficient_quota" or row["reserved_nano"])


@pytest.fixture(autouse=True)
def no_budgets(gateway: Gateway) -> Iterator[None]:
    yield
    gateway.manage("shell", "--no-imports", "-c", "from accounts.models import Budget; Budget.objects.all().delete()")
    _until(gateway, is_held_to=False)


@pytest.mark.parametrize("door", ["chat", "responses", "embeddings"])
def test_a_spent_budget_is_a_429_that_no_client_retries(gateway: Gateway, http: httpx.Client, door: str) -> None:
    a_budget(gateway, 0)
    path, body = DOORS[door]
    answer = http.post(path, json=body)
    sentence = error_of(answer, 429, "insufficient_quota")
    assert answer.headers["x-should-retry"] == "false"
    assert "The budget of 0 credits per month for installation is used up" in sentence
    assert "It resets at " in sentence
    row = gateway.row(answer.headers["x-request-id"])
    assert (row["status"], row["http_status"], row["error_code"]) == ("refused", 429, "insufficient_quota")


@pytest.mark.parametrize("streamed", [False, True])
def test_on_messages_it_is_a_402_billing_error(gateway: Gateway, http: httpx.Client, streamed: bool) -> None:
    a_budget(gateway, 0, span="day")
    path, body = DOORS["messages"]
    answer = http.post(path, json={**body, "stream": streamed})
    assert answer.status_code == 402
    assert answer.headers["x-should-retry"] == "false"
    assert answer.json()["type"] == "error"
    assert answer.json()["error"]["type"] == "billing_error"


def test_nothing_goes_upstream_for_a_request_that_a_budget_refuses(gateway: Gateway, http: httpx.Client) -> None:
    a_budget(gateway, 1)
    answer = ask(http, model="gpt-5-mini")
    assert answer.status_code == 429
    assert gateway.row(answer.headers["x-request-id"])["attempts"] == 0


def test_a_hundred_at_once_overshoot_by_no_more_than_what_they_cost_beyond_their_reservations(
    gateway: Gateway, http: httpx.Client
) -> None:
    first = ask(http, "@@n=4,d=5,s=60@@", model="gpt-5-mini")
    cost = gateway.row(first.headers["x-request-id"])["nano_reported"]
    start = len(gateway.rows())
    spent = sum(row["nano_reported"] or 0 for row in gateway.rows())
    budget = a_budget(gateway, spent + 12 * cost)

    async def crowd() -> list[int]:
        headers = {"authorization": f"Bearer {gateway.key}"}
        async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=60, trust_env=False) as client:
            bodies = [
                {
                    "model": "gpt-5-mini",
                    "max_tokens": 100,
                    "messages": [{"role": "user", "content": f"{number} @@n=4,d=5,s=60@@"}],
                }
                for number in range(100)
            ]
            answers = await asyncio.gather(*(client.post("/v1/chat/completions", json=body) for body in bodies))
        return [answer.status_code for answer in answers]

    statuses = asyncio.run(crowd())
    assert set(statuses) == {200, 429}
    rows = gateway.rows()[start:]
    beyond = sum(max(0, row["nano_reported"] - row["reserved_nano"]) for row in rows if row["nano_reported"])
    period = gateway.query("SELECT * FROM accounts_budgetperiod WHERE budget_id = ?", budget)[0]
    total = sum(row["nano_reported"] or 0 for row in gateway.rows())
    assert period["settled_nano"] == total <= spent + 12 * cost + beyond
    assert period["reserved_nano"] == 0
    assert all(row["reserved_nano"] > 0 for row in rows if row["status"] == "settled")


def test_a_crowd_that_is_turned_away_is_warned_of_once(gateway: Gateway, http: httpx.Client) -> None:
    a_budget(gateway, 0)
    for _ in range(3):
        ask(http, model="gpt-5-mini")
    warnings = gateway.query("SELECT percent FROM accounts_budgetwarning ORDER BY percent")
    assert [warning["percent"] for warning in warnings] == [80, 100]


def test_a_soft_budget_lets_everything_pass(gateway: Gateway, http: httpx.Client) -> None:
    a_budget(gateway, 0, hard=False)
    assert ask(http, model="gpt-5-mini").status_code == 200


def test_a_stream_that_is_cut_off_gives_its_reservation_back(gateway: Gateway) -> None:
    budget = a_budget(gateway, 10**6 * CREDIT)
    body = {"model": "gpt-5-mini", "stream": True, "messages": [{"role": "user", "content": "@@n=50,d=100,s=60@@"}]}
    headers = {"authorization": f"Bearer {gateway.key}"}
    with httpx.stream(
        "POST", f"{gateway.url}/v1/chat/completions", json=body, headers=headers, timeout=30, trust_env=False
    ) as answer:
        next(answer.iter_bytes())
        held = gateway.query("SELECT reserved_nano FROM accounts_budgetperiod WHERE budget_id = ?", budget)
        assert held[0]["reserved_nano"] > 0
        request_id = answer.headers["x-request-id"]
    gateway.wait_row(f"status = 'cancelled' AND id = '{request_id.replace('-', '')}'")
    left = gateway.query("SELECT reserved_nano FROM accounts_budgetperiod WHERE budget_id = ?", budget)
    assert left[0]["reserved_nano"] == 0
