"""Messages: what real and odd clients send, edited or rewritten, is accepted by every Claude model of the upstream."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.asked import Written
from bridge.formats.messages import read_request, write_request
from bridge.formats.messages.verbatim import betas_of, edit_request, open_request
from bridge.target import Target
from tests.bridge.formats.messages.upstream import CLAUDES, PNG, body_of, redacted, refusal_of, target_of, thinking

CAPTURED = sorted((Path(__file__).parent / "captured").glob("*.json"))
BETAS = (
    "claude-code-20250219",
    "interleaved-thinking-2025-05-14",
    "context-management-2025-06-27",
    "advanced-tool-use-2025-11-20",
)
CACHE = {"type": "ephemeral", "ttl": "1h", "scope": "global"}
TOOL = {
    "name": "get",
    "description": "",
    "input_schema": {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": {}},
    "eager_input_streaming": True,
    "defer_loading": False,
    "cache_control": CACHE,
}
USER = {"role": "user", "content": "a"}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
AT_URL = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
PLAIN = {"type": "document", "title": "t", "source": {"type": "text", "media_type": "text/plain", "data": "words"}}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def call(call_id: str, value: Any = None) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": "get", "input": {} if value is None else value}


def result(call_id: str, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, **more}


CASES: dict[str, dict[str, Any]] = {
    "sampling": {"temperature": 0.3, "top_p": 0.5, "top_k": 4},
    "sampling and adaptive thinking": {"thinking": {"type": "adaptive"}, "temperature": 0.3, "top_p": 0.5, "top_k": 4},
    "a huge budget": {"thinking": {"type": "enabled", "budget_tokens": 60_000}, "max_tokens": 64_000},
    "a budget above the limit": {"thinking": {"type": "enabled", "budget_tokens": 31_999}, "max_tokens": 2000},
    "a probe of one token": {"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 1},
    "every effort": {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
    "a forced call": {"tools": [TOOL], "tool_choice": {"type": "any"}, "thinking": {"type": "adaptive"}},
    "only a web search": {
        "tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 8}],
        "tool_choice": {"type": "tool", "name": "web_search"},
        "temperature": 1,
    },
    "server tools": {
        "tools": [
            TOOL,
            {"type": "code_execution_20250825", "name": "code_execution"},
            {"type": "computer_20251124", "name": "computer", "display_width_px": 1},
            {"type": "web_fetch_20250910", "name": "web_fetch"},
            {"type": "bash_20250124", "name": "bash"},
        ],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    },
    "prefill": {"messages": [USER, {"role": "assistant", "content": "{ "}]},
    "empty texts": {
        "messages": [
            {"role": "user", "content": [text(""), text("x")]},
            {"role": "assistant", "content": ""},
            {"role": "user", "content": [text(" \n")]},
            {"role": "user", "content": "go"},
        ]
    },
    "foreign thinking": {
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "tools": [TOOL],
        "messages": [
            USER,
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Thinking...", "signature": "model@host"},
                    {"type": "thinking", "thinking": "x", "signature": "brg1.carrier"},
                    {"type": "redacted_thinking", "data": "brg1.carrier"},
                    {"type": "thinking", "thinking": "x", "signature": ""},
                    call("a"),
                    text("late"),
                ],
            },
            {"role": "user", "content": [result("a", content="ok")]},
        ],
    },
    "thinking out of order": {
        "messages": [
            USER,
            {
                "role": "assistant",
                "content": [thinking("1"), redacted(), text(""), thinking("2"), text("t"), thinking("3")],
            },
            {"role": "user", "content": "go"},
        ]
    },
    "everything in a result": {
        "tools": [TOOL],
        "messages": [
            USER,
            {"role": "assistant", "content": [call("a", "{broken"), call("functions.get:1")]},
            {
                "role": "user",
                "content": [
                    text("first"),
                    result("a", content=[text("r", cache_control=CACHE), PLAIN, AT_URL, IMAGE, {"type": "novel"}]),
                    result("functions.get:1", is_error=True, cache_control=CACHE),
                ],
            },
        ],
    },
    "documents": {
        "messages": [
            {
                "role": "user",
                "content": [
                    PLAIN,
                    AT_URL,
                    {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
                    {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
                    {
                        "type": "document",
                        "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
                    },
                    {"type": "document", "source": {"type": "base64", "media_type": "text/csv", "data": "YSxi"}},
                    {"type": "document", "source": {"type": "content", "content": [text("z"), IMAGE]}},
                    {"type": "container_upload", "file_id": "f"},
                ],
            }
        ]
    },
    "a search in the history": {
        "messages": [
            USER,
            {
                "role": "assistant",
                "content": [
                    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
                    {
                        "type": "web_search_tool_result",
                        "tool_use_id": "srvtoolu_1",
                        "content": [
                            {"type": "web_search_result", "url": "https://example.com", "encrypted_content": ""}
                        ],
                    },
                    text("found", citations=[{"type": "web_search_result_location", "url": "https://example.com"}]),
                ],
            },
            USER,
        ]
    },
    "system turns": {
        "messages": [
            {"role": "system", "content": "first"},
            USER,
            {"role": "system", "content": [text("second", cache_control=CACHE)]},
            {"role": "assistant", "content": "b"},
            {"role": "system", "content": "third"},
        ]
    },
    "odd members": {
        "container": "c",
        "mcp_servers": [{"type": "url"}],
        "speed": "fast",
        "inference_geo": "eu",
        "service_tier": "auto",
        "betas": ["x"],
        "cache_control": {"type": "ephemeral"},
        "metadata": {"user_id": "u", "team": "t"},
        "output_format": {"type": "json_schema", "schema": {"type": "object"}, "name": "n"},
        "system": [text("x-anthropic-billing-header: cc_version=2; cch=1;"), text("s"), text("")],
    },
    "too many breakpoints": {
        "tools": [TOOL, {**TOOL, "name": "put"}],
        "system": [text("a", cache_control=CACHE), text("b", cache_control=CACHE)],
        "messages": [{"role": "user", "content": [text(str(n), cache_control=CACHE) for n in range(6)]}],
    },
    "too many images": {"messages": [{"role": "user", "content": [IMAGE] * 9}]},
}


def learned(name: str, members: dict[str, Any]) -> Target:
    """What the model list does not say and a first refusal teaches: models that always think."""
    always = CLAUDES[name].thinking == "always" and members.get("thinking", {}).get("type") == "disabled"
    return target_of(name, refused=frozenset({"thinking"} if always else ()))


def check_both_ways(name: str, members: dict[str, Any], client: tuple[str, ...]) -> None:
    asked, target = open_request(body_of(**members)), learned(name, members)
    sent = betas_of(asked, client, target.adaptive_thinking)
    assert refusal_of(edit_request(asked, target, sent), name, sent) is None
    assert refusal_of(edit_request(asked, target), name) is None
    assert refusal_of(write_request(read_request(asked), target), name) is None


@pytest.mark.parametrize("name", CLAUDES)
@pytest.mark.parametrize("case", CASES)
def test_odd_requests_are_accepted(case: str, name: str) -> None:
    check_both_ways(name, CASES[case], BETAS)


@pytest.mark.parametrize("name", CLAUDES)
@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
def test_requests_of_real_clients_are_accepted(path: Path, name: str) -> None:
    captured = json.loads(path.read_text(encoding="utf-8"))
    members: dict[str, Any] = captured["body"]
    for message in members["messages"]:
        for block in message["content"] if isinstance(message["content"], list) else []:
            if block["type"] == "thinking":
                block.update(thinking(block["thinking"]))
    check_both_ways(name, members, tuple(captured["betas"]))


@pytest.mark.parametrize("case", ["sampling", "prefill", "documents", "foreign thinking", "too many breakpoints"])
def test_the_judge_refuses_what_was_not_edited(case: str) -> None:
    body = body_of(model="claude-sonnet-4.5", **CASES[case])
    assert refusal_of(Written(body), "claude-sonnet-4.5") is not None
