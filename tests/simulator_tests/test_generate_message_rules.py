"""What /v1/messages refuses, in which words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator_tests.asking import MESSAGES_WEATHER, Asker, user

if TYPE_CHECKING:
    import httpx

    from tests.simulator.server import SimulatorServer

EPHEMERAL = {"type": "ephemeral"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "sunny"}


@pytest.fixture
def asker(sim: SimulatorServer, client: httpx.Client) -> Asker:
    return Asker(sim, client)


def message_of(response: httpx.Response) -> str:
    """The refusal's sentence, out of whichever of the four envelopes it came in."""
    assert response.status_code == 400, response.text
    body = response.json()
    message: str = body["message"] if "message" in body else body["error"]["message"]
    return json.loads(message)["error"]["message"] if message.startswith("{") else message


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def conversation(*blocks: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(blocks)}]


def assistant(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def tool(**more: Any) -> dict[str, Any]:
    return {**MESSAGES_WEATHER, **more}


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"inference_geo": "eu"}, "inference_geo: Extra inputs are not permitted"),
        ({"mcp_servers": []}, "mcp_servers: Extra inputs are not permitted"),
        ({"context_management": {}}, "context_management: Extra inputs are not permitted"),
        ({"cache_control": EPHEMERAL}, "cache_control: Extra inputs are not permitted"),
        ({"metadata": {"session": "x"}}, "metadata.session: Extra inputs are not permitted"),
        ({"max_tokens": 64_001}, "The maximum tokens you requested exceeds the model limit of 64000"),
        ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
        (
            {"output_config": {"effort": "xhigh"}},
            'effort "xhigh" is not supported by model claude-sonnet-4.6; supported values: [low medium high max]',
        ),
        ({"temperature": 1, "top_p": 0.9}, "`temperature` and `top_p` cannot both be specified"),
        (
            {"system": [text("x", cache_control={**EPHEMERAL, "scope": "global"})]},
            "system.0.cache_control.ephemeral.scope: Extra",
        ),
        (
            {"system": [text("x", cache_control={**EPHEMERAL, "ttl": "1h"})]},
            "system.0.cache_control.ephemeral.ttl: Extra",
        ),
        (
            {"tools": [tool(cache_control={**EPHEMERAL, "scope": "global"})]},
            "tools.0.custom.cache_control.ephemeral.scope",
        ),
        (
            {"system": [text("x-anthropic-billing-header: cc_version=2;")]},
            "x-anthropic-billing-header is a reserved keyword",
        ),
        (
            {"messages": conversation(*[text("x", cache_control=EPHEMERAL)] * 5)},
            "A maximum of 4 blocks with cache_control",
        ),
        ({"messages": conversation(text(""))}, "text content blocks must be non-empty"),
        ({"messages": [user("hi"), assistant(text("Sure"))]}, "does not support assistant message prefill"),
        (
            {"messages": [user("hi"), {"role": "system", "content": "x"}]},
            'Unexpected role "system". The Messages API accepts',
        ),
        ({"messages": conversation(RESULT)}, "unexpected `tool_use_id` found in `tool_result` blocks: toolu_1"),
        ({"messages": [user("hi"), assistant(CALL), user("and?")]}, "messages.1: `tool_use` ids were found without"),
        (
            {"messages": [user("hi"), assistant(CALL, text("x")), {"role": "user", "content": [RESULT]}]},
            "`tool_use` blocks must be the last blocks",
        ),
        (
            {
                "messages": conversation(
                    {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
                )
            },
            "external image URLs are not supported",
        ),
        (
            {
                "messages": conversation(
                    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}
                )
            },
            'source type must be base64 or url, got "text"',
        ),
        ({"messages": conversation({"type": "audio"})}, "messages.0.content.0: Input tag 'audio' found using 'type'"),
        (
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
            "The use of the web search tool is not supported.",
        ),
        ({"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]}, "rejected tool(s): web_fetch"),
        (
            {"tools": [{"type": "code_execution_20250825", "name": "x"}]},
            "tools.0: Input tag 'code_execution_20250825' found",
        ),
        (
            {"tools": [tool(eager_input_streaming=True)]},
            "tools.0.custom.eager_input_streaming: Extra inputs are not permitted",
        ),
        ({"tools": [tool(description="")]}, "[StringParam] [tools[0].description] [empty_string]"),
        (
            {"tools": [tool(input_schema={"type": "object", "$schema": "x"})]},
            "tools.0.custom.input_schema.$schema: Extra",
        ),
        ({"tools": [tool(), tool()]}, "Tool names must be unique"),
        ({"tool_choice": {"type": "tool", "name": "nope"}}, "Tool 'nope' not found in provided tools"),
        ({"thinking": {"type": "enabled", "budget_tokens": 500}}, "greater than or equal to 1024"),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 4000}},
            "`max_tokens` must be greater than `thinking.budget_tokens`",
        ),
        ({"thinking": {"type": "adaptive", "block_binding": 1}}, "thinking.adaptive.block_binding: Extra inputs"),
        ({"thinking": {"type": "adaptive"}, "temperature": 0.5}, "`temperature` may only be set to 1 when thinking"),
        (
            {"thinking": {"type": "adaptive"}, "tools": [tool()], "tool_choice": {"type": "any"}},
            "Thinking may not be enabled when tool_choice forces tool use.",
        ),
        (
            {
                "thinking": {"type": "enabled", "budget_tokens": 2000},
                "messages": [user("hi"), assistant(CALL), {"role": "user", "content": [RESULT]}],
            },
            "Expected `thinking` or `redacted_thinking`, but found `tool_use`",
        ),
        (
            {
                "messages": [
                    user("hi"),
                    assistant({"type": "thinking", "thinking": "Hm", "signature": "made@up"}, text("x")),
                    user("go"),
                ]
            },
            "messages.1.content.0: Invalid `signature` in `thinking` block",
        ),
    ],
)
def test_messages_refuse(asker: Asker, extra: dict[str, Any], words: str) -> None:
    assert words in message_of(asker.message("hi", "claude-sonnet-4.6", **extra))


