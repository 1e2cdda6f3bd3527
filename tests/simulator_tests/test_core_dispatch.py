"""Every generation path reaches its generator, is billed once, and is told apart in the log."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.simulator.server import SimulatorServer

HELLO = [{"role": "user", "content": "hello"}]


def headers(sim: SimulatorServer) -> dict[str, str]:
    return {"authorization": f"Bearer {sim.token('credits')}", "editor-version": "vscode/1.104.3"}


@pytest.mark.parametrize(
    ("path", "body", "key"),
    [
        ("/chat/completions", {"model": "gpt-4o", "messages": HELLO}, "choices"),
        ("/v1/messages", {"model": "claude-sonnet-4.6", "max_tokens": 50, "messages": HELLO}, "stop_reason"),
        ("/responses", {"model": "gpt-5.3-codex", "input": "hello", "store": False}, "output"),
        ("/v1/responses", {"model": "gpt-5.3-codex", "input": "hello", "store": False}, "output"),
        ("/embeddings", {"model": "text-embedding-3-small", "input": ["hello"]}, "data"),
    ],
)
def test_a_path_is_answered_by_its_generator_and_billed(
    sim: SimulatorServer, client: httpx.Client, path: str, body: dict[str, Any], key: str
) -> None:
    answer = client.post(f"{sim.copilot_url}{path}", json=body, headers=headers(sim))
    assert answer.status_code == 200
    assert key in answer.json()
    assert "x-quota-snapshot-premium_interactions" in answer.headers
    record = sim.world.log[-1]
    assert (record.account, record.model, record.request.path) == ("credits", body["model"], path)
    account = sim.world.accounts["credits"]
    assert account.answers == 1
    assert account.nano_aiu == answer.json()["copilot_usage"]["total_nano_aiu"]


def test_counting_tokens_is_free_and_open_to_an_exhausted_account(sim: SimulatorServer, client: httpx.Client) -> None:
    bearer = {**headers(sim), "authorization": f"Bearer {sim.token('exhausted')}"}
    body = {"model": "claude-sonnet-4.6", "messages": HELLO}
    answer = client.post(f"{sim.copilot_url}/v1/messages/count_tokens", json=body, headers=bearer)
    assert answer.json()["input_tokens"] > 0
    assert sim.world.accounts["exhausted"].answers == 0


def test_words_in_the_prompt_can_ask_for_a_refusal(sim: SimulatorServer, client: httpx.Client) -> None:
    wish = '@sim{"refuse": {"code": "model_overloaded", "retry_after": 3}}'
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": f"hello {wish}"}]}
    answer = client.post(f"{sim.copilot_url}/chat/completions", json=body, headers=headers(sim))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    assert sim.world.accounts["credits"].answers == 0


def test_a_client_that_leaves_a_stream_is_logged_as_cancelled(sim: SimulatorServer, client: httpx.Client) -> None:
    body = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": "@@n=200,d=20,s=100@@"}]}
    url = f"{sim.copilot_url}/chat/completions"
    with client.stream("POST", url, json=body, headers=headers(sim)) as answer:
        next(answer.iter_raw())
    until = time.monotonic() + 2
    while sim.world.log[-1].outcome == "open" and time.monotonic() < until:
        time.sleep(0.01)
    assert sim.world.log[-1].outcome == "cancelled"
    assert sim.world.log[-1].status == 200
