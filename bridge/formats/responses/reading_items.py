"""The items of a Responses request, read into turns: each kind has its rule, and none is an error.

Items of the assistant that follow each other are one turn, so are outputs; messages of the user stay turns of their
own. Instructions at the head are the system's, later ones turns between the others.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bridge.errors import BadRequest
from bridge.formats.responses.members import listed, objects, text
from bridge.formats.responses.opening import item_type
from bridge.formats.responses.reading_parts import read_parts
from bridge.formats.responses.reading_tools import ToolReader
from bridge.parts import (
    Call,
    CallKind,
    Compaction,
    Part,
    Reasoning,
    Refusal,
    Result,
    Seal,
    SealKind,
    Search,
    Source,
    Text,
)
from bridge.prompt import Role, Turn

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM, "developer": Role.SYSTEM}


class Conversation:
    """`read` the items in order; tools among them go to the reader of tools."""

    def __init__(self, tools: ToolReader) -> None:
        self.system: list[Text] = []
        self.dropped: list[str] = []
        self._tools = tools
        self._turns: list[tuple[Role, list[Part]]] = []
        self._is_open = False
        """Whether the next part of the same role belongs to the last turn."""

    @property
    def turns(self) -> tuple[Turn, ...]:
        return tuple(Turn(role, tuple(parts)) for role, parts in self._turns if parts)

    def read(self, item: Any, param: str) -> None:
        if not isinstance(item, dict):
            raise BadRequest("'%(name)s' must be an object.", {"name": param}, param=param)
        match kind := item_type(item):
            case "message":
                self._message(item, param)
            case "function_call" | "custom_tool_call" | "local_shell_call":
                self._add(Role.ASSISTANT, _call(item, kind, param))
            case "function_call_output" | "custom_tool_call_output" | "local_shell_call_output":
                self._result(item, kind, param)
            case "reasoning":
                self._add(Role.ASSISTANT, _reasoning(item, param))
            case "web_search_call":
                self._add(Role.ASSISTANT, read_search(item))
            case "compaction":
                self._add(Role.ASSISTANT, Compaction(ciphertext=text(item, "encrypted_content", param)))
            case "additional_tools" | "tool_search_output":
                self._lift_tools(item, kind, param)
            case _:
                self.dropped.append("tool_search" if kind == "tool_search_call" else kind)

    def _message(self, item: dict[str, Any], param: str) -> None:
        role = _ROLES.get(text(item, "role", param))
        if role is None:
            raise BadRequest("'%(name)s.role' is not known.", {"name": param}, param=f"{param}.role")
        phase = text(item, "phase", param) if role is Role.ASSISTANT else ""
        parts = read_parts(item.get("content"), f"{param}.content", self.dropped, phase)
        if role is Role.SYSTEM and not self._turns:
            self.system += [part for part in parts if isinstance(part, Text)]
            return
        if role is not Role.ASSISTANT:
            self._is_open = False
        self._add(role, *parts)
        self._is_open = role is Role.ASSISTANT

    def _result(self, item: dict[str, Any], kind: str, param: str) -> None:
        call_id = text(item, "call_id", param) or text(item, "id", param)
        parts = read_parts(item.get("output"), f"{param}.output", self.dropped)
        said = tuple(Text(part.text) if isinstance(part, Refusal) else part for part in parts)
        call_kind = CallKind.CUSTOM if kind.startswith("custom") else CallKind.FUNCTION
        self._add(Role.USER, Result(call_id, said, kind=call_kind))

    def _lift_tools(self, item: dict[str, Any], kind: str, param: str) -> None:
        for index, tool in enumerate(listed(item, "tools", param)):
            self._tools.read(tool, f"{param}.tools[{index}]")
        if kind == "tool_search_output":
            self.dropped.append("tool_search")

    def _add(self, role: Role, *parts: Part) -> None:
        if not self._is_open or not self._turns or self._turns[-1][0] is not role:
            self._turns.append((role, []))
        self._turns[-1][1].extend(parts)
        self._is_open = True


def read_search(item: dict[str, Any]) -> Search:
    """A web search: what was looked for or which page was opened, and the pages it found if they are told."""
    raw = item.get("action")
    action: dict[str, Any] = raw if isinstance(raw, dict) else {}
    queries = [each for each in _list(action.get("queries")) if isinstance(each, str)]
    words = [action.get("query"), *queries, action.get("pattern")]
    query = next((each for each in words if isinstance(each, str) and each), "")
    urls = [each.get("url") for each in _list(action.get("sources")) if isinstance(each, dict)] or [action.get("url")]
    sources = tuple(Source(url) for url in urls if isinstance(url, str) and url)
    return Search(_text(item.get("id")), query, sources)


def _call(item: dict[str, Any], kind: str, param: str) -> Call:
    call_id = text(item, "call_id", param) or text(item, "id", param)
    if kind == "local_shell_call":
        return Call(call_id, "local_shell", msgspec.json.encode(item.get("action") or {}).decode())
    name, namespace = text(item, "name", param), text(item, "namespace", param)
    if kind == "custom_tool_call":
        return Call(call_id, name, text(item, "input", param), CallKind.CUSTOM, namespace)
    arguments = item.get("arguments")
    if isinstance(arguments, dict):
        arguments = msgspec.json.encode(arguments).decode()
    return Call(call_id, name, arguments if isinstance(arguments, str) else "", namespace=namespace)


def _reasoning(item: dict[str, Any], param: str) -> Reasoning:
    sections = [text(part, "text", f"{param}.summary") for part in objects(item, "summary", param)]
    sections += [text(part, "text", f"{param}.content") for part in objects(item, "content", param)]
    sealed = text(item, "encrypted_content", param)
    return Reasoning(tuple(sections), Seal(SealKind.CIPHERTEXT, sealed) if sealed else None)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
