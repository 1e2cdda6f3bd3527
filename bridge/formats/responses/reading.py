"""A Responses request read into a Prompt.

What other dialects cannot say is named in `Prompt.dropped`, unless it asked for nothing.
Shape: https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw

from bridge.asked import Asked, parsed, typed
from bridge.formats.responses.members import mapping, text
from bridge.formats.responses.reading_items import Conversation
from bridge.formats.responses.reading_tools import ToolReader, read_choice
from bridge.parts import Text
from bridge.prompt import OutputWish, Prompt, ReasoningWish, Sampling, Thinking

_READ = frozenset(
    {
        "model",
        "input",
        "instructions",
        "stream",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_output_tokens",
        "temperature",
        "top_p",
        "top_logprobs",
        "reasoning",
        "include",
        "text",
        "prompt_cache_key",
    }
)
# The gateway's own part, notes of a client program, and what every answer has anyway.
_SILENT = frozenset({"store", "previous_response_id", "client_metadata", "stream_options"})
_NOTHING = frozenset({b"null", b"false", b"{}", b"[]", b'""', b'"auto"', b'"default"', b'"disabled"'})
_LOGPROBS = "message.output_text.logprobs"
_NATURAL_INCLUDES = frozenset({"usage", "reasoning.encrypted_content", "web_search_call.action.sources", _LOGPROBS})


def read_request(asked: Asked) -> Prompt:
    """The request that `asked` opened. Raises BadRequest with the member at fault in `param`."""
    fields = asked.fields
    tools = ToolReader()
    for index, tool in enumerate(typed(fields, "tools", list) or []):
        tools.read(tool, f"tools[{index}]")
    conversation = Conversation(tools)
    for index, entry in enumerate(asked.entries):
        conversation.read(parsed(entry, f"input[{index}]"), f"input[{index}]")
    dropped = [*_unsaid(fields), *_unread_includes(fields), *conversation.dropped, *tools.dropped]
    choice, is_known = read_choice(parsed(fields["tool_choice"], "tool_choice") if "tool_choice" in fields else None)
    if not is_known:
        dropped.append("tool_choice")
    instructions = typed(fields, "instructions", str)
    wish = typed(fields, "text", dict) or {}
    return Prompt(
        turns=conversation.turns,
        system=(*((Text(instructions),) if instructions else ()), *conversation.system),
        tools=tuple(tools.tools),
        web_search=tools.web_search,
        tool_choice=choice,
        parallel_calls=typed(fields, "parallel_tool_calls", bool),
        max_output=typed(fields, "max_output_tokens", int),
        sampling=Sampling(temperature=typed(fields, "temperature", float), top_p=typed(fields, "top_p", float)),
        reasoning=_reasoning(typed(fields, "reasoning", dict) or {}),
        output=_output(wish),
        verbosity=text(wish, "verbosity", "text"),
        top_logprobs=_top_logprobs(fields),
        cache_key=typed(fields, "prompt_cache_key", str) or "",
        dropped=tuple(dict.fromkeys(name for name in dropped if name)),
    )


def _reasoning(wish: dict[str, Any]) -> ReasoningWish:
    summary = text(wish, "summary", "reasoning") or text(wish, "generate_summary", "reasoning")
    effort = text(wish, "effort", "reasoning")
    # At OpenAI who speaks of reasoning without an effort gets the model's usual one, and not none at all.
    thinking = Thinking.ADAPTIVE if wish and not effort else None
    return ReasoningWish(effort=effort, summary=summary, thinking=thinking)


def _output(wish: dict[str, Any]) -> OutputWish | None:
    form = mapping(wish, "format", "text") or {}
    match form.get("type"):
        case "json_schema":
            place = "text.format"
            return OutputWish(
                schema=mapping(form, "schema", place) or {},
                name=text(form, "name", place),
                description=text(form, "description", place),
                strict=form["strict"] if isinstance(form.get("strict"), bool) else None,
            )
        case "json_object":
            return OutputWish()
        case _:
            return None


def _top_logprobs(fields: dict[str, Raw]) -> int | None:
    """None unless log probabilities are wished for: `top_logprobs: 0` alone is the default."""
    count = typed(fields, "top_logprobs", int)
    if _LOGPROBS in (typed(fields, "include", list) or []):
        return count or 0
    return count or None


def _unsaid(fields: dict[str, Raw]) -> list[str]:
    unread = sorted(fields.keys() - _READ - _SILENT)
    return [name for name in unread if bytes(fields[name]) not in _NOTHING]


def _unread_includes(fields: dict[str, Raw]) -> list[str]:
    named = [name for name in typed(fields, "include", list) or [] if isinstance(name, str)]
    return [name for name in named if name not in _NATURAL_INCLUDES]
