"""The fast upstream: answers as Copilot's do, and counts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from tests.simulator.fast import FastUpstream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CHAT = "/copilot/chat/completions"
BEARER = {"authorization": "Bearer tid=bench"}


@pytest.fixture
async def upstream() -> AsyncIterator[FastUpstream]:
    upstream = FastUpstream()
    await upstream.start()
    yield upstream
    upstream.stop()


@pytest.fixture
async def client(upstream: FastUpstream) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=upstream.url, headers=BEARER, trust_env=False) as client:
        yield client


def question(model: str, shape: str, *, streamed: bool = True) -> dict[str, Any]:
    message = {"role": "user", "content": f"{shape} @@tag=00000815@@"}
    return {"model": model, "stream": streamed, "messages": [message]}


def frames_of(answer: httpx.Response) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [msgspec.json.decode(line) for line in lines[:-1]]


async def settled(upstream: FastUpstream) -> None:
    """Return when no stream is open any more."""
    for _ in range(500):
        if not upstream.stats.streams_open:
            return
        await asyncio.sleep(0.01)
    pytest.fail("a stream stayed open")


async def test_the_token_leads_to_its_own_copilot_origin(upstream: FastUpstream, client: httpx.AsyncClient) -> None:
    token = (await client.get("/api/copilot_internal/v2/token")).json()
    assert token["endpoints"]["api"] == f"{upstream.url}/copilot"
    assert token["refresh_in"] < 1800
    assert (await client.get("/api/user")).json()["login"] == "bench"
    account = (await client.get("/api/copilot_internal/user")).json()
    assert account["quota_snapshots"]["premium_interactions"]["remaining"] > 0


async def test_the_model_list_offers_chat_and_embeddings(client: httpx.AsyncClient) -> None:
    models = {model["id"]: model for model in (await client.get("/copilot/models")).json()["data"]}
    assert models["gpt-4o"]["supported_endpoints"] == ["/chat/completions"]
    assert models["claude-sonnet-4.5"]["vendor"] == "Anthropic"
    assert models["text-embedding-3-small"]["capabilities"]["type"] == "embeddings"


async def test_clean_frames_are_those_of_openai(client: httpx.AsyncClient) -> None:
    frames = frames_of(await client.post(CHAT, json=question("gpt-4o", "@@n=3,d=1,s=300@@")))
    assert {frame["object"] for frame in frames} == {"chat.completion.chunk"}
    contents = [choice["delta"].get("content", "") for frame in frames for choice in frame["choices"]]
    assert [text[20:31] for text in contents if text] == ["@#00000815#"] * 3
    assert frames[-1]["choices"] == []
    assert frames[-1]["usage"]["completion_tokens"] == 3


async def test_quirky_frames_repeat_the_role_and_have_no_object(client: httpx.AsyncClient) -> None:
    frames = frames_of(await client.post(CHAT, json=question("claude-sonnet-4.5", "@@n=3,d=0,s=300@@")))
    assert not any("object" in frame for frame in frames)
    assert [frame["choices"][0]["delta"].get("role") for frame in frames] == ["assistant"] * 3 + [None]
    assert frames[-1]["usage"]["completion_tokens"] == 3
    assert frames[-1]["choices"][0]["finish_reason"] == "stop"


async def test_what_a_stream_costs_is_the_sum_of_its_tokens(client: httpx.AsyncClient) -> None:
    frames = frames_of(await client.post(CHAT, json=question("gpt-4o", "@@n=3,d=0,s=300@@")))
    usage = frames[-1]["copilot_usage"]
    costs = [part["token_count"] * part["cost_per_batch"] // part["batch_size"] for part in usage["token_details"]]
    assert usage["total_nano_aiu"] == sum(costs) > 0


@pytest.mark.parametrize("model", ["gpt-4o", "claude-sonnet-4.5"])
async def test_an_unstreamed_answer_is_about_a_kilobyte(client: httpx.AsyncClient, model: str) -> None:
    answer = await client.post(CHAT, json=question(model, "@@n=4,d=0,s=200@@", streamed=False))
    assert answer.json()["choices"][0]["message"]["content"].count("@#00000815#") == 4
    assert 900 < len(answer.content) < 1500


async def test_an_answer_of_no_chunks_still_ends(client: httpx.AsyncClient) -> None:
    frames = frames_of(await client.post(CHAT, json=question("claude-sonnet-4.5", "@@n=0,d=0,s=0@@")))
    assert [frame["choices"][0]["finish_reason"] for frame in frames] == ["stop"]


async def test_chunks_come_one_by_one(client: httpx.AsyncClient) -> None:
    async with client.stream("POST", CHAT, json=question("gpt-4o", "@@n=4,d=20,s=300@@")) as answer:
        packets = [packet async for packet in answer.aiter_raw()]
    assert len(packets) >= 4


async def test_copilot_is_not_spoken_to_without_a_bearer(client: httpx.AsyncClient) -> None:
    del client.headers["authorization"]
    for answer in (await client.post(CHAT, json={}), await client.get("/copilot/models")):
        assert answer.status_code == 401
        assert answer.headers["content-type"].startswith("text/plain")


async def test_other_doors_are_not_there(client: httpx.AsyncClient) -> None:
    for method, path in (("GET", "/copilot/nowhere"), ("POST", "/copilot/v1/messages"), ("POST", "/api/user")):
        answer = await client.request(method, path)
        assert (answer.status_code, answer.text) == (404, "404 page not found\n")


async def test_streams_and_connections_are_counted(upstream: FastUpstream, client: httpx.AsyncClient) -> None:
    asked = [client.post(CHAT, json=question("gpt-4o", "@@n=5,d=10,s=200@@")) for _ in range(3)]
    await asyncio.gather(*asked)
    await settled(upstream)
    stats = (await client.get("/_fast/stats")).json()
    assert (stats["streams"], stats["streams_peak"], stats["streams_open"]) == (3, 3, 0)
    assert stats["streams_cancelled"] == 0
    assert stats["connections_peak"] == 3
    assert stats["requests"] == 4


async def test_a_client_that_leaves_is_counted_as_cancelled(upstream: FastUpstream, client: httpx.AsyncClient) -> None:
    async with client.stream("POST", CHAT, json=question("gpt-4o", "@@n=1000,d=20,s=200@@")) as answer:
        await anext(answer.aiter_raw())
        assert upstream.stats.streams_open == 1
    await settled(upstream)
    assert upstream.stats.streams_cancelled == 1


async def test_a_slow_reader_holds_the_stream_up_and_gets_all_of_it(
    upstream: FastUpstream, client: httpx.AsyncClient
) -> None:
    chunks = 3000
    async with client.stream("POST", CHAT, json=question("gpt-4o", f"@@n={chunks},d=0,s=5000@@")) as answer:
        await asyncio.sleep(0.3)
        assert upstream.stats.streams_open == 1
        received = b"".join([packet async for packet in answer.aiter_raw()])
    assert received.count(b"@#00000815#") == chunks
    assert received.endswith(b"data: [DONE]\n\n")


async def test_requests_behind_a_running_stream_wait_for_its_end(upstream: FastUpstream) -> None:
    body = msgspec.json.encode(question("gpt-4o", "@@n=3,d=5,s=200@@"))
    head = f"POST {CHAT} HTTP/1.1\r\nAuthorization: Bearer x\r\nContent-Length: {len(body)}\r\n\r\n"
    stats = b"GET /_fast/stats HTTP/1.1\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(upstream.url).port)
    writer.write(head.encode() + body + stats)
    stream = await reader.readuntil(b"0\r\n\r\n")
    assert stream.count(b"@#00000815#") == 3
    assert b'"streams_open":0' in await reader.readuntil(b"}")
    writer.close()
    await writer.wait_closed()
