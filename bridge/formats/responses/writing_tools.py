"""Tools and tool choice of a Prompt, written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.formats.responses.toolset import PLACEHOLDER
from bridge.parts import CallKind
from bridge.prompt import Choice, Tool, ToolChoice, WebSearch


def write_tools(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """Functions and custom tools, those of one namespace together where its first one stood."""
    written: list[dict[str, Any]] = []
    namespaces: dict[str, list[dict[str, Any]]] = {}
    for tool in tools:
        if not tool.namespace:
            written.append(_tool(tool))
        elif tool.namespace in namespaces:
            namespaces[tool.namespace].append(_tool(tool))
        else:
            inner = namespaces[tool.namespace] = [_tool(tool)]
            description = tool.namespace_description or PLACEHOLDER
            written.append({"type": "namespace", "name": tool.namespace, "description": description, "tools": inner})
    return written


def write_choice(choice: ToolChoice) -> str | dict[str, Any]:
    if choice.choice is Choice.NAMED:
        return _named(choice.kind, choice.name, choice.namespace)
    if not choice.allowed:
        return choice.choice.value
    allowed = [_named(CallKind.FUNCTION, name, "") for name in choice.allowed]
    return {"type": "allowed_tools", "mode": choice.choice.value, "tools": allowed}


def write_web_search(wish: WebSearch, dropped: list[str]) -> dict[str, Any]:
    """The server tool; domains to leave out are not in the format."""
    tool: dict[str, Any] = {"type": "web_search"}
    if wish.allowed_domains:
        tool["filters"] = {"allowed_domains": list(wish.allowed_domains)}
    if wish.blocked_domains:
        dropped.append("blocked_domains")
    if wish.location is not None:
        tool["user_location"] = {"type": "approximate", **wish.location}
    if wish.context_size:
        tool["search_context_size"] = wish.context_size
    return tool


def _tool(tool: Tool) -> dict[str, Any]:
    written: dict[str, Any] = {"type": tool.kind.value, "name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description or PLACEHOLDER
    if tool.kind is CallKind.CUSTOM:
        if tool.grammar:
            written["format"] = {"type": "grammar", "syntax": tool.syntax or "lark", "definition": tool.grammar}
        return written
    written["parameters"] = tool.schema if tool.schema is not None else {"type": "object", "properties": {}}
    written["strict"] = bool(tool.strict)  # the format's own default is true, every other dialect's is false
    return written


def _named(kind: CallKind, name: str, namespace: str) -> dict[str, Any]:
    named = {"type": kind.value, "name": name}
    return named | {"namespace": namespace} if namespace else named
