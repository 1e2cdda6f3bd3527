"""Counting tokens at the doors: for any model, without a word to the upstream and without a row in the ledger."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest

from tests.gateway import Gateway
from tests.proxy.asking import HELLO
from tests.simulator.server import SimulatorServer

CLAUDE = {"anthropic-version": "2023-06-01"}
TOOL = {"name": "read", "description": "Reads a file.", "input_schema": {"type": "object", "properties": {}}}


def count(http: httpx.Client, **fields: Any) -> httpx.Response:
    body = {"model": "claude-sonnet-4-5", "messages": HELLO, **fields}
    return http.post("/v1/messages/count_tokens?beta=true", json=body, headers=CLAUDE)


@pytest.mark.parametrize(
    "model",
    ["claude-sonnet-4-5-20250929", "claude-opus-4-8[1m]", "gpt-5.5", "grok-4.7", "no-such-model", "provider/x.y"],
)
def test_any_model_is_counted_for(http: httpx.Client, model: str) -> None:
    answer = count(http, model=model)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"input_tokens"}
    assert 0 < answer.json()["input_tokens"] < 50


def test_all_that_a_request_may_hold_is_counted(http: httpx.Client) -> None:
    bare = count(http).json()["input_tokens"]
    full = count(
        http,
        system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        tools=[TOOL],
        tool_choice={"type": "auto"},
        thinking={"type": "enabled", "budget_tokens": 2048},
    )
    assert full.json()["input_tokens"] > bare + 346


def test_responses_are_counted_at_their_own_door(http: httpx.Client) -> None:
    answer = http.post(
        "/v1/responses/input_tokens", json={"model": "gpt-5.5", "input": "Hello there", "instructions": "Be brief."}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["object"] == "response.input_tokens"
    assert 8 <= answer.json()["input_tokens"] < 30


def test_nothing_goes_upstream_and_nothing_is_booked(
    http: httpx.Client, gateway: Gateway, simulator: SimulatorServer
) -> None:
    rows, heard = len(gateway.rows()), len(simulator.world.log)
    assert count(http).status_code == 200
    assert (len(gateway.rows()), len(simulator.world.log)) == (rows, heard)


def test_a_context_window_of_thirteen_questions_is_counted_within_a_second(gateway: Gateway) -> None:
    body = {
        "model": "claude-opus-4-8",
        "system": "You are careful and brief. " * 2000,
        "messages": [{"role": "user", "content": "def f(x):\n    return x + 1\n" * 2000}],
        "tools": [TOOL | {"name": f"tool_{number}"} for number in range(30)],
    }

    async def ask_all() -> list[httpx.Response]:
        headers = CLAUDE | {"x-api-key": gateway.key}
        async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=30, trust_env=False) as client:
            await client.get("/v1/models")
            started = time.monotonic()
            answers = await asyncio.gather(*(client.post("/v1/messages/count_tokens", json=body) for _ in range(13)))
            assert time.monotonic() - started < 1
            return answers

    answers = asyncio.run(ask_all())
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["input_tokens"] for answer in answers}) == 1
    assert answers[0].json()["input_tokens"] > 30_000


@pytest.mark.parametrize(
    ("fields", "status", "kind"),
    [
        ({"messages": "Hello"}, 400, "invalid_request_error"),
        ({"messages": []}, 400, "invalid_request_error"),
        ({"model": ""}, 400, "invalid_request_error"),
        ({"system": 3}, 400, "invalid_request_error"),
    ],
)
def test_faults_are_told_as_claude_clients_expect(
    http: httpx.Client, fields: dict[str, Any], status: int, kind: str
) -> None:
    answer = count(http, **fields)
    assert answer.status_code == status
    assert answer.json()["type"] == "error"
    assert answer.json()["error"]["type"] == kind


def test_a_key_is_needed_and_another_method_is_refused(gateway: Gateway, http: httpx.Client) -> None:
    answer = httpx.post(f"{gateway.url}/v1/messages/count_tokens", json={}, trust_env=False)
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
    assert http.get("/v1/messages/count_tokens").status_code == 405
