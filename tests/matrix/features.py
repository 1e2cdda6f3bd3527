"""The features of a request: how each door says it, and how one knows it in an upstream body.

`seen` tells for an upstream body, as text, whether the feature is in it; `by_other_means` whether the gateway has put
something in its place that does the same for the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.dialect import Dialect

CHAT, RESPONSES, MESSAGES = Dialect.CHAT, Dialect.RESPONSES, Dialect.MESSAGES

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PDF = "JVBERi0xLjQKJSVFT0YK"
SCHEMA = {"type": "object", "properties": {"mark": {"type": "string"}}, "required": ["mark"]}

Seen = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Feature:
    """`requests` are whole bodies without model and stream; a door that is missing cannot say the thing.

    `names` are the words by which a loss is named to the caller.
    """

    name: str
    requests: Mapping[Dialect, dict[str, Any]]
    seen: Seen
    by_other_means: Seen | None = None
    names: frozenset[str] = field(default_factory=frozenset)
    cut_here: bool = False
    """The gateway does it itself, on the reply."""
    automatic: frozenset[Dialect] = frozenset()
    """The upstreams that do it unasked."""


def holds(*marks: str) -> Seen:
    return lambda body: all(mark in body for mark in marks)


def any_of(*marks: str) -> Seen:
    return lambda body: any(mark in body for mark in marks)


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def _three(chat: Any, responses: Any, messages: Any) -> dict[Dialect, dict[str, Any]]:
    """A member more or less on a plain question, door by door; None: the door cannot say it."""
    plain: dict[Dialect, dict[str, Any]] = {
        CHAT: {"messages": [user("Hello")]},
        RESPONSES: {"input": [user("Hello")]},
        MESSAGES: {"messages": [user("Hello")], "max_tokens": 4000},
    }
    given = {CHAT: chat, RESPONSES: responses, MESSAGES: messages}
    return {door: plain[door] | more for door, more in given.items() if more is not None}


def _content(chat: Any, responses: Any, messages: Any) -> dict[Dialect, dict[str, Any]]:
    """A part of the user's turn beside a text."""
    return _three(
        None if chat is None else {"messages": [user([{"type": "text", "text": "Look"}, chat])]},
        None if responses is None else {"input": [user([{"type": "input_text", "text": "Look"}, responses])]},
        None if messages is None else {"messages": [user([{"type": "text", "text": "Look"}, messages])]},
    )


def _history(result_chat: Any, result_responses: Any, result_messages: Any) -> dict[Dialect, dict[str, Any]]:
    """A call and what came of it; the results are members of the entry that brings them."""
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at":"it"}'}}
    return {
        CHAT: {
            "messages": [
                user("Look"),
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_1", **result_chat},
            ],
            "tools": [{"type": "function", "function": {"name": "look", "description": "Looks", "parameters": SCHEMA}}],
        },
        RESPONSES: {
            "input": [
                user("Look"),
                {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": '{"at":"it"}'},
                {"type": "function_call_output", "call_id": "call_1", **result_responses},
            ],
            "tools": [{"type": "function", "name": "look", "description": "Looks", "parameters": SCHEMA}],
        },
        MESSAGES: {
            "max_tokens": 4000,
            "messages": [
                user("Look"),
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": "call_1", "name": "look", "input": {"at": "it"}}],
                },
                user([{"type": "tool_result", "tool_use_id": "call_1", **result_messages}]),
            ],
            "tools": [{"name": "look", "description": "Looks", "input_schema": SCHEMA}],
        },
    }


_LOOK = {"name": "look", "description": "Looks", "parameters": SCHEMA}
_TOOLS: dict[Dialect, Any] = {
    CHAT: [{"type": "function", "function": _LOOK}],
    RESPONSES: [{"type": "function", **_LOOK}],
    MESSAGES: [{"name": "look", "description": "Looks", "input_schema": SCHEMA}],
}


def _with_tools(chat: Any, responses: Any, messages: Any) -> dict[Dialect, dict[str, Any]]:
    return _three(
        {"tools": _TOOLS[CHAT], **chat},
        {"tools": _TOOLS[RESPONSES], **responses},
        {"tools": _TOOLS[MESSAGES], **messages},
    )


