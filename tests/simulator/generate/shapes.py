"""The JSON types each endpoint wants, checked before any rule looks at a body.

A shape is a type (`str`, `int`, `float` for any number, `bool`, `dict`, `list`), `None`, a tuple of alternatives, a
list with the shape of its elements, a dict of fields (all optional; unlisted ones are left alone), or a `Map` of
arbitrary names to one shape. `misfit` names the first place that does not fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Map:
    """An object whose values, under whatever names, all have one shape."""

    values: Any


SCHEMA: dict[str, Any] = {
    "type": (str, [str]), "required": [str], "enum": list, "$ref": str, "format": str, "description": str,
    "minItems": int,
    "minLength": int, "maxLength": int, "minimum": float, "maximum": float, "exclusiveMinimum": float,
    "exclusiveMaximum": float, "multipleOf": float,
}  # fmt: skip
_SUB = (bool, SCHEMA)
SCHEMA |= {
    "properties": Map(_SUB), "$defs": Map(_SUB), "items": _SUB, "anyOf": [SCHEMA], "oneOf": [SCHEMA], "allOf": [SCHEMA],
}  # fmt: skip

_CACHE = ({"type": str}, None)
_FUNCTION = {"name": str, "description": (str, None), "parameters": (SCHEMA, None)}
_CHAT_TOOL = {"type": str, "function": _FUNCTION, "custom": _FUNCTION}
_CHAT_PART = {"type": str, "text": str, "image_url": {"url": str}}
_CHAT_CALL = {"id": str, "type": str, "function": {"name": str, "arguments": str}, "custom": dict}
CHAT: dict[str, Any] = {
    "messages": [
        {
            "role": str,
            "content": (str, [_CHAT_PART], None),
            "tool_calls": ([_CHAT_CALL], None),
            "tool_call_id": (str, None),
        }
    ],
    "tools": ([_CHAT_TOOL], None),
    "functions": ([_FUNCTION], None),
    "tool_choice": (str, {"type": str, "function": {"name": str}, "custom": {"name": str}}, None),
    "response_format": ({"type": str, "json_schema": {"name": str, "schema": SCHEMA}}, None),
    "stop": (str, [str], None),
    "stream": (bool, None),
    "max_tokens": (int, None),
    "max_completion_tokens": (int, None),
    "reasoning_effort": (str, None),
    "prediction": ({"type": str, "content": (str, list)}, None),
    "parallel_tool_calls": (bool, None),
    "temperature": (float, None),
    "top_p": (float, None),
}

_BLOCK: dict[str, Any] = {
    "type": str, "id": str, "name": str, "input": dict, "tool_use_id": str, "thinking": str, "signature": str,
    "data": str,
    "source": {"type": str, "media_type": str, "data": str, "url": str}, "cache_control": _CACHE,
}  # fmt: skip
_BLOCK["content"] = (str, [_BLOCK], dict, None)
MESSAGES: dict[str, Any] = {
    "messages": [{"role": str, "content": (str, [_BLOCK])}],
    "system": (str, [{"type": str, "text": str, "cache_control": _CACHE}], None),
    "tools": (
        [{"type": (str, None), "name": str, "description": str, "input_schema": SCHEMA, "cache_control": _CACHE}],
        None,
    ),
    "tool_choice": ({"type": str, "name": str, "disable_parallel_tool_use": bool}, None),
    "thinking": ({"type": str}, None),
    "output_config": ({"effort": (str, None), "format": ({"type": str, "schema": SCHEMA}, None)}, None),
    "metadata": (dict, None),
    "stop_sequences": ([str], None),
    "max_tokens": int,
    "stream": (bool, None),
    "temperature": (float, None),
    "top_p": (float, None),
    "top_k": (int, None),
    "cache_control": _CACHE,
    "service_tier": (str, None),
}

_RESPONSE_TOOL: dict[str, Any] = {
    "type": str, "name": (str, None), "description": (str, None), "parameters": (SCHEMA, None), "strict": (bool, None),
}  # fmt: skip
_RESPONSE_TOOL["tools"] = [_RESPONSE_TOOL]
_RESPONSE_PART = {"type": str, "text": str, "image_url": (str, None), "refusal": str}
RESPONSES: dict[str, Any] = {
    "input": (
        str,
        [
            {
                "type": str, "role": str, "content": (str, [_RESPONSE_PART], None), "call_id": (str, None), "name": str,
                "arguments": (str, dict), "input": str, "output": (str, [_RESPONSE_PART]), "tools": [_RESPONSE_TOOL],
                "summary": [dict], "encrypted_content": (str, None), "action": dict,
            }
        ],
    ),
    "tools": ([_RESPONSE_TOOL], None),
    "tool_choice": (str, {"type": str, "name": str, "mode": str}, None),
    "text": ({"verbosity": (str, None), "format": ({"type": str, "name": str, "schema": SCHEMA}, None)}, None),
    "reasoning": ({"effort": (str, None), "summary": (str, None), "context": (str, None)}, None),
    "include": ([str], None),
    "context_management": ([{"type": str, "compact_threshold": float}], None),
    "max_output_tokens": (int, None),
    "instructions": (str, None),
    "metadata": (dict, None),
    "stream": (bool, None),
    "parallel_tool_calls": (bool, None),
}  # fmt: skip


def misfit(value: Any, shape: Any, path: tuple[str | int, ...] = ()) -> tuple[str | int, ...] | None:
    """The path of the first place in `value` that does not fit, or None when all does."""
    if isinstance(shape, tuple):
        return _none_of(value, shape, path)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return path
        return _first(misfit(inner, shape[0], (*path, number)) for number, inner in enumerate(value))
    if isinstance(shape, Map):
        if not isinstance(value, dict):
            return path
        return _first(misfit(inner, shape.values, (*path, name)) for name, inner in value.items())
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return path
        return _first(misfit(value[name], inner, (*path, name)) for name, inner in shape.items() if name in value)
    return None if _is(value, shape) else path


def _none_of(value: Any, shapes: tuple[Any, ...], path: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
    """None when some alternative fits, else the deepest misfit."""
    found = [misfit(value, shape, path) for shape in shapes]
    if None in found:
        return None
    return max((place for place in found if place is not None), key=len)


def _first(places: Any) -> tuple[str | int, ...] | None:
    return next((place for place in places if place is not None), None)


def _is(value: Any, shape: Any) -> bool:
    if shape is None:
        return value is None
    if isinstance(value, bool):
        return shape is bool
    return isinstance(value, int | float if shape is float else shape)


def dotted(path: tuple[str | int, ...]) -> str:
    """`messages.0.content`, as Anthropic writes it."""
    return ".".join(str(part) for part in path)


def bracketed(path: tuple[str | int, ...]) -> str:
    """`messages[0].content`, as OpenAI writes it."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")
