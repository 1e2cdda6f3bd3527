"""Chat Completions, request side: a caller's body read into the hub's Prompt.

What only OpenAI itself could do, and fields unknown here, are named in `Prompt.dropped` unless they ask for nothing.
Shape: https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw

from bridge.asked import Asked, parsed, typed
from bridge.errors import BadRequest
from bridge.formats.chat.read_tools import read_choice, read_tools
from bridge.formats.chat.read_turns import TurnReader
from bridge.prompt import OutputWish, Prompt, ReasoningWish, Sampling, WebSearch

# What is read here, or means nothing to any other upstream than the one it was edited for.
_READ = frozenset(
    {
        "model",
        "messages",
        "stream",
        "stream_options",
        "n",
        "tools",
        "tool_choice",
        "functions",
        "function_call",
        "parallel_tool_calls",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "top_k",
        "presence_penalty",
        "frequency_penalty",
        "seed",
        "logit_bias",
        "stop",
        "reasoning_effort",
        "thinking_budget",
        "verbosity",
        "response_format",
        "logprobs",
        "top_logprobs",
        "web_search_options",
        "prompt_cache_key",
    }
)
_NOTHING: tuple[Any, ...] = (None, False, "", "auto", "default", [], {}, ["text"])


def read_request(asked: Asked) -> Prompt:
    """The prompt that a caller's body holds. Raises BadRequest with the field at fault in `param`."""
    fields = asked.fields
    reader = TurnReader()
    for index, raw in enumerate(asked.entries):
        reader.read(index, raw)
    dropped = list(reader.dropped)
    tools = read_tools(fields, dropped)
    limit = typed(fields, "max_completion_tokens", int)
    dropped += [name for name in fields if name not in _READ and not _asks_for_nothing(name, fields[name])]
    return Prompt(
        turns=tuple(reader.turns),
        system=tuple(reader.system),
        tools=tools,
        web_search=_web_search(fields),
        tool_choice=read_choice(fields),
        parallel_calls=typed(fields, "parallel_tool_calls", bool),
        max_output=typed(fields, "max_tokens", int) if limit is None else limit,
        sampling=_sampling(fields),
        stop=_stop(fields),
        reasoning=ReasoningWish(
            effort=typed(fields, "reasoning_effort", str) or "", budget=typed(fields, "thinking_budget", int)
        ),
        output=_output(fields),
        verbosity=typed(fields, "verbosity", str) or "",
        top_logprobs=(typed(fields, "top_logprobs", int) or 0) if typed(fields, "logprobs", bool) else None,
        cache_key=typed(fields, "prompt_cache_key", str) or "",
        dropped=tuple(dict.fromkeys(dropped)),
    )


def _asks_for_nothing(name: str, raw: Raw) -> bool:
    if bytes(raw) in (b"null", b"false", b"{}", b"[]", b'""'):
        return True
    value = parsed(raw, name)
    if name == "prediction" and isinstance(value, dict):
        return value.get("content") in ("", [], None)
    return value in _NOTHING


def _sampling(fields: dict[str, Raw]) -> Sampling:
    bias = typed(fields, "logit_bias", dict)
    if bias is not None and not all(isinstance(value, int | float) for value in bias.values()):
        raise BadRequest("'logit_bias' must map tokens to numbers.", param="logit_bias")
    return Sampling(
        temperature=typed(fields, "temperature", float),
        top_p=typed(fields, "top_p", float),
        top_k=typed(fields, "top_k", int),
        presence_penalty=typed(fields, "presence_penalty", float),
        frequency_penalty=typed(fields, "frequency_penalty", float),
        seed=typed(fields, "seed", int),
        logit_bias=bias or None,
    )


def _stop(fields: dict[str, Raw]) -> tuple[str, ...]:
    value: Any = parsed(fields["stop"], "stop") if "stop" in fields else None
    listed = [value] if isinstance(value, str) else value or []
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise BadRequest("'stop' must be a string or a list of strings.", param="stop")
    return tuple(each for each in listed if each)


def _output(fields: dict[str, Raw]) -> OutputWish | None:
    wish = typed(fields, "response_format", dict)
    match wish:
        case None | {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return OutputWish()
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)} as named}:
            name, description, strict = named.get("name"), named.get("description"), named.get("strict")
            return OutputWish(
                schema=schema,
                name=name if isinstance(name, str) else "",
                description=description if isinstance(description, str) else "",
                strict=strict if isinstance(strict, bool) else None,
            )
        case {"type": "json_schema", "json_schema": dict()}:
            return OutputWish()
        case _:
            raise BadRequest(
                "'response_format' must be of type text, json_object or json_schema (with 'json_schema').",
                param="response_format",
            )


def _web_search(fields: dict[str, Raw]) -> WebSearch | None:
    wish = typed(fields, "web_search_options", dict)
    if wish is None:
        return None
    size = wish.get("search_context_size")
    return WebSearch(location=_location(wish.get("user_location")), context_size=size if isinstance(size, str) else "")


def _location(told: Any) -> dict[str, str] | None:
    place = told.get("approximate") if isinstance(told, dict) else None
    if not isinstance(place, dict):
        return None
    return {"type": "approximate"} | {name: value for name, value in place.items() if isinstance(value, str)}
