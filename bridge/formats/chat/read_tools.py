"""Chat Completions, request side: tools and the choice among them, read into the hub's values.

`functions` and `function_call` are what clients sent before there were `tools`; they mean the same.
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw

from bridge.asked import parsed, typed
from bridge.errors import BadRequest
from bridge.formats.chat.read_parts import cache_of
from bridge.parts import CallKind
from bridge.prompt import Choice, Tool, ToolChoice

_WORDS = {"auto": Choice.AUTO, "none": Choice.NONE, "required": Choice.REQUIRED}


def read_tools(fields: dict[str, Raw], dropped: list[str]) -> tuple[Tool, ...]:
    """The tools of a request; kinds that are unknown here are added to `dropped` by name. Raises BadRequest."""
    tools: list[Tool] = []
    for index, listed in enumerate(typed(fields, "tools", list) or []):
        place = f"tools[{index}]"
        match listed:
            case {"type": "function", "function": dict(function)} | {"function": dict(function)}:
                tools.append(_function(function, listed, f"{place}.function"))
            case {"type": "custom", "custom": dict(custom)}:
                tools.append(_custom(custom, listed, f"{place}.custom"))
            case {"type": "function" | "custom"}:
                raise BadRequest("'%(place)s' must have a member named like its type.", {"place": place}, param=place)
            case {"type": str(kind)}:
                dropped.append(kind)
            case _:
                raise BadRequest("'%(place)s' must be an object with a 'type'.", {"place": place}, param=place)
    for index, listed in enumerate(typed(fields, "functions", list) or []):
        if not isinstance(listed, dict):
            raise BadRequest("'functions' must list objects.", param=f"functions[{index}]")
        tools.append(_function(listed, listed, f"functions[{index}]"))
    return tuple(tools)


def read_choice(fields: dict[str, Raw]) -> ToolChoice | None:
    """The wish among the tools, None when none was said. Raises BadRequest."""
    name = "tool_choice" if "tool_choice" in fields else "function_call"
    value: Any = parsed(fields[name], name) if name in fields else None
    match value:
        case None:
            return None
        case "auto" | "none" | "required":
            return ToolChoice(_WORDS[value])
        case {"type": "allowed_tools", "allowed_tools": {"mode": "auto" | "required" as mode, "tools": list(listed)}}:
            return ToolChoice(_WORDS[mode], allowed=tuple(_allowed_names(listed)))
        case {"type": "custom", "custom": {"name": str(chosen)}}:
            return ToolChoice(Choice.NAMED, name=chosen, kind=CallKind.CUSTOM)
        case {"function": {"name": str(chosen)}}:
            return ToolChoice(Choice.NAMED, name=chosen)
        case {"name": str(chosen)} if name == "function_call":
            return ToolChoice(Choice.NAMED, name=chosen)
        case _:
            raise BadRequest(
                "'%(name)s' must be auto, none, required, or an object that names a tool.", {"name": name}, param=name
            )


def _function(function: dict[str, Any], listed: dict[str, Any], place: str) -> Tool:
    schema, strict = function.get("parameters"), function.get("strict")
    if schema is not None and not isinstance(schema, dict):
        raise BadRequest("'%(place)s.parameters' must be a JSON schema.", {"place": place}, param=f"{place}.parameters")
    return Tool(
        name=_name(function, place),
        description=_description(function, place),
        schema=schema,
        strict=strict if isinstance(strict, bool) else None,
        cache=cache_of(listed, function),
    )


def _custom(custom: dict[str, Any], listed: dict[str, Any], place: str) -> Tool:
    grammar = syntax = ""
    match custom.get("format"):
        case {"type": "grammar", "grammar": {"syntax": str(syntax), "definition": str(grammar)}}:
            pass
        case {"type": "grammar", "syntax": str(syntax), "definition": str(grammar)}:
            pass
    return Tool(
        name=_name(custom, place),
        description=_description(custom, place),
        kind=CallKind.CUSTOM,
        grammar=grammar,
        syntax=syntax,
        cache=cache_of(listed, custom),
    )


def _name(tool: dict[str, Any], place: str) -> str:
    name = tool.get("name")
    if not isinstance(name, str) or not name:
        raise BadRequest("'%(place)s.name' must be a string.", {"place": place}, param=f"{place}.name")
    return name


def _description(tool: dict[str, Any], place: str) -> str | None:
    description = tool.get("description")
    if description is None or isinstance(description, str):
        return description
    raise BadRequest("'%(place)s.description' must be a string.", {"place": place}, param=f"{place}.description")


def _allowed_names(listed: list[Any]) -> list[str]:
    names = [
        named.get("name")
        for tool in listed
        if isinstance(tool, dict) and isinstance(named := tool.get("function") or tool.get("custom"), dict)
    ]
    return [name for name in names if isinstance(name, str)]
