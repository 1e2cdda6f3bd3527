"""Bodies of the wrong shape are refused, never stumbled over."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator.catalogue_rows import MODELS
from tests.simulator.generate.chat_rules import check_chat
from tests.simulator.generate.message_rules import check_messages
from tests.simulator.generate.read_chat import read_chat
from tests.simulator.generate.read_messages import read_messages
from tests.simulator.generate.read_responses import read_responses
from tests.simulator.generate.response_rules import check_responses
from tests.simulator.generate.script import script_for
from tests.simulator.generate.seals import Seals
from tests.simulator.scenario import Scenario
from tests.simulator.wire import Refusal
from tests.simulator_tests.asking import CHAT_WEATHER, MESSAGES_WEATHER, PNG, RESPONSES_WEATHER

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = tuple[str | int, ...]
WRONG: tuple[Any, ...] = (None, 1, -1, 1.5, "", "x", True, [], {}, [None], [1], [{}], [[]], {"a": 1})
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
CALL = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
CHAT = {
    "model": "gpt-4o",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "weather in Paris"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            ],
        },
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "x"},
    ],
    "tools": [CHAT_WEATHER],
    "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
    "prediction": {"type": "content", "content": "x"},
    "stop": ["a"],
    "max_tokens": 9,
}
MESSAGES = {
    "model": "claude-sonnet-4.6",
    "max_tokens": 3000,
    "metadata": {"user_id": "x"},
    "stop_sequences": ["a"],
    "system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}],
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "weather in Paris"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
            ],
        },
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "get_weather", "input": {}}]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "x"}]}],
        },
    ],
    "tools": [MESSAGES_WEATHER],
    "tool_choice": {"type": "auto"},
    "thinking": {"type": "adaptive"},
}
SPACE = {"type": "namespace", "name": "functions", "tools": [RESPONSES_WEATHER]}
RESPONSES = {
    "model": "gpt-5.4",
    "include": ["reasoning.encrypted_content"],
    "reasoning": {"effort": "low", "summary": "auto"},
    "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "x", "strict": True, "schema": SCHEMA}},
    "context_management": [{"type": "compaction", "compact_threshold": 5}],
    "input": [
        {"type": "additional_tools", "role": "developer", "tools": [SPACE]},
        {"role": "user", "content": [{"type": "input_text", "text": "weather in Paris"}]},
        {"type": "function_call", "call_id": "c1", "name": "get_weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "x"},
    ],
    "tools": [RESPONSES_WEATHER],
    "tool_choice": {"type": "function", "name": "get_weather"},
    "instructions": "x",
    "max_output_tokens": 50,
}


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    if path and path != ("model",):
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        yield from paths(part, (*path, name))


def changed(body: dict[str, Any], path: Path, value: Any, *, without: bool = False) -> dict[str, Any]:
    body = copy.deepcopy(body)
    place: Any = body
    for name in path[:-1]:
        place = place[name]
    if without:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return body


def variants(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in paths(body):
        yield changed(body, path, None, without=True)
        yield from (changed(body, path, wrong) for wrong in WRONG)


def take(body: dict[str, Any]) -> None:
    """Check, read and plan the answer, as the endpoints do."""
    model = next(model for model in MODELS if model.id == body["model"])
    seals = Seals("world", "credits", 1)
    if model.vendor == "Anthropic":
        check_messages(body, model, {}, seals)
        ask = read_messages(body)
    elif "input" in body or "messages" not in body:
        check_responses(body, model, seals, ())
        ask = read_responses(body)
    else:
        check_chat(body, model, seals)
        ask = read_chat(body)
    script_for(ask, Scenario(), thinks=False)


def outcome(body: dict[str, Any]) -> Refusal | None:
    try:
        take(body)
    except Refusal as refusal:
        return refusal
    return None


@pytest.mark.parametrize("body", [CHAT, MESSAGES, RESPONSES], ids=["chat", "messages", "responses"])
def test_whatever_stands_in_a_field_the_answer_is_an_answer_or_a_refusal(body: dict[str, Any]) -> None:
    assert outcome(body) is None
    refusals = [outcome(variant) for variant in variants(body)]
    assert all(refusal is None or (400 <= refusal.status < 500 and refusal.body.strip()) for refusal in refusals)
    taken = refusals.count(None)
    assert len(refusals) - taken > taken > 50
