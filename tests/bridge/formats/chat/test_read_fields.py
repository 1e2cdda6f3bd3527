"""Tools and fields of a caller's body as a Prompt, and what is refused or named."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadRequest
from bridge.formats.chat import read_request
from bridge.formats.chat.verbatim import open_request
from bridge.parts import (
    CallKind,
    Text,
)
from bridge.prompt import (
    Choice,
    OutputWish,
    Prompt,
    ReasoningWish,
    Role,
    Sampling,
    Tool,
    ToolChoice,
    Turn,
    WebSearch,
)
from tests.bridge.formats.chat.test_read_request import prompt
from tests.bridge.formats.chat.test_request import HELLO


def test_tools_of_all_kinds_are_read() -> None:
    schema = {"type": "object", "$schema": "x", "additionalProperties": False}
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: x"}}
    read = prompt(
        tools=[
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": schema, "strict": True}},
            {"type": "function", "function": {"name": "g", "description": "", "parameters": None}},
            {"type": "custom", "custom": {"name": "p", "description": "d", "format": grammar}},
            {"type": "custom", "custom": {"name": "q", "format": {"type": "text"}}},
            {"type": "web_search"},
        ],
        functions=[{"name": "old", "parameters": schema}],
    )
    assert read.tools == (
        Tool("f", "d", schema, strict=True),
        Tool("g", ""),
        Tool("p", "d", kind=CallKind.CUSTOM, grammar="start: x", syntax="lark"),
        Tool("q", kind=CallKind.CUSTOM),
        Tool("old", schema=schema),
    )
    assert read.dropped == ("web_search",)


_NAMED = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        (None, None),
        ("auto", ToolChoice(Choice.AUTO)),
        ("none", ToolChoice(Choice.NONE)),
        ("required", ToolChoice(Choice.REQUIRED)),
        (_NAMED, ToolChoice(Choice.NAMED, "f")),
        ({"type": "custom", "custom": {"name": "p"}}, ToolChoice(Choice.NAMED, "p", kind=CallKind.CUSTOM)),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [_NAMED, {"type": "custom", "custom": {"name": "p"}}]},
            },
            ToolChoice(Choice.REQUIRED, allowed=("f", "p")),
        ),
    ],
)
def test_every_choice_among_tools_is_read(said: Any, choice: ToolChoice | None) -> None:
    assert prompt(tool_choice=said).tool_choice == choice


def test_the_choice_of_the_older_format_is_read() -> None:
    assert prompt(function_call={"name": "f"}).tool_choice == ToolChoice(Choice.NAMED, "f")
    assert prompt(function_call="auto").tool_choice == ToolChoice(Choice.AUTO)


# --- fields --------------------------------------------------------------------------------------------------


def test_a_request_that_asks_for_nothing_more_is_empty() -> None:
    read = prompt(
        n=1,
        stream=True,
        stop=None,
        store=False,
        metadata={},
        user=None,
        service_tier="auto",
        modalities=["text"],
        logprobs=False,
        prediction={"type": "content", "content": ""},
        response_format={"type": "text"},
        logit_bias={},
    )
    assert read == Prompt(turns=(Turn(Role.USER, (Text("Hello"),)),))


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"max_tokens": 5}, "max_output", 5),
        ({"max_tokens": 5, "max_completion_tokens": 7}, "max_output", 7),
        ({"stop": "END"}, "stop", ("END",)),
        ({"stop": ["a", "", "b"]}, "stop", ("a", "b")),
        ({"parallel_tool_calls": False}, "parallel_calls", False),
        ({"reasoning_effort": "high"}, "reasoning", ReasoningWish(effort="high")),
        ({"thinking_budget": 4096}, "reasoning", ReasoningWish(budget=4096)),
        ({"verbosity": "low"}, "verbosity", "low"),
        ({"logprobs": True}, "top_logprobs", 0),
        ({"logprobs": True, "top_logprobs": 3}, "top_logprobs", 3),
        ({"top_logprobs": 3}, "top_logprobs", None),
        ({"prompt_cache_key": "k"}, "cache_key", "k"),
        (
            {
                "temperature": 0,
                "top_p": 0.5,
                "top_k": 4,
                "presence_penalty": 1,
                "frequency_penalty": -1,
                "seed": 3,
                "logit_bias": {"50256": -100},
            },
            "sampling",
            Sampling(0, 0.5, 4, 1, -1, 3, {"50256": -100}),
        ),
        ({"response_format": {"type": "json_object"}}, "output", OutputWish()),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "a", "schema": {"type": "object"}, "strict": True, "description": "d"},
                }
            },
            "output",
            OutputWish({"type": "object"}, "a", "d", strict=True),
        ),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "a"}}}, "output", OutputWish()),
        ({"web_search_options": {}}, "web_search", WebSearch()),
        (
            {
                "web_search_options": {
                    "search_context_size": "low",
                    "user_location": {"type": "approximate", "approximate": {"city": "Ulm", "region": None}},
                }
            },
            "web_search",
            WebSearch(location={"type": "approximate", "city": "Ulm"}, context_size="low"),
        ),
    ],
)
def test_each_field_has_its_place(fields: dict[str, Any], name: str, value: object) -> None:
    assert getattr(prompt(**fields), name) == value


def test_what_only_openai_could_do_and_unknown_fields_are_named() -> None:
    fields = {"store": True, "metadata": {"a": "b"}, "service_tier": "flex", "user": "u", "modalities": ["audio"]}
    fields |= {"prediction": {"type": "content", "content": "x"}, "brand_new": 1}
    assert prompt(**fields).dropped == tuple(fields)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [7]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0]"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": 1}]}]},
            "messages[0].content[0]",
        ),
        ({"messages": [*HELLO, {"role": "tool", "content": "x"}]}, "messages[1].tool_call_id"),
        ({"messages": [{"role": "assistant", "tool_calls": {}}]}, "messages[0].tool_calls"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"id": "a"}]}]}, "messages[0].tool_calls[0]"),
        ({"messages": [{"role": "assistant", "function_call": {}}]}, "messages[0].function_call"),
        ({"tools": {}}, "tools"),
        ({"tools": ["x"]}, "tools[0]"),
        ({"tools": [{"type": "function"}]}, "tools[0]"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"tools": [{"type": "function", "function": {"name": "f", "parameters": 1}}]}, "tools[0].function.parameters"),
        ({"tools": [{"type": "custom", "custom": {"name": "f", "description": 1}}]}, "tools[0].custom.description"),
        ({"functions": ["x"]}, "functions[0]"),
        ({"tool_choice": "any"}, "tool_choice"),
        ({"tool_choice": {"name": "f"}}, "tool_choice"),
        ({"function_call": 1}, "function_call"),
        ({"stop": 1}, "stop"),
        ({"stop": [1]}, "stop"),
        ({"temperature": "hot"}, "temperature"),
        ({"seed": 0.5}, "seed"),
        ({"logit_bias": {"1": "x"}}, "logit_bias"),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"response_format": "json"}, "response_format"),
        ({"web_search_options": 1}, "web_search_options"),
        ({"reasoning_effort": 1}, "reasoning_effort"),
    ],
)
def test_a_refusal_says_where_it_is_wrong(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        prompt(**fields)
    assert caught.value.param == param


_NAMES = ["type", "text", "image_url", "url", "file", "file_data", "filename", "function", "name", "arguments", "id"]
_NAMES += ["custom", "input", "format", "grammar", "cache_control", "ttl", "json_schema", "schema", "approximate"]
_WORDS = ["text", "image_url", "file", "function", "custom", "grammar", "refusal", "json_schema", "allowed_tools"]
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.sampled_from(_WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4),
    max_leaves=10,
)
_message = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool", "function"])},
    optional={
        "content": _json,
        "tool_calls": _json,
        "function_call": _json,
        "tool_call_id": _json,
        "reasoning_text": _json,
        "reasoning_opaque": _json,
        "refusal": _json,
        "copilot_cache_control": _json,
    },
)
_FIELDS = ["tools", "functions", "tool_choice", "function_call", "stop", "response_format", "logit_bias", "prediction"]
_FIELDS += ["web_search_options", "temperature", "seed", "logprobs", "top_logprobs", "verbosity", "brand_new"]


@given(st.lists(_message, min_size=1, max_size=3), st.dictionaries(st.sampled_from(_FIELDS), _json, max_size=3))
def test_no_json_does_worse_than_a_bad_request(messages: list[Any], fields: dict[str, Any]) -> None:
    body = json.dumps({"model": "m", "messages": messages, **fields}).encode()
    with contextlib.suppress(BadRequest):
        assert all(turn.parts for turn in read_request(open_request(body)).turns)
