"""Every refusal of the simulator that a repair can mend is known, in each of its envelopes."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.copilot.refusals import read_words
from bridge.lesson import Efforts, Lesson, Need, RefusedField, WrongEndpoint, read_lesson
from bridge.target import Repair
from tests.simulator.catalogue import Model
from tests.simulator.catalogue_rows import MODELS
from tests.simulator.errors import unsupported_api
from tests.simulator.generate.chat_rules import check_chat
from tests.simulator.generate.message_rules import check_messages
from tests.simulator.generate.response_rules import check_responses
from tests.simulator.generate.seals import Kind, Seals
from tests.simulator.wire import Refusal

STRIP = Need(Repair.STRIP_REASONING)
PAIR = Need(Repair.PAIR_RESULTS)
DESCRIBE = Need(Repair.DESCRIBE_TOOLS)
SEARCH = Need(Repair.DROP_WEB_SEARCH)

GPT = next(model for model in MODELS if model.id.startswith("gpt-5") and "/responses" in model.endpoints)
HAIKU = next(model for model in MODELS if model.id == "claude-haiku-4.5")
KIMI = next(model for model in MODELS if model.vendor == "Moonshot AI")
SEALS = Seals("seed", "octocat", 1)
OTHER_SEALS = Seals("seed", "hubot", 1)
USER = {"role": "user", "content": "hi"}


def taught(refusal: Refusal) -> Lesson | None:
    words = read_words(refusal.body)
    return read_lesson(words.message, words.code)


@pytest.mark.parametrize("path", ["/chat/completions", "/responses", "/v1/messages"])
def test_the_simulators_wrong_endpoint_is_known(path: str) -> None:
    assert taught(unsupported_api("m", path)) == WrongEndpoint()


CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
CUSTOM = {"type": "custom_tool_call", "call_id": "c1", "name": "f", "input": ""}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "x"}
ASKED = {"type": "message", "role": "user", "content": "hi"}


@pytest.mark.parametrize(
    ("changes", "lesson"),
    [
        ({"odd": 1}, RefusedField("odd")),
        ({"service_tier": "auto"}, RefusedField("service_tier")),
        ({"background": True}, RefusedField("background")),
        ({"temperature": 0.3}, RefusedField("temperature")),
        ({"reasoning": {"effort": "heroic"}}, Efforts(GPT.efforts)),
        ({"input": [ASKED, CALL]}, PAIR),
        ({"input": [ASKED, OUTPUT]}, PAIR),
        ({"input": [ASKED, CUSTOM]}, PAIR),
        ({"input": [{**ASKED, "odd": 1}]}, RefusedField("input[0].odd")),
        ({"input": [{"type": "item_reference", "id": "rs_1"}]}, STRIP),
        ({"input": [{"type": "reasoning", "id": "rs_1", "summary": []}]}, STRIP),
        ({"input": [{"type": "reasoning", "id": "x_1", "summary": []}]}, STRIP),
        ({"input": [{"type": "reasoning", "id": OTHER_SEALS.item_id(), "summary": []}]}, STRIP),
        ({"input": [{"type": "reasoning", "summary": [], "encrypted_content": "foreign"}]}, STRIP),
        (
            {
                "input": [
                    {
                        "type": "reasoning",
                        "id": "rs_1",
                        "summary": [],
                        "encrypted_content": SEALS.seal(Kind.CIPHER),
                    }
                ]
            },
            STRIP,
        ),
        ({"tools": [{"type": "function", "name": "f", "description": ""}]}, DESCRIBE),
        ({"tools": [{"type": "namespace", "name": "n", "tools": [{"name": "f", "description": ""}]}]}, DESCRIBE),
    ],
)
def test_the_simulators_refusals_of_responses_are_known(changes: dict[str, Any], lesson: Lesson) -> None:
    with pytest.raises(Refusal) as caught:
        check_responses({"model": GPT.id, "input": [ASKED], **changes}, GPT, SEALS, ("hubot",))
    assert taught(caught.value) == lesson


def test_a_web_search_that_the_simulator_refuses_is_known() -> None:
    grok = next(model for model in MODELS if model.vendor == "xAI")
    with pytest.raises(Refusal) as caught:
        check_responses({"input": [ASKED], "tools": [{"type": "web_search"}]}, grok, SEALS, ())
    assert taught(caught.value) == SEARCH


THINKING = {"type": "thinking", "thinking": "hm", "signature": "foreign"}
USE = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "x"}


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize(
    ("changes", "lesson"),
    [
        ({"odd": 1}, RefusedField("odd")),
        ({"cache_control": {"type": "ephemeral"}}, RefusedField("cache_control")),
        ({"metadata": {"odd": 1}}, RefusedField("metadata")),
        ({"temperature": 1, "top_p": 0.9}, RefusedField("top_p")),
        ({"thinking": {"type": "adaptive"}}, RefusedField("thinking")),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}, "top_k": 3}, RefusedField("top_k")),
        ({"output_config": {"effort": "high"}}, Efforts(())),
        ({"messages": [USER, {"role": "assistant", "content": [THINKING, USE]}, USER]}, STRIP),
        ({"messages": [USER, {"role": "assistant", "content": [USE]}, USER]}, PAIR),
        ({"messages": [USER, {"role": "user", "content": [RESULT]}]}, PAIR),
        ({"tools": [{"name": "f", "description": "", "input_schema": {"type": "object"}}]}, DESCRIBE),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, SEARCH),
        (
            {"tools": [{"name": "f", "input_schema": {"type": "object"}, "eager_input_streaming": True}]},
            RefusedField("tools.0.custom.eager_input_streaming"),
        ),
    ],
)
def test_the_simulators_refusals_of_messages_are_known_in_every_envelope(
    changes: dict[str, Any], lesson: Lesson, number: int
) -> None:
    """Which cloud answers, and in which envelope, changes with the number of the request."""
    body = {"model": HAIKU.id, "max_tokens": 2000, "messages": [USER], **changes}
    with pytest.raises(Refusal) as caught:
        check_messages(body, HAIKU, {}, Seals("seed", "octocat", number))
    assert taught(caught.value) == lesson


@pytest.mark.parametrize("thinking", [{"type": "enabled", "budget_tokens": 1024}, {"type": "disabled"}])
def test_kinds_of_thinking_that_the_simulator_refuses_are_known(thinking: dict[str, Any]) -> None:
    model = next(m for m in MODELS if m.thinking == "always" and "/v1/messages" in m.endpoints)
    with pytest.raises(Refusal) as caught:
        check_messages({"max_tokens": 2000, "messages": [USER], "thinking": thinking}, model, {}, SEALS)
    assert taught(caught.value) == RefusedField("thinking")


ASKING = {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": {}}]}
TOOL = {"role": "tool", "tool_call_id": "c1", "content": "x"}
FUNCTION = {"type": "function", "function": {"name": "f", "description": ""}}


@pytest.mark.parametrize("model", [GPT, HAIKU, KIMI], ids=lambda model: model.id)
@pytest.mark.parametrize(
    ("changes", "lesson"),
    [
        ({"service_tier": "auto"}, RefusedField("service_tier")),
        ({"messages": [USER, ASKING, USER]}, PAIR),
        ({"messages": [USER, TOOL]}, PAIR),
        ({"tools": [FUNCTION]}, DESCRIBE),
    ],
)
def test_the_simulators_refusals_of_chat_are_known(changes: dict[str, Any], lesson: Lesson, model: Model) -> None:
    with pytest.raises(Refusal) as caught:
        check_chat({"model": model.id, "messages": [USER], **changes}, model, SEALS)
    assert taught(caught.value) == lesson


@pytest.mark.parametrize(
    ("changes", "model", "lesson"),
    [
        ({"max_tokens": 100}, GPT, RefusedField("max_tokens")),
        ({"temperature": 0.2}, GPT, RefusedField("temperature")),
        ({"temperature": 0.2}, KIMI, RefusedField("temperature")),
        ({"reasoning_effort": "heroic"}, GPT, Efforts(GPT.efforts)),
    ],
)
def test_the_simulators_family_rules_of_chat_are_known(changes: dict[str, Any], model: Model, lesson: Lesson) -> None:
    with pytest.raises(Refusal) as caught:
        check_chat({"model": model.id, "messages": [USER], **changes}, model, SEALS)
    assert taught(caught.value) == lesson