@pytest.mark.parametrize(
    ("model", "extra", "words"),
    [
        (
            "claude-opus-4.7",
            {"thinking": {"type": "enabled", "budget_tokens": 2000}},
            '"thinking.type.enabled" is not supported',
        ),
        ("claude-haiku-4.5", {"thinking": {"type": "adaptive"}}, "adaptive thinking is not supported"),
        ("claude-opus-5.5", {"thinking": {"type": "disabled"}}, '"thinking.type.disabled" is not supported'),
        ("claude-haiku-4.5", {"output_config": {"effort": "low"}}, "supported values: []"),
    ],
)
def test_thinking_depends_on_the_model(asker: Asker, model: str, extra: dict[str, Any], words: str) -> None:
    assert words in message_of(asker.message("hi", model, **extra))


def test_newer_models_take_what_older_ones_refuse(asker: Asker) -> None:
    assert asker.message("hi", "claude-opus-4.7", cache_control=EPHEMERAL).status_code == 200
    with_system = [user("hi"), {"role": "system", "content": "Be brief."}]
    assert asker.message("hi", "claude-sonnet-5", messages=with_system).status_code == 200
    too_early = [user("hi"), {"role": "system", "content": "x"}, assistant(text("y")), user("go")]
    assert "in this position" in message_of(asker.message("hi", "claude-sonnet-5", messages=too_early))


def test_betas_are_on_a_list(asker: Asker) -> None:
    body = {"model": "claude-sonnet-4.6", "max_tokens": 50, "messages": [user("hi")]}
    known = "interleaved-thinking-2025-05-14, context-management-2025-06-27"
    assert asker.post("/v1/messages", body, anthropic_beta=known).status_code == 200
    refusal = asker.post("/v1/messages", body, anthropic_beta=f"{known},context-1m-2025-08-07").json()
    assert refusal["error"] == {
        "code": "invalid_request_body",
        "message": "unsupported beta header(s): context-1m-2025-08-07",
    }


def test_a_beta_opens_its_field(asker: Asker) -> None:
    ttl = [text("x", cache_control={**EPHEMERAL, "ttl": "1h"})]
    body = {"model": "claude-sonnet-4.6", "max_tokens": 50, "messages": [user("hi")], "system": ttl}
    assert asker.post("/v1/messages", body, anthropic_beta="extended-cache-ttl-2025-04-11").status_code == 200
    assert asker.post("/v1/messages", body).status_code == 400


def test_scope_is_found_deep_in_a_tool_result(asker: Asker) -> None:
    inner = {**RESULT, "content": [text("sunny", cache_control={**EPHEMERAL, "scope": "global"})]}
    messages = [user("hi"), assistant(CALL), {"role": "user", "content": [inner]}]
    words = "messages.2.content.0.content.0.cache_control.ephemeral.scope"
    assert words in message_of(asker.message("hi", messages=messages))


def test_thinking_of_another_account_or_changed_is_refused(sim: SimulatorServer, client: httpx.Client) -> None:
    mine, other = Asker(sim, client), Asker(sim, client, "business")
    thinking = {"type": "enabled", "budget_tokens": 2000}
    block = mine.message("hello", thinking=thinking).json()["content"][0]
    history = [user("hello"), assistant(block, text("Hi")), user("again")]
    assert mine.message(messages=history).status_code == 200
    assert "Invalid `signature`" in message_of(other.message(messages=history))
    changed = [user("hello"), assistant({**block, "thinking": "Other words"}, text("Hi")), user("again")]
    assert "cannot be modified" in message_of(mine.message(messages=changed))
    doubled = [user("hello"), assistant(block, block, text("Hi")), user("again")]
    assert "cannot be modified" in message_of(mine.message(messages=doubled))
    last = [user("hello"), assistant(block), user("again")]
    assert "The final block in an assistant message cannot be `thinking`" in message_of(mine.message(messages=last))


def test_too_long_a_prompt_is_refused_with_the_real_numbers(asker: Asker) -> None:
    response = asker.message("x" * (4 * 128_000), "claude-haiku-4.5")
    assert message_of(response) == "prompt token count of 128002 exceeds the limit of 128000"


def test_refusals_come_in_the_envelope_of_whoever_refuses(asker: Asker) -> None:
    kinds = set()
    for _ in range(24):
        body = asker.message(messages=conversation(text(""))).json()
        kinds.add("bare" if "message" in body else "anthropic" if body.get("type") == "error" else "wrapped")
    assert kinds == {"bare", "anthropic", "wrapped"}


def test_counting_refuses_the_same_but_needs_no_limit(asker: Asker) -> None:
    body = {"model": "claude-sonnet-4.6", "messages": conversation(text(""))}
    assert "non-empty" in message_of(asker.post("/v1/messages/count_tokens", body))
