"""Messages, a caller's request read as a Prompt, for a model that speaks another format.

Shape: https://docs.claude.com/en/api/messages
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw

from bridge.asked import Asked, parsed, typed
from bridge.errors import BadRequest
from bridge.formats.messages.notes import name_of_kind, without_billing_header
from bridge.formats.messages.read_blocks import BlockReader, read_cache
from bridge.formats.messages.request import parsed_list
from bridge.parts import Text
from bridge.prompt import (
    Choice,
    OutputWish,
    Prompt,
    ReasoningWish,
    Role,
    Sampling,
    Thinking,
    Tool,
    ToolChoice,
    Turn,
    WebSearch,
)

Block = dict[str, Any]
_NAMED_LOSSES = ("container", "mcp_servers", "speed", "inference_geo", "fallbacks", "user_profile_id")
_CHOICES = {"auto": Choice.AUTO, "any": Choice.REQUIRED, "tool": Choice.NAMED, "none": Choice.NONE}


def read_request(asked: Asked) -> Prompt:
    """The request as a Prompt. Raises BadRequest with the field at fault in `param`."""
    fields = asked.fields
    dropped = [name for name in _NAMED_LOSSES if name in fields and bytes(fields[name]) not in (b"null", b"[]", b"{}")]
    system, turns = _conversation(asked, dropped)
    if not turns:
        raise BadRequest("'messages' holds no content.", param="messages")
    tools, search, lost = _tools(fields, dropped)
    choice, parallel = _tool_choice(fields, lost, dropped)
    return Prompt(
        turns=turns,
        system=system,
        tools=tools,
        web_search=search,
        tool_choice=choice if tools or search is not None else None,
        parallel_calls=parallel,
        max_output=typed(fields, "max_tokens", int),
        sampling=Sampling(
            temperature=typed(fields, "temperature", float),
            top_p=typed(fields, "top_p", float),
            top_k=typed(fields, "top_k", int),
        ),
        stop=_stops(fields),
        reasoning=_reasoning(fields),
        output=_output(fields),
        dropped=tuple(dict.fromkeys(dropped)),
    )


def _conversation(asked: Asked, dropped: list[str]) -> tuple[tuple[Text, ...], tuple[Turn, ...]]:
    system = _system(asked.fields)
    turns: list[Turn] = []
    reader = BlockReader(dropped)
    for index, raw in enumerate(asked.entries):
        message: Block = parsed(raw, "messages")
        role = Role(message["role"])
        parts = reader.parts(message["content"], f"messages[{index}].content")
        if role is Role.SYSTEM and not turns:
            system += [part for part in parts if isinstance(part, Text)]
        elif parts:
            turns.append(Turn(role, parts))
    return tuple(system), tuple(turns)


def _system(fields: dict[str, Raw]) -> list[Text]:
    """Quirk messages-billing-header: that line is no instruction, and would spoil every model's prompt cache."""
    raw = fields.get("system")
    value = parsed(raw, "system") if raw is not None else None
    blocks: list[Block] = [{"text": value}] if isinstance(value, str) else parsed_list(fields, "system")
    texts: list[Text] = []
    for index, block in enumerate(blocks):
        text = block.get("text")
        if not isinstance(text, str):
            raise BadRequest("'system[%(index)d]' must be a text block.", {"index": index}, param=f"system[{index}]")
        if left := without_billing_header(text):
            texts.append(Text(left, cache=read_cache(block)))
    return texts


def _tools(fields: dict[str, Raw], dropped: list[str]) -> tuple[tuple[Tool, ...], WebSearch | None, set[str]]:
    tools: list[Tool] = []
    search: WebSearch | None = None
    lost: set[str] = set()
    for index, tool in enumerate(parsed_list(fields, "tools")):
        kind = tool.get("type") or "custom"
        if kind == "custom":
            tools.append(_tool(tool, f"tools[{index}]"))
        elif isinstance(kind, str) and kind.startswith("web_search_"):
            search = _web_search(tool)
        else:
            name = name_of_kind(kind)
            dropped.append(name)
            lost.add(str(tool.get("name") or name))
    return tuple(tools), search, lost


def _tool(tool: Block, param: str) -> Tool:
    name, schema, description = tool.get("name"), tool.get("input_schema"), tool.get("description")
    if not isinstance(name, str) or not name:
        raise BadRequest("'%(param)s.name' must be a string.", {"param": param}, param=f"{param}.name")
    if schema is not None and not isinstance(schema, dict):
        raise BadRequest("'%(param)s.input_schema' must be an object.", {"param": param}, param=f"{param}.input_schema")
    return Tool(
        name,
        description if isinstance(description, str) else None,
        schema,
        tool["strict"] if isinstance(tool.get("strict"), bool) else None,
        cache=read_cache(tool),
    )


def _web_search(tool: Block) -> WebSearch:
    location = tool.get("user_location")
    uses = tool.get("max_uses")
    return WebSearch(
        allowed_domains=_strings(tool.get("allowed_domains")),
        blocked_domains=_strings(tool.get("blocked_domains")),
        location={k: v for k, v in location.items() if isinstance(v, str)} if isinstance(location, dict) else None,
        max_uses=uses if isinstance(uses, int) and not isinstance(uses, bool) else None,
    )


def _tool_choice(fields: dict[str, Raw], lost: set[str], dropped: list[str]) -> tuple[ToolChoice | None, bool | None]:
    value = typed(fields, "tool_choice", dict)
    if value is None:
        return None, None
    single = value.get("disable_parallel_tool_use")
    parallel = not single if isinstance(single, bool) else None
    choice, name = _CHOICES.get(str(value.get("type"))), value.get("name")
    if choice is None:
        words = ", ".join(_CHOICES)
        raise BadRequest("'tool_choice.type' must be one of %(words)s.", {"words": words}, param="tool_choice.type")
    if choice is not Choice.NAMED:
        return ToolChoice(choice), parallel
    if not isinstance(name, str):
        raise BadRequest("'tool_choice.name' must be a string.", param="tool_choice.name")
    if name in lost:
        dropped.append("tool_choice")
        return None, parallel
    return ToolChoice(choice, name), parallel


def _stops(fields: dict[str, Raw]) -> tuple[str, ...]:
    stops = typed(fields, "stop_sequences", list) or []
    if not all(isinstance(stop, str) for stop in stops):
        raise BadRequest("'stop_sequences' must be a list of strings.", param="stop_sequences")
    return tuple(stop for stop in stops if stop)


def _reasoning(fields: dict[str, Raw]) -> ReasoningWish:
    thinking = typed(fields, "thinking", dict) or {}
    config = typed(fields, "output_config", dict) or {}
    kind, budget = thinking.get("type"), thinking.get("budget_tokens")
    effort, display = config.get("effort"), thinking.get("display")
    return ReasoningWish(
        effort=effort if isinstance(effort, str) else "",
        budget=budget if isinstance(budget, int) and not isinstance(budget, bool) else None,
        thinking=Thinking(kind) if kind in ("enabled", "adaptive", "disabled") else None,
        summary=display if isinstance(display, str) else "",
    )


def _output(fields: dict[str, Raw]) -> OutputWish | None:
    config = typed(fields, "output_config", dict) or {}
    wish = config.get("format") or typed(fields, "output_format", dict)
    if wish is None:
        return None
    schema = wish.get("schema") if isinstance(wish, dict) else None
    if not isinstance(wish, dict) or wish.get("type") != "json_schema" or not isinstance(schema, dict):
        raise BadRequest("'output_config.format' must be a json_schema with a schema.", param="output_config.format")
    return OutputWish(schema, name=str(wish.get("name") or ""))


def _strings(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
