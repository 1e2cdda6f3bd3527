"""A Responses request for a model that speaks Responses: edited where the upstream demands it, else as it came.

What is lost by an edit is named in `Written.dropped`, unless the member asked for nothing.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from msgspec import Raw

from bridge.asked import Asked, Written, typed
from bridge.effort import nearest_effort
from bridge.errors import BadRequest
from bridge.formats.responses.families import SAMPLING, takes_reasoning, takes_sampling
from bridge.formats.responses.history import History
from bridge.formats.responses.toolset import Toolset, edited_choice, edited_tools
from bridge.target import Target, WireProfile

LEAST_OUTPUT = 16
_LONGEST_KEY = 64
_INCLUDES = (
    "reasoning.encrypted_content",
    "web_search_call.action.sources",
    "web_search_call.results",
    "message.output_text.logprobs",
    "message.input_image.image_url",
)
_KEPT = frozenset(
    {
        "model",
        "input",
        "instructions",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_output_tokens",
        "max_tool_calls",
        "temperature",
        "top_p",
        "top_logprobs",
        "reasoning",
        "include",
        "text",
        "truncation",
        "user",
        "prompt_cache_key",
        "prompt_cache_retention",
        "context_management",
        "client_metadata",
    }
)
_NEEDED = frozenset({"model", "input", "stream", "store"})
# The gateway's own part (kept responses), or of no weight to the answer: left out without a word.
_SILENT = frozenset({"stream", "store", "previous_response_id", "client_metadata", "stream_options"})
_NOTHING = frozenset({b"null", b"false", b"{}", b"[]", b'""', b'"auto"', b'"default"'})
_USUAL = frozenset({b"null", b"1", b"1.0"})
_encode = msgspec.json.Encoder().encode


def edit_request(asked: Asked, target: Target) -> Written:
    """The body for the upstream: streamed, not stored, within what `target` takes. Raises BadRequest."""
    fields = dict(asked.fields)
    dropped: list[str] = []
    _drop_members(fields, target, dropped)
    fields["model"] = Raw(_encode(target.model))
    fields["stream"] = Raw(b"true")
    fields["store"] = Raw(b"false")
    if "include" not in target.refused:
        _edit_include(fields, dropped)
    _bound_output(fields, target)
    _edit_reasoning(fields, target, dropped)
    _name_cache(fields, target)
    _edit_conversation(fields, asked, target, dropped)
    return Written(_encode(fields), tuple(dict.fromkeys(name for name in dropped if name)))


def cache_key(key: str) -> str:
    """Quirk responses-key-length: a key for the prompt cache of more than 64 characters is refused."""
    return key if len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def bounded_output(asked: int, target: Target) -> int:
    """Quirk responses-output-limit: fewer than 16 tokens and more than the model's own limit are refused."""
    return max(LEAST_OUTPUT, min(asked, target.max_output_tokens or asked))


def _drop_members(fields: dict[str, Raw], target: Target, dropped: list[str]) -> None:
    """Quirk responses-members: what only makes sense at OpenAI itself, and what is unknown, is answered with 400."""
    refused = set(fields.keys() - _KEPT) | (target.refused & fields.keys())
    if not takes_sampling(target):
        refused |= fields.keys() & set(SAMPLING)
    if target.profile is not WireProfile.LITE:
        refused |= fields.keys() & {"client_metadata"}
    user = fields.get("user")
    if user is not None and len(user) > _LONGEST_KEY + 2:  # and the quotes
        refused.add("user")
    for name in sorted(refused - _NEEDED):
        value = bytes(fields.pop(name))
        nothing = _USUAL if name in SAMPLING else _NOTHING
        if name not in _SILENT and value not in nothing:
            dropped.append(name)


def _edit_include(fields: dict[str, Raw], dropped: list[str]) -> None:
    """Quirk responses-include: `usage` and unknown names are refused; ciphertext must be asked for to go on with."""
    asked: list[Any] = typed(fields, "include", list) or []
    kept = [name for name in asked if name in _INCLUDES]
    dropped.extend(name for name in asked if isinstance(name, str) and name not in (*_INCLUDES, "usage"))
    if _INCLUDES[0] not in kept:
        kept.append(_INCLUDES[0])
    if kept != asked:
        fields["include"] = Raw(_encode(kept))


def _bound_output(fields: dict[str, Raw], target: Target) -> None:
    asked = typed(fields, "max_output_tokens", int)
    if asked is not None and (bounded := bounded_output(asked, target)) != asked:
        fields["max_output_tokens"] = Raw(str(bounded).encode())


def _edit_reasoning(fields: dict[str, Raw], target: Target, dropped: list[str]) -> None:
    """Quirk responses-reasoning: an effort that is not listed is refused, so is `context` outside of its profile."""
    asked: dict[str, Any] | None = typed(fields, "reasoning", dict)
    if asked is None:
        return
    if not takes_reasoning(target):
        del fields["reasoning"]
        if any(value is not None for name, value in asked.items() if name in ("effort", "summary")):
            dropped.append("reasoning")
        return
    reasoning = dict(asked)
    if target.profile is not WireProfile.LITE:
        reasoning.pop("context", None)
    effort = reasoning.get("effort")
    if isinstance(effort, str) and target.efforts is not None and effort not in target.efforts:
        dropped.append("reasoning.effort")
        nearest = nearest_effort(effort, target.efforts)
        reasoning = {name: value for name, value in reasoning.items() if name != "effort"}
        reasoning |= {"effort": nearest} if nearest else {}
    if reasoning != asked:
        fields["reasoning"] = Raw(_encode(reasoning))


def _name_cache(fields: dict[str, Raw], target: Target) -> None:
    asked = typed(fields, "prompt_cache_key", str)
    key = cache_key(asked or target.cache_key)
    if key and key != asked and "prompt_cache_key" not in target.refused:
        fields["prompt_cache_key"] = Raw(_encode(key))


def _edit_conversation(fields: dict[str, Raw], asked: Asked, target: Target, dropped: list[str]) -> None:
    history = History(asked.entries, target)
    dropped.extend(history.dropped)
    raw = fields.get("tools")
    toolset = edited_tools(raw, target) if raw is not None and bytes(raw) != b"null" else Toolset([])
    dropped.extend(toolset.dropped)
    tools = toolset.tools + history.tools
    items = history.items
    if toolset.moved:
        item = {"type": "additional_tools", "role": "developer", "tools": toolset.moved}
        items = [Raw(_encode(item)), *items]
    if not history.items:
        raise BadRequest("'input' holds nothing that can be sent to this model.", param="input")
    if len(items) != len(asked.entries) or any(new is not old for new, old in zip(items, asked.entries, strict=True)):
        fields["input"] = Raw(_encode(items))
    if tools:
        fields["tools"] = Raw(_encode(tools))
    else:
        fields.pop("tools", None)
    if "tool_choice" in fields:
        _edit_choice(fields, toolset, bool(tools or toolset.moved), dropped)


def _edit_choice(fields: dict[str, Raw], toolset: Toolset, has_tools: bool, dropped: list[str]) -> None:
    raw = fields["tool_choice"]
    choice = edited_choice(raw, toolset.dropped, has_tools=has_tools)
    if choice is not None:
        fields["tool_choice"] = choice
        return
    del fields["tool_choice"]
    if bytes(raw) not in (b'"auto"', b'"none"'):
        dropped.append("tool_choice")
