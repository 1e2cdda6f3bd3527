"""Tools and tool choice of a Responses request, read."""

from __future__ import annotations

from typing import Any

from bridge.errors import BadRequest
from bridge.formats.responses.kinds import is_web_search
from bridge.formats.responses.members import flag, mapping, objects, text
from bridge.parts import CallKind
from bridge.prompt import Choice, Tool, ToolChoice, WebSearch

LOCAL_SHELL = Tool(
    name="local_shell",
    description="Runs a command in a shell on the user's machine and gives back what it printed.",
    schema={
        "type": "object",
        "properties": {
            "type": {"type": "string", "enum": ["exec"]},
            "command": {"type": "array", "items": {"type": "string"}, "description": "The program and its arguments."},
            "env": {"type": "object", "additionalProperties": {"type": "string"}},
            "timeout_ms": {"type": "integer"},
            "working_directory": {"type": "string"},
            "user": {"type": "string"},
        },
        "required": ["type", "command", "env"],
    },
)
_SIMPLE = {"auto": Choice.AUTO, "none": Choice.NONE, "required": Choice.REQUIRED}
_PLACE = ("city", "country", "region", "timezone")


class ToolReader:
    """`read` each tool; those another dialect cannot say are named in `dropped` by their type."""

    def __init__(self) -> None:
        self.tools: list[Tool] = []
        self.web_search: WebSearch | None = None
        self.dropped: list[str] = []

    def read(self, tool: Any, param: str) -> None:
        if not isinstance(tool, dict):
            raise BadRequest("'%(name)s' must be an object.", {"name": param}, param=param)
        kind = text(tool, "type", param) or "function"
        if kind in ("function", "custom"):
            self.tools.append(_client_tool(tool, kind, param))
        elif kind == "namespace":
            self._read_namespace(tool, param)
        elif kind == "local_shell":
            self.tools.append(LOCAL_SHELL)
        elif is_web_search(kind):
            self.web_search = _web_search(tool, param)
        else:
            self.dropped.append(kind)

    def _read_namespace(self, tool: dict[str, Any], param: str) -> None:
        name, description = text(tool, "name", param), text(tool, "description", param)
        for inner in objects(tool, "tools", param):
            kind = text(inner, "type", f"{param}.tools") or "function"
            if kind in ("function", "custom"):
                self.tools.append(_client_tool(inner, kind, f"{param}.tools", name, description))
            else:
                self.dropped.append(kind)


def read_choice(choice: Any) -> tuple[ToolChoice | None, bool]:
    """The tool choice, and False when it is one that other dialects cannot say (it names a tool of OpenAI's own)."""
    if choice is None:
        return None, True
    if isinstance(choice, str):
        return (ToolChoice(_SIMPLE[choice]), True) if choice in _SIMPLE else (None, False)
    if not isinstance(choice, dict):
        raise BadRequest("'tool_choice' must be a string or an object.", param="tool_choice")
    name, kind = text(choice, "name", "tool_choice"), choice.get("type")
    match kind:
        case "function" | "custom" if name:
            named = ToolChoice(Choice.NAMED, name, text(choice, "namespace", "tool_choice"), CallKind(kind))
            return named, True
        case "local_shell":
            return ToolChoice(Choice.NAMED, LOCAL_SHELL.name), True
        case "allowed_tools":
            mode = Choice.REQUIRED if choice.get("mode") == "required" else Choice.AUTO
            names = [text(each, "name", "tool_choice.tools") for each in objects(choice, "tools", "tool_choice")]
            allowed = tuple(each for each in names if each)
            return ToolChoice(mode, allowed=allowed), bool(allowed)
        case _:
            return None, False


def _client_tool(tool: dict[str, Any], kind: str, param: str, namespace: str = "", description: str = "") -> Tool:
    name = text(tool, "name", param)
    if not name:
        raise BadRequest("'%(name)s.name' is missing.", {"name": param}, param=f"{param}.name")
    form = mapping(tool, "format", param) or {}
    is_custom = kind == "custom"
    return Tool(
        name=name,
        description=text(tool, "description", param) if tool.get("description") is not None else None,
        schema=None if is_custom else mapping(tool, "parameters", param),
        strict=None if is_custom else flag(tool, "strict", param),
        kind=CallKind(kind),
        grammar=text(form, "definition", f"{param}.format"),
        syntax=text(form, "syntax", f"{param}.format"),
        namespace=namespace,
        namespace_description=description,
    )


def _web_search(tool: dict[str, Any], param: str) -> WebSearch:
    filters = mapping(tool, "filters", param) or {}
    location = mapping(tool, "user_location", param)
    place = {name: value for name, value in (location or {}).items() if name in _PLACE and isinstance(value, str)}
    return WebSearch(
        allowed_domains=_domains(filters.get("allowed_domains")),
        blocked_domains=_domains(filters.get("blocked_domains")),
        location=place or None,
        context_size=text(tool, "search_context_size", param),
    )


def _domains(value: Any) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
