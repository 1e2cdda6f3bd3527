"""What holds at every door of the LLM API, and what is peculiar to the newer ones."""

from __future__ import annotations

import base64
import json
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.dialects import messages_stream, responses_stream
from tests.gateway import Gateway
from tests.proxy.sdk.crossings import MODEL_OF, every_upstream
from tests.simulator.server import SimulatorServer

HELLO = [{"role": "user", "content": "Hello"}]
BODIES: dict[str, dict[str, Any]] = {
    "/chat/completions": {"model": "gpt-4o", "messages": HELLO},
    "/responses": {"model": "gpt-4o", "input": "Hello"},
    "/messages": {"model": "gpt-4o", "max_tokens": 500, "messages": HELLO},
    "/messages/count_tokens": {"model": "gpt-4o", "messages": HELLO},
    "/responses/input_tokens": {"model": "gpt-4o", "input": "Hello"},
    "/embeddings": {"model": "text-embedding-3-small", "input": "Hello"},
}
every_door = pytest.mark.parametrize("door", BODIES)


def is_claude(door: str) -> bool:
    return door.startswith("/messages")


def error_at(door: str, answer: httpx.Response) -> dict[str, Any]:
    """The error object, after a look at the envelope its door must put it in."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    if is_claude(door):
        assert answer.headers["request-id"] == body["request_id"]
        assert body["type"] == "error"
        assert {"type", "message"} <= set(body["error"])
    else:
        assert set(body["error"]) == {"message", "type", "param", "code"}
    error: dict[str, Any] = body["error"]
    return error


@every_door
@pytest.mark.parametrize("prefix", ["/v1", ""])
@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_every_door_answers_under_both_paths_and_both_key_headers(
    gateway: Gateway, door: str, prefix: str, header: str
) -> None:
    key = f"Bearer {gateway.key}" if header == "authorization" else gateway.key
    answer = httpx.post(
        f"{gateway.url}{prefix}{door}?beta=true",
        json=BODIES[door],
        headers={header: key, "anthropic-version": "2026-10-21", "anthropic-beta": "never-heard-of-2026-01-01"},
        timeout=30,
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-request-id"]


@every_door
def test_a_wrong_key_a_wrong_body_and_a_wrong_method_are_told_in_the_doors_dialect(
    gateway: Gateway, http: httpx.Client, door: str
) -> None:
    wrong = httpx.post(
        f"{gateway.url}/v1{door}", json=BODIES[door], headers={"x-api-key": "no"}, timeout=30, trust_env=False
    )
    assert wrong.status_code == 401
    assert error_at(door, wrong)["type"] == ("authentication_error" if is_claude(door) else "invalid_request_error")
    broken = http.post(f"/v1{door}", content=b'{"model": ')
    assert broken.status_code == 400
    assert error_at(door, broken)["type"] == "invalid_request_error"
    put = http.put(f"/v1{door}", json={})
    assert put.status_code == 405
    assert error_at(door, put)["message"]


@every_door
def test_an_unknown_model_is_404_and_names_its_like(http: httpx.Client, door: str) -> None:
    answer = http.post(f"/v1{door}", json={**BODIES[door], "model": "gpt-4oo"})
    if "tokens" in door:
        assert answer.status_code == 200, "any name can be counted for"
        return
    assert answer.status_code == 404
    error = error_at(door, answer)
    assert "gpt-4o" in error["message"]
    assert error["type"] == ("not_found_error" if is_claude(door) else "invalid_request_error")


def test_an_unknown_path_is_told_in_the_dialect_the_client_speaks(http: httpx.Client) -> None:
    answer = http.get("/v1/nothing")
    assert answer.status_code == 404
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    answer = http.get("/v1/nothing", headers={"anthropic-version": "2023-06-01"})
    assert (answer.status_code, answer.json()["type"]) == (404, "error")
    assert http.post("/v1/responses/compact", json={}).status_code == 404


def test_a_websocket_is_refused_at_once_so_that_clients_fall_back(gateway: Gateway) -> None:
    for path in ("/v1/responses", "/responses"):
        began = time.monotonic()
        answer = httpx.get(
            gateway.url + path,
            headers={
                "upgrade": "websocket",
                "connection": "Upgrade",
                "sec-websocket-key": base64.b64encode(b"0123456789abcdef").decode(),
                "sec-websocket-version": "13",
                "authorization": f"Bearer {gateway.key}",
            },
            timeout=5,
            trust_env=False,
        )
        assert answer.status_code == 426
        assert time.monotonic() - began < 2


@every_upstream
def test_a_stream_is_a_stream_whatever_the_client_says_it_accepts(http: httpx.Client, upstream: str) -> None:
    headers = {"accept": "application/json", "accept-encoding": "gzip, br, zstd"}
    body = {"model": MODEL_OF[upstream], "max_tokens": 500, "messages": HELLO, "stream": True}
    answer = http.post("/v1/messages", json=body, headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "content-encoding" not in answer.headers
    assert messages_stream.validated(answer.content, model=MODEL_OF[upstream]).text
    asked = {"model": MODEL_OF[upstream], "input": "Hello", "stream": True}
    answer = http.post("/v1/responses", json=asked, headers=headers)
    assert responses_stream.validated(answer.content, model=MODEL_OF[upstream]).text


@every_upstream
@pytest.mark.parametrize("door", ["/chat/completions", "/responses", "/messages"])
def test_nothing_of_the_clients_own_headers_reaches_the_upstream(
    http: httpx.Client, gateway: Gateway, simulator: SimulatorServer, door: str, upstream: str
) -> None:
    sent = {
        "cookie": "sessionid=secret-1",
        "x-api-key": gateway.key,
        "x-stainless-lang": "python",
        "x-codex-turn-metadata": "secret-2",
        "originator": "secret-3",
        "editor-version": "secret-4",
        "anthropic-beta": "secret-5",
        "x-initiator": "agent",
    }
    answer = http.post(f"/v1{door}", json={**BODIES[door], "model": MODEL_OF[upstream]}, headers=sent)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-bridge-upstream"] == upstream
    received = simulator.world.log[-1].request.headers
    told = json.dumps(dict(received))
    assert "secret" not in told
    assert gateway.key not in told
    assert "x-stainless-lang" not in received
    assert received["x-initiator"] == "user"


def test_thirteen_counts_at_once_are_answered_at_once_and_cost_nothing(
    http: httpx.Client, simulator: SimulatorServer
) -> None:
    tools = [{"name": f"tool_{n}", "description": "word " * 400, "input_schema": {"type": "object"}} for n in range(20)]
    body = {"model": "claude-sonnet-5", "messages": HELLO, "tools": tools, "thinking": {"type": "adaptive"}}
    assert http.post("/v1/messages/count_tokens", json=body).status_code == 200
    asked = len(simulator.world.log)
    began = time.monotonic()
    with ThreadPoolExecutor(13) as pool:
        counted = list(pool.map(lambda _: http.post("/v1/messages/count_tokens?beta=true", json=body), range(13)))
    assert time.monotonic() - began < 5, "thirteen counts took as long as an answer"
    assert {answer.json()["input_tokens"] for answer in counted} == {counted[0].json()["input_tokens"]}
    assert counted[0].json()["input_tokens"] > 5000
    assert len(simulator.world.log) == asked


def test_a_thread_at_the_server_is_declined_in_the_way_the_sdk_understands(http: httpx.Client) -> None:
    answer = http.post("/v1/messages", json={**BODIES["/messages"], "thread": {"type": "create"}})
    assert answer.status_code == 400
    assert error_at("/messages", answer)["details"] == {
        "error_code": "thread_unsupported_request",
        "unsupported": ["thread"],
    }


@pytest.mark.parametrize(
    ("given", "count"),
    [("Hello", 1), (["one", "two", "three"], 3)],
)
def test_embeddings_come_as_numbers_or_as_base64(http: httpx.Client, given: Any, count: int) -> None:
    body = {"model": "text-embedding-3-small", "input": given, "dimensions": 64}
    floats = http.post("/v1/embeddings", json={**body, "encoding_format": "float"}).json()
    packed = http.post("/v1/embeddings", json={**body, "encoding_format": "base64"}).json()
    assert [each["index"] for each in floats["data"]] == list(range(count))
    assert floats["model"] == "text-embedding-3-small"
    assert floats["usage"]["prompt_tokens"] == floats["usage"]["total_tokens"] > 0
    for one, other in zip(floats["data"], packed["data"], strict=True):
        assert len(one["embedding"]) == 64
        unpacked = struct.unpack("<64f", base64.b64decode(other["embedding"]))
        assert unpacked == pytest.approx(one["embedding"], abs=1e-6)


def test_more_inputs_than_the_upstream_takes_go_in_batches_and_are_one_row(
    http: httpx.Client, gateway: Gateway, simulator: SimulatorServer
) -> None:
    before = len(simulator.world.log)
    before_nano = simulator.control("GET", "account/credits")["nano_aiu"]
    answer = http.post(
        "/v1/embeddings", json={"model": "text-embedding-3-small", "input": [f"text {n}" for n in range(1100)]}
    )
    assert answer.status_code == 200, answer.text
    assert [each["index"] for each in answer.json()["data"]] == list(range(1100))
    sent = [entry for entry in simulator.world.log[before:] if entry.request.path.endswith("/embeddings")]
    assert len(sent) == 3
    row = gateway.row(answer.headers["x-request-id"])
    billed = simulator.control("GET", "account/credits")["nano_aiu"] - before_nano
    assert row["status"] == "settled"
    assert row["nano_reported"] in (billed, None)
    assert row["input_tokens"] == answer.json()["usage"]["prompt_tokens"]


def test_auto_mode_lets_the_upstream_choose(http: httpx.Client, simulator: SimulatorServer) -> None:
    answer = http.post("/v1/messages", json={**BODIES["/messages"], "model": "auto"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["model"] == "auto"
    assert "copilot-session-token" in simulator.world.log[-1].request.headers
    assert answer.headers["x-bridge-model"] in simulator.world.models


def test_what_an_answer_could_not_say_is_named_in_the_row_and_at_the_end_of_the_stream(
    http: httpx.Client, gateway: Gateway
) -> None:
    # Gemini's seal behind its last words: no block of thinking may stand there.
    asked = 'Hello @sim{"reasoning_text": "Hm.", "opaque": "with_finish"}'
    body = {"model": MODEL_OF["chat"], "max_tokens": 900, "messages": [{"role": "user", "content": asked}]}
    streamed = http.post("/v1/messages", json={**body, "stream": True})
    assert gateway.row(streamed.headers["x-request-id"])["dropped"] == "thinking"
    assert ": x-bridge-dropped thinking\n\n" in streamed.text
    assert messages_stream.validated(streamed.content).text
    assert http.post("/v1/messages", json=body).headers["x-bridge-dropped"] == "thinking"


def test_a_model_that_asks_for_consent_says_how_to_give_it(http: httpx.Client, gateway: Gateway) -> None:
    body = {**BODIES["/chat/completions"], "model": "grok-4.6"}
    answer = http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 404
    assert "acceptmodel grok-4.6" in error_at("/chat/completions", answer)["message"]
    gateway.manage("acceptmodel", "grok-4.6")
    assert http.post("/v1/chat/completions", json=body).status_code == 200


def test_a_list_of_models_that_is_wrong_about_an_endpoint_is_corrected_on_the_way(
    http: httpx.Client, gateway: Gateway, simulator: SimulatorServer
) -> None:
    refused = {
        "fault": "status",
        "status": 400,
        "code": "unsupported_api_for_model",
        "message": 'model "claude-sonnet-5" is not accessible via the /v1/messages endpoint',
    }
    simulator.ask(refused, times=1)
    answer = http.post("/v1/messages", json={**BODIES["/messages"], "model": "claude-sonnet-5"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-bridge-upstream"] == "chat"
    row = gateway.row(answer.headers["x-request-id"])
    assert (row["upstream_format"], row["attempts"]) == ("chat", 2)


def test_an_effort_the_model_does_not_take_is_learned_from_its_refusal(
    http: httpx.Client, gateway: Gateway, simulator: SimulatorServer
) -> None:
    refused = {
        "fault": "status",
        "status": 400,
        "code": "invalid_reasoning_effort",
        "message": 'output_config.effort "high" is not supported by model claude-opus-4.7; supported values: [medium]',
    }
    simulator.ask(refused, times=1)
    body = {
        **BODIES["/messages"],
        "model": "claude-opus-4.7",
        "max_tokens": 9000,
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high"},
    }
    answer = http.post("/v1/messages", json=body)
    assert answer.status_code == 200, answer.text
    assert json.loads(simulator.world.log[-1].request.body)["output_config"]["effort"] == "medium"
    again = http.post("/v1/messages", json=body)
    assert gateway.row(again.headers["x-request-id"])["attempts"] == 1, "the lesson was forgotten"


@pytest.mark.parametrize("door", ["/responses", "/messages"])
def test_reasoning_that_cannot_be_verified_is_left_out_of_a_second_try(
    http: httpx.Client, gateway: Gateway, door: str
) -> None:
    foreign = {"type": "thinking", "thinking": "Hm.", "signature": "Zm9yZWlnbg" * 20}
    sealed = {"type": "reasoning", "summary": [], "encrypted_content": "gAAAAABforeign" * 20}
    bodies: dict[str, dict[str, Any]] = {
        "/messages": {
            "model": "claude-opus-4.7",
            "max_tokens": 9000,
            "thinking": {"type": "adaptive"},
            "messages": [
                *HELLO,
                {"role": "assistant", "content": [foreign, {"type": "text", "text": "Hi"}]},
                {"role": "user", "content": "Go on"},
            ],
        },
        "/responses": {
            "model": "gpt-5.5",
            "input": [*HELLO, sealed, {"role": "assistant", "content": "Hi"}, {"role": "user", "content": "Go on"}],
        },
    }
    answer = http.post(f"/v1{door}", json=bodies[door])
    assert answer.status_code == 200, answer.text
    assert gateway.row(answer.headers["x-request-id"])["attempts"] == 2


def test_a_result_without_its_call_is_told_in_words_in_a_second_try(http: httpx.Client, gateway: Gateway) -> None:
    body = {
        **BODIES["/messages"],
        "model": "claude-opus-4.7",
        "messages": [
            *HELLO,
            {"role": "assistant", "content": "Hi"},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_gone", "content": "Mark-7"},
                    {"type": "text", "text": "Go on"},
                ],
            },
        ],
    }
    answer = http.post("/v1/messages", json=body)
    assert answer.status_code == 200, answer.text
    assert gateway.row(answer.headers["x-request-id"])["attempts"] == 2
