"""What client programs send and need, at the chat door: headers, streams, and every shape of request they make.

Measured with real clients: Codex, Claude Code, opencode, Qwen Code, aider, the SDKs and what is built on them.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

from tests.bridge.formats.chat.validator import validated
from tests.gateway import Gateway
from tests.proxy.asking import HELLO, ask
from tests.simulator.server import SimulatorServer

FAMILIES = ("gpt-4o", "gpt-5-mini", "claude-sonnet-4.5", "gemini-3.8-flash", "grok-4.7", "kimi-k3")
TOOL = {
    "name": "look",
    "description": "",
    "parameters": {"$schema": "x", "type": "object", "additionalProperties": False},
}


def test_head_on_the_root_is_answered_without_a_key(gateway: Gateway) -> None:
    answer = httpx.head(gateway.url, trust_env=False)
    assert 200 <= answer.status_code < 300
    assert answer.content == b""
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat/completions", "/v1/chat/completions?beta=true&x=1"])
def test_paths_work_with_and_without_prefix_and_with_queries(http: httpx.Client, path: str) -> None:
    assert http.post(path, json={"model": "gpt-4o", "messages": HELLO}).status_code == 200


def test_a_stream_is_event_by_event_whatever_the_client_accepts(http: httpx.Client) -> None:
    headers = {"accept": "application/json", "accept-encoding": "gzip, br, zstd"}
    body = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": "@@n=6,d=120,s=60@@"}]}
    arrivals = []
    with http.stream("POST", "/v1/chat/completions", json=body, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "content-length" not in answer.headers
        assert "content-encoding" not in answer.headers
        for packet in answer.iter_raw():
            assert packet.endswith(b"\n\n"), "an event was cut"
            arrivals.append(time.monotonic())
    assert len(arrivals) >= 3
    assert arrivals[-1] - arrivals[0] > 0.4, "the events were kept back and sent at once"


@pytest.mark.parametrize("include_usage", [False, True])
@pytest.mark.parametrize("model", FAMILIES)
def test_every_familys_stream_is_what_the_standard_says(http: httpx.Client, model: str, include_usage: bool) -> None:
    body: dict[str, Any] = {"model": model, "stream": True, "messages": HELLO, "tools": None}
    if include_usage:
        body["stream_options"] = {"include_usage": True}
    answer = http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    validated(answer.content, model=model, include_usage=include_usage)


@pytest.mark.parametrize("shape", ["all_zero", "from_one", "whole", "standard"])
@pytest.mark.parametrize("cut", [1, 7, 0])
def test_tool_calls_come_out_the_same_however_they_are_numbered_and_cut(
    http: httpx.Client, shape: str, cut: int
) -> None:
    wish = {"tools": shape} | ({"cut_bytes": cut, "crlf": True} if cut else {})
    question = f"Use get_weather and get_time for Rome @sim{json.dumps(wish)}"
    tools = [{"type": "function", "function": {**TOOL, "name": name}} for name in ("get_weather", "get_time")]
    answer = ask(http, question, model="claude-sonnet-4.5", stream=True, tools=tools)
    assert answer.status_code == 200, answer.text
    added = validated(answer.content, model="claude-sonnet-4.5", include_usage=False)
    assert [call["name"] for call in added.calls] == ["get_weather", "get_time"]


def test_nothing_of_the_clients_own_headers_goes_upstream(http: httpx.Client, simulator: SimulatorServer) -> None:
    sent = {
        "x-stainless-lang": "python",
        "x-codex-turn-metadata": "{}",
        "originator": "codex",
        "cookie": "secret=1",
        "openai-organization": "org",
        "anthropic-version": "2026-10-21",
        "anthropic-beta": "unknown-2030-01-01",
        "copilot-integration-id": "forged",
        "x-initiator": "agent",
        "x-forwarded-for": "10.1.2.3",
    }
    answer = http.post("/v1/chat/completions", json={"model": "gpt-4o", "messages": HELLO}, headers=sent)
    assert answer.status_code == 200
    seen = simulator.world.log[-1].request.headers
    unwanted = {
        "x-stainless-lang",
        "x-codex-turn-metadata",
        "originator",
        "cookie",
        "openai-organization",
        "anthropic-beta",
    }
    assert not unwanted & set(seen)
    assert "x-forwarded-for" not in seen
    assert "x-api-key" not in seen
    assert "brg_" not in str(seen)
    assert seen["copilot-integration-id"] == "vscode-chat"
    assert seen["x-initiator"] == "user", "a client's word was taken for who asks"


def test_each_attempt_has_a_request_id_of_its_own(http: httpx.Client, simulator: SimulatorServer) -> None:
    begun = len(simulator.world.log)
    wish = json.dumps({"fault": "status", "status": 502, "fail_times": 1, "message": "ids"})
    assert ask(http, f"Hello @sim{wish}").status_code == 200
    ids = [entry.request.headers["x-request-id"] for entry in simulator.world.log[begun:]]
    assert len(ids) == len(set(ids)) == 2


TURNS: list[tuple[str, list[dict[str, Any]]]] = [
    ("several system messages", [{"role": "system", "content": "a"}, {"role": "system", "content": "b"}, *HELLO]),
    ("a developer", [{"role": "developer", "content": "be kind"}, *HELLO]),
    ("two user turns in a row", [*HELLO, *HELLO]),
    ("parts", [{"role": "user", "content": [{"type": "text", "text": "Hello"}, {"type": "text", "text": "again"}]}]),
    (
        "what SDKs echo",
        [
            *HELLO,
            {
                "role": "assistant",
                "content": "Hi",
                "refusal": None,
                "annotations": [],
                "audio": None,
                "function_call": None,
            },
            *HELLO,
        ],
    ),
]


def called(content: str | None) -> list[dict[str, Any]]:
    """A call and its result, with that text beside the call; the word "absent" leaves the member out."""
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    said = {} if content == "absent" else {"content": content}
    return [
        {"role": "user", "content": "Use look"},
        {"role": "assistant", **said, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "a tree"},
    ]


TURNS += [(f"a call beside {content!r}", called(content)) for content in (None, "", "absent", "Looking.")]


@pytest.mark.parametrize("turns", [turns for _, turns in TURNS], ids=[name for name, _ in TURNS])
@pytest.mark.parametrize("model", ["gpt-4o", "claude-sonnet-4.5"])
def test_conversations_of_every_shape_are_answered(http: httpx.Client, model: str, turns: list[dict[str, Any]]) -> None:
    answer = http.post(
        "/v1/chat/completions",
        json={"model": model, "messages": turns, "tools": [{"type": "function", "function": TOOL}]},
    )
    assert answer.status_code == 200, answer.text


PARAMETERS: list[dict[str, Any]] = [
    {"temperature": 0},
    {"top_p": 0.9},
    {"max_tokens": 64},
    {"max_completion_tokens": 64},
    {"max_tokens": 10_000_000},
    {"reasoning_effort": "low"},
    {"reasoning_effort": "max"},
    {"seed": 7},
    {"user": "someone"},
    {"store": False},
    {"store": True},
    {"metadata": {"a": "b"}},
    {"logit_bias": {}},
    {"n": 1},
    {"stop": ["END"]},
    {"service_tier": "auto"},
    {"presence_penalty": 0.1, "frequency_penalty": 0.1},
    {"stream": False},
    {"parallel_tool_calls": False},
    {"response_format": {"type": "text"}},
    {"response_format": {"type": "json_object"}},
    {"prediction": {"type": "content", "content": ""}},
    {"a_field_of_next_year": {"deep": [1]}},
    {"tools": [{"type": "function", "function": TOOL}], "tool_choice": "auto"},
    {"tools": [{"type": "function", "function": TOOL}], "tool_choice": "none"},
    {
        "tools": [{"type": "function", "function": TOOL}],
        "tool_choice": {"type": "function", "function": {"name": "look"}},
    },
]


@pytest.mark.parametrize("fields", PARAMETERS, ids=[json.dumps(fields)[:60] for fields in PARAMETERS])
@pytest.mark.parametrize("model", FAMILIES)
def test_no_parameter_of_a_client_is_an_upstreams_400(http: httpx.Client, model: str, fields: dict[str, Any]) -> None:
    answer = ask(http, f"Say something in JSON {json.dumps(fields)}", model=model, **fields)
    assert answer.status_code == 200, answer.text


def test_structured_output_is_valid_for_its_schema(http: httpx.Client) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": schema}}
    for model in ("gpt-4o", "claude-sonnet-4.5"):
        answer = ask(http, "Invent a person", model=model, response_format=wanted)
        assert answer.status_code == 200, answer.text
        person = json.loads(answer.json()["choices"][0]["message"]["content"])
        assert set(person) == {"name", "age"}


def test_requests_of_one_client_run_beside_each_other(gateway: Gateway) -> None:
    async def all_at_once() -> float:
        async with httpx.AsyncClient(
            base_url=gateway.url, headers={"x-api-key": gateway.key}, timeout=20, trust_env=False
        ) as client:
            bodies = [
                {
                    "model": "gpt-4o",
                    "stream": True,
                    "messages": [{"role": "user", "content": f"{n} @@n=10,d=100,s=50@@"}],
                }
                for n in range(13)
            ]
            began = time.monotonic()
            answers = await asyncio.gather(*(client.post("/v1/chat/completions", json=body) for body in bodies))
            assert {answer.status_code for answer in answers} == {200}
            return time.monotonic() - began

    assert asyncio.run(all_at_once()) < 13 * 0.9, "they waited for one another"
