"""What /chat/completions refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator.catalogue_rows import MODELS
from tests.simulator.generate.chat_rules import check_chat
from tests.simulator.generate.seals import Seals
from tests.simulator.wire import Refusal
from tests.simulator_tests.asking import CHAT_WEATHER, Asker, user

if TYPE_CHECKING:
    import httpx

    from tests.simulator.server import SimulatorServer

CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
UNANSWERED = [user("hi"), {"role": "assistant", "content": None, "tool_calls": [CALL]}]
ORPHAN = [user("hi"), {"role": "tool", "tool_call_id": "call_9", "content": "x"}]


@pytest.fixture
def asker(sim: SimulatorServer, client: httpx.Client) -> Asker:
    return Asker(sim, client)


def tool(**changes: Any) -> dict[str, Any]:
    return {"type": "function", "function": {**CHAT_WEATHER["function"], **changes}}


@pytest.mark.parametrize(
    ("model", "extra", "code", "words"),
    [
        ("gpt-5-mini", {"max_tokens": 5}, "unsupported_parameter", "Use 'max_completion_tokens' instead"),
        ("gpt-5-mini", {"temperature": 0.2}, "unsupported_parameter", "'temperature' is not supported"),
        ("gemini-3.8-flash", {"top_p": 0.5}, "unsupported_parameter", "'top_p' is not supported"),
        ("kimi-k3", {"temperature": 0.2}, "invalid_request_body", "only 1 is allowed"),
        ("gpt-4o", {"service_tier": "auto"}, "unsupported_value", "service_tier"),
        ("gpt-4o", {"prediction": {"type": "content", "content": ""}}, "invalid_request_body", "prediction"),
        ("gpt-4o", {"tools": [tool(name=f"t{n}") for n in range(129)]}, "invalid_request_body", "maximum length 128"),
        ("gpt-4o", {"tools": [tool(name="no spaces")]}, "invalid_request_body", "does not match pattern"),
        ("gpt-4o", {"tools": [tool(description="")]}, "invalid_request_body", "[empty_string]"),
        (
            "gpt-5-mini",
            {"reasoning_effort": "max"},
            "invalid_reasoning_effort",
            "supported values: [minimal low medium high]",
        ),
        ("gpt-4o", {"messages": []}, "invalid_request_body", "messages"),
        ("gpt-4o", {"messages": UNANSWERED}, "invalid_request_body", "did not have response messages: call_1"),
        ("gpt-4o", {"messages": ORPHAN}, "invalid_request_body", "must be a response to a preceding message"),
        ("claude-sonnet-4.6", {"messages": UNANSWERED}, "invalid_request_body", "`tool_use` ids were found without"),
        ("claude-sonnet-4.6", {"messages": ORPHAN}, "invalid_request_body", "unexpected `tool_use_id`"),
        ("kimi-k3", {"messages": UNANSWERED}, "invalid_request_body", "tool_call_id call_1"),
    ],
)
def test_chat_refuses(asker: Asker, model: str, extra: dict[str, Any], code: str, words: str) -> None:
    response = asker.chat("hi", model, **extra)
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("text/plain")
    assert response.text.endswith("\n")
    error = response.json()["error"]
    assert error["code"] == code
    assert words in error["message"]


def test_an_empty_text_block_is_refused_by_claude_alone(asker: Asker) -> None:
    messages = [{"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "hi"}]}]
    assert asker.post("/chat/completions", {"model": "gpt-4o", "messages": messages}).status_code == 200
    refusal = asker.post("/chat/completions", {"model": "claude-sonnet-4.6", "messages": messages})
    assert refusal.json() == {"message": "messages: text content blocks must be non-empty"}


def test_too_long_a_prompt_is_refused_with_the_real_numbers(asker: Asker) -> None:
    response = asker.chat("x" * (4 * 64_000), "gpt-4o")
    message = response.json()["error"]["message"]
    assert response.json()["error"]["code"] == "model_max_prompt_tokens_exceeded"
    assert message == "prompt token count of 64002 exceeds the limit of 64000"


def test_more_output_than_the_model_has_is_refused(asker: Asker) -> None:
    message = asker.chat("hi", "claude-sonnet-4.6", max_tokens=64_001).json()["message"]
    assert message == "The maximum tokens you requested exceeds the model limit of 64000"


def test_gpt_5_6_takes_no_function_tools_with_effort_on_chat() -> None:
    """No listed model reaches this rule: the 5.6 family is refused on chat before, unless lists and truth disagree."""
    terra = next(model for model in MODELS if model.id == "gpt-5.6-terra")
    model = replace(terra, endpoints=("/chat/completions",))
    body = {"messages": [user("hi")], "tools": [CHAT_WEATHER], "reasoning_effort": "low"}
    with pytest.raises(Refusal, match="Function tools with reasoning_effort"):
        check_chat(body, model, Seals("world", "credits", 1))


def test_a_word_for_the_simulator_that_is_mistyped_is_refused_loudly(asker: Asker) -> None:
    response = asker.chat('hi @sim{"flaut": "cut"}')
    assert response.status_code == 400
    assert response.text == "simulator: a scenario has no field 'flaut'\n"
