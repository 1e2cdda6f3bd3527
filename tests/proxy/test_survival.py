"""What must hold when processes die, clients leave and tokens lapse: every begun answer has its row, one renewal."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import httpx
import pytest

from tests.gateway import Gateway
from tests.proxy.conftest import new_gateway
from tests.simulator.server import SimulatorServer

STREAMS = 50


def stream_body(question: str, shape: str = "n=600,d=40,s=60") -> dict[str, object]:
    return {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": f"{question} @@{shape}@@"}]}


async def begin(client: httpx.AsyncClient, number: int, seen: dict[str, int]) -> None:
    """Read one stream until it breaks; note its request id as soon as a first byte came."""
    try:
        async with client.stream("POST", "/v1/chat/completions", json=stream_body(f"story {number}")) as answer:
            async for _ in answer.aiter_bytes():
                seen[answer.headers["x-request-id"]] = seen.get(answer.headers["x-request-id"], 0) + 1
    except httpx.TransportError:
        pass  # that is what a killed server looks like


async def kill_amid_streams(gateway: Gateway) -> dict[str, int]:
    """Begin STREAMS streams, kill the server when all have begun; returns request id -> packets seen."""
    seen: dict[str, int] = {}
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=gateway.url, headers={"x-api-key": gateway.key}, timeout=30, limits=limits, trust_env=False
    ) as client:
        tasks = [asyncio.create_task(begin(client, number, seen)) for number in range(STREAMS)]
        deadline = time.monotonic() + 20
        while len(seen) < STREAMS:
            assert time.monotonic() < deadline, f"only {len(seen)} streams began"
            await asyncio.sleep(0.02)
        await asyncio.to_thread(gateway.kill)
        await asyncio.gather(*tasks)
    return seen


async def test_kill_9_amid_fifty_streams_leaves_a_row_for_each_and_a_restart_marks_them(
    simulator: SimulatorServer, tmp_path: Path
) -> None:
    gateway = new_gateway(tmp_path, simulator, "credits")
    try:
        gateway.serve()
        seen = await kill_amid_streams(gateway)
        assert len(seen) == STREAMS
        assert {gateway.row(request_id)["status"] for request_id in seen} == {"open"}
        gateway.serve()
        deadline = time.monotonic() + 5
        while {gateway.row(request_id)["status"] for request_id in seen} != {"abandoned"}:
            assert time.monotonic() < deadline, "rows left open were not marked"
            await asyncio.sleep(0.05)
        rows = gateway.rows()
        assert len(rows) == STREAMS, "opened = abandoned, to the row"
        assert all(row["settled_at"] for row in rows)
        assert "50 ledger rows" in gateway.log.read_text()
    finally:
        gateway.stop()


async def ask_all(gateway: Gateway, count: int) -> list[int]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=gateway.url, headers={"x-api-key": gateway.key}, timeout=60, limits=limits, trust_env=False
    ) as client:
        bodies = [{"model": "gpt-4o", "messages": [{"role": "user", "content": f"Hello {n}"}]} for n in range(count)]
        answers = await asyncio.gather(*(client.post("/v1/chat/completions", json=body) for body in bodies))
    return [answer.status_code for answer in answers]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("how", ["expired by the clock", "refused with 401"])
async def test_a_hundred_requests_against_an_expired_token_make_one_exchange(
    simulator: SimulatorServer, tmp_path: Path, how: str, workers: int
) -> None:
    simulator.control("POST", "reset")
    # Nothing listens at that address of Redis: renewals agree through the database alone.
    several = {"WEB_CONCURRENCY": str(workers), "REDIS_URL": "redis://127.0.0.1:1/0"} if workers > 1 else {}
    gateway = new_gateway(tmp_path, simulator, "credits", **several)
    try:
        if how == "expired by the clock":
            past = "2026-01-01 00:00:00"
            gateway.serve()
            assert await ask_all(gateway, 1) == [200]
            gateway.stop()
            gateway.execute("UPDATE accounts_seat SET copilot_expires_at = ?, copilot_renew_at = ?", past, past)
            gateway.serve()
        else:
            gateway.serve()
            assert await ask_all(gateway, 1) == [200]
            simulator.control("POST", "token/revoke", {"account": "credits"})
        before = simulator.control("GET", "account/credits")["exchanges"]
        assert await ask_all(gateway, 100) == [200] * 100
        assert simulator.control("GET", "account/credits")["exchanges"] == before + 1
    finally:
        gateway.stop()


def test_a_restart_uses_the_stored_token_and_model_list(simulator: SimulatorServer, tmp_path: Path) -> None:
    gateway = new_gateway(tmp_path, simulator, "credits")
    try:
        gateway.serve()
        assert asyncio.run(ask_all(gateway, 1)) == [200]
        gateway.stop()
        seen = len(simulator.world.log)
        gateway.serve()
        assert asyncio.run(ask_all(gateway, 1)) == [200]
        assert [entry.request.path for entry in simulator.world.log[seen:]] == ["/chat/completions"]
    finally:
        gateway.stop()


@pytest.mark.parametrize("streamed", [True, False])
def test_a_client_that_leaves_cancels_upstream_within_a_second_and_has_its_row(
    gateway: Gateway, simulator: SimulatorServer, streamed: bool
) -> None:
    body = stream_body(f"leave {streamed}") | {"stream": streamed}
    seen = len(simulator.world.log)
    with httpx.Client(base_url=gateway.url, headers={"x-api-key": gateway.key}, trust_env=False) as client:
        if streamed:
            with client.stream("POST", "/v1/chat/completions", json=body) as answer:
                next(answer.iter_bytes())
        else:
            with pytest.raises(httpx.ReadTimeout):
                client.post("/v1/chat/completions", json=body, timeout=0.5)
    left = time.monotonic()
    entry = next(entry for entry in simulator.world.log[seen:] if entry.request.path == "/chat/completions")
    while entry.outcome == "open":
        assert time.monotonic() - left < 1.0, "the upstream request went on for more than a second"
        time.sleep(0.01)
    assert entry.outcome == "cancelled"
    row = gateway.wait_row("status = 'cancelled'")
    assert row["error_code"] == "client_closed_request"
    assert row["cost_source"] == "estimated"
    assert row["output_tokens"] > 0


@pytest.mark.parametrize("streamed", [True, False])
def test_a_request_that_is_left_before_the_first_word_counts_for_what_was_read(
    gateway: Gateway, streamed: bool
) -> None:
    body = stream_body(f'thinking {streamed} @sim{{"ttft_ms": 20000}}', "n=2,d=0,s=60") | {"stream": streamed}
    with (
        httpx.Client(base_url=gateway.url, headers={"x-api-key": gateway.key}, trust_env=False) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.post("/v1/chat/completions", json=body, timeout=0.5)
    row = gateway.wait_row(f"status = 'cancelled' AND streamed = {int(streamed)} AND first_byte_ms IS NULL")
    assert row["cost_source"] == "estimated"
    assert row["input_tokens"] > 10
    assert row["output_tokens"] == 0
    assert row["nano_computed"] > 0


def test_sigterm_lets_running_streams_end_by_themselves(simulator: SimulatorServer, tmp_path: Path) -> None:
    gateway = new_gateway(tmp_path, simulator, "credits")
    gateway.serve()
    with (
        httpx.Client(base_url=gateway.url, headers={"x-api-key": gateway.key}, timeout=30, trust_env=False) as client,
        client.stream("POST", "/v1/chat/completions", json=stream_body("drain", "n=30,d=50,s=60")) as answer,
    ):
        lines = answer.iter_lines()
        next(lines)
        gateway.terminate()
        rest = [line for line in lines if line]
    gateway.stop()
    assert rest[-1] == "data: [DONE]"
    assert gateway.row(answer.headers["x-request-id"])["status"] == "settled"
    assert gateway.query("SELECT stopped_at FROM accounts_instance")[0]["stopped_at"] is not None


def test_a_full_disk_on_the_ledger_refuses_new_requests_and_loses_nothing(
    simulator: SimulatorServer, tmp_path: Path
) -> None:
    gateway = new_gateway(tmp_path, simulator, "credits")
    try:
        gateway.serve()
        with httpx.Client(
            base_url=gateway.url, headers={"x-api-key": gateway.key}, timeout=30, trust_env=False
        ) as client:
            with client.stream("POST", "/v1/chat/completions", json=stream_body("full", "n=60,d=40,s=60")) as answer:
                lines = answer.iter_lines()
                next(lines)
                gateway.fill_disk()
                sent = len(simulator.world.log)
                refused = client.post("/v1/chat/completions", json=stream_body("refused"))
                assert refused.status_code == 503
                assert int(refused.headers["retry-after"]) > 0
                assert refused.json()["error"]["code"] == "overloaded"
                assert len(simulator.world.log) == sent, "went upstream without a ledger row"
                assert client.get("/readyz").status_code == 503
                rest = [line for line in lines if line]
            assert rest[-1] == "data: [DONE]", "an answer that was paid for did not reach its client"
            gateway.free_disk()
            deadline = time.monotonic() + 10
            while gateway.row(answer.headers["x-request-id"])["status"] != "settled":
                assert time.monotonic() < deadline, "the kept settlement was not written"
                time.sleep(0.05)
            again = client.post("/v1/chat/completions", json=stream_body("again", "n=2,d=0,s=60"))
            assert again.status_code == 200
    finally:
        gateway.stop()


def test_silence_is_bridged_by_comments(simulator: SimulatorServer, tmp_path: Path) -> None:
    gateway = new_gateway(tmp_path, simulator, "credits", BRIDGE_KEEPALIVE_SECONDS="0.2", BRIDGE_HEAD_SECONDS="0.5")
    wish = json.dumps({"fault": "slow_headers", "seconds": 1.5})
    body = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": f"Hello @sim{wish}"}]}
    try:
        gateway.serve()
        with httpx.Client(
            base_url=gateway.url, headers={"x-api-key": gateway.key}, timeout=30, trust_env=False
        ) as client:
            client.get("/v1/models")
            began = time.monotonic()
            with client.stream("POST", "/v1/chat/completions", json=body) as answer:
                assert time.monotonic() - began < 1.2, "the head waited for the upstream's status beyond its limit"
                lines = [line for line in answer.iter_lines() if line]
        assert lines[0] == ": keep-alive"
        assert lines.count(": keep-alive") >= 3
        assert lines[-1] == "data: [DONE]"
    finally:
        gateway.stop()