FEATURES = (
    Feature(
        "instructions (system, developer)",
        _three(
            {"messages": [{"role": "system", "content": "Mark-7"}, user("Hello")]},
            {"instructions": "Mark-7"},
            {"system": [{"type": "text", "text": "Mark-7"}]},
        ),
        holds("Mark-7"),
    ),
    Feature(
        "instructions amid the conversation",
        _three(
            {"messages": [user("Hello"), {"role": "system", "content": "Mark-7"}, user("Go on")]},
            {"input": [user("Hello"), {"role": "developer", "content": "Mark-7"}, user("Go on")]},
            {"messages": [user("Hello"), {"role": "system", "content": "Mark-7"}]},
        ),
        holds("Mark-7"),
    ),
    Feature(
        "image, base64",
        _content(
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{PNG}"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        ),
        holds(PNG),
    ),
    Feature(
        "image by URL (never fetched here)",
        _content(
            {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
            {"type": "input_image", "detail": "auto", "image_url": "https://example.org/a.png"},
            {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
        ),
        any_of('"image_url":"https://example.org/a.png"', '"url":"https://example.org/a.png"'),
        names=frozenset({"image_url"}),
    ),
    Feature(
        "PDF",
        _content(
            {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
            {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}},
        ),
        holds(PDF),
        names=frozenset({"document"}),
    ),
    Feature(
        "text document",
        _content(
            None,
            None,
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Mark-7"}},
        ),
        holds("Mark-7"),
    ),
    Feature(
        "tool calls and their results",
        _history({"content": "Mark-7"}, {"output": "Mark-7"}, {"content": "Mark-7"}),
        holds("Mark-7", "call_1", "look"),
    ),
    Feature(
        "a tool's failure (`is_error`)",
        {MESSAGES: _history({}, {}, {"content": "Mark-7", "is_error": True})[MESSAGES]},
        holds('"is_error":true'),
        holds("[ERROR]", "Mark-7"),
    ),
    Feature(
        "image in a tool's result",
        _history(
            {"content": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}]},
            {"output": [{"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{PNG}"}]},
            {"content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}]},
        ),
        holds(PNG),
    ),
    Feature(
        "custom tool with a grammar",
        {
            CHAT: _three(
                {
                    "tools": [
                        {
                            "type": "custom",
                            "custom": {
                                "name": "patch",
                                "description": "Patches",
                                "format": {
                                    "type": "grammar",
                                    "grammar": {"syntax": "lark", "definition": "start: /x/"},
                                },
                            },
                        }
                    ]
                },
                None,
                None,
            )[CHAT],
            RESPONSES: _three(
                None,
                {
                    "tools": [
                        {
                            "type": "custom",
                            "name": "patch",
                            "description": "Patches",
                            "format": {"type": "grammar", "syntax": "lark", "definition": "start: /x/"},
                        }
                    ]
                },
                None,
            )[RESPONSES],
        },
        holds('"type":"custom"', "start: /x/"),
        holds('"patch"', '"input"', "start: /x/"),
    ),
    Feature(
        "web search",
        _three(
            {"web_search_options": {}},
            {"tools": [{"type": "web_search"}]},
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        ),
        any_of('"type":"web_search"', "web_search_options"),
        names=frozenset({"web_search", "web_search_options"}),
    ),
    Feature(
        "one tool that must be called",
        _with_tools(
            {"tool_choice": {"type": "function", "function": {"name": "look"}}},
            {"tool_choice": {"type": "function", "name": "look"}},
            {"tool_choice": {"type": "tool", "name": "look"}},
        ),
        any_of('"tool_choice":{'),
    ),
    Feature(
        "no parallel calls",
        _with_tools(
            {"parallel_tool_calls": False},
            {"parallel_tool_calls": False},
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        ),
        any_of('"parallel_tool_calls":false', '"disable_parallel_tool_use":true'),
    ),
    Feature(
        "JSON schema of the answer",
        _three(
            {"response_format": {"type": "json_schema", "json_schema": {"name": "mark", "schema": SCHEMA}}},
            {"text": {"format": {"type": "json_schema", "name": "mark", "schema": SCHEMA}}},
            {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
        ),
        holds('"json_schema"', '"mark"'),
    ),
    Feature(
        "any JSON object as the answer",
        _three(
            {"response_format": {"type": "json_object"}},
            {"text": {"format": {"type": "json_object"}}},
            None,
        ),
        holds('"json_object"'),
        holds("JSON"),
    ),
    Feature(
        "stop sequences",
        _three({"stop": ["Mark-7"]}, None, {"stop_sequences": ["Mark-7"]}),
        holds("Mark-7"),
        cut_here=True,
    ),
    Feature(
        "output limit",
        _three({"max_completion_tokens": 777}, {"max_output_tokens": 777}, {"max_tokens": 777}),
        holds(":777"),
    ),
    Feature(
        "temperature",
        _three({"temperature": 0.5}, {"temperature": 0.5}, {"temperature": 0.5}),
        holds('"temperature":0.5'),
        names=frozenset({"temperature"}),
    ),
    Feature("top-k", _three(None, None, {"top_k": 7}), holds('"top_k":7'), names=frozenset({"top_k"})),
    Feature(
        "seed",
        _three({"seed": 7}, None, None),
        holds('"seed":7'),
        names=frozenset({"seed"}),
    ),
    Feature(
        "reasoning effort",
        _three(
            {"reasoning_effort": "low"},
            {"reasoning": {"effort": "low"}},
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        ),
        any_of('"effort":"low"', '"reasoning_effort":"low"'),
    ),
    Feature(
        "thinking budget",
        _three(None, None, {"max_tokens": 8000, "thinking": {"type": "enabled", "budget_tokens": 2000}}),
        any_of('"budget_tokens":2000', '"effort":"low"', '"reasoning_effort":"low"'),
    ),
    Feature(
        "log probabilities",
        _three(
            {"logprobs": True, "top_logprobs": 3},
            {"include": ["message.output_text.logprobs"], "top_logprobs": 3},
            None,
        ),
        any_of('"top_logprobs":3'),
        names=frozenset({"logprobs", "top_logprobs"}),
    ),
    Feature(
        "name of the prompt cache",
        _three({"prompt_cache_key": "Mark-7"}, {"prompt_cache_key": "Mark-7"}, None),
        holds("Mark-7"),
        any_of('"cache_control"', '"copilot_cache_control"'),
        automatic=frozenset({CHAT}),
    ),
    Feature(
        "cache breakpoints",
        _three(
            None,
            None,
            {"system": [{"type": "text", "text": "Long", "cache_control": {"type": "ephemeral"}}]},
        ),
        any_of('"cache_control"', '"copilot_cache_control"'),
        holds('"prompt_cache_key"'),
    ),
)
