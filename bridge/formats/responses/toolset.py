"""Tools of a request on the verbatim road: those Copilot does not run are taken out, the others made acceptable."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Raw

from bridge.asked import parsed
from bridge.errors import BadRequest
from bridge.formats.responses.kinds import is_hosted_tool, is_web_search
from bridge.formats.responses.names import RESERVED, fitted_name
from bridge.target import Target, WireProfile

PLACEHOLDER = "No description."
CLIENT_TOOLS = frozenset({"function", "custom", "namespace"})

# A name that is a text and does not fit, or is reserved; a property called `name` is no text and costs nothing.
_UNFIT_NAME = re.compile(rb'"name"\s*:\s*"(?:(?![a-zA-Z0-9_-]{1,64}")|(?:%b)")' % "|".join(sorted(RESERVED)).encode())
_encode = msgspec.json.Encoder().encode


class _Head(msgspec.Struct):
    type: str = "function"


_read_head = msgspec.json.Decoder(_Head).decode
_read_list = msgspec.json.Decoder(list[Raw]).decode


@dataclass(frozen=True, slots=True)
class Toolset:
    """`tools` for the top level; `moved` for an `additional_tools` item; `dropped` the kinds that were taken out."""

    tools: list[Raw]
    moved: list[Raw] = field(default_factory=list)
    dropped: tuple[str, ...] = ()


def edited_tools(raw: Raw, target: Target, param: str = "tools") -> Toolset:
    """A list of the caller's tools as `target` takes them; those that need no edit stay as they came.

    Raises BadRequest when it is no list of objects.
    """
    toolset = Toolset([], [])
    dropped: list[str] = []
    try:
        tools = [(_read_head(tool).type, tool) for tool in _read_list(raw)]
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest("'%(param)s' must be a list of tools.", {"param": param}, param=param) from error
    for kind, tool in tools:
        if _is_refused(kind, target):
            dropped.append("web_search" if is_web_search(kind) else kind)
            continue
        is_moved = target.profile is WireProfile.LITE and kind in CLIENT_TOOLS
        (toolset.moved if is_moved else toolset.tools).append(_mended(tool, param))
    return Toolset(toolset.tools, toolset.moved, tuple(dict.fromkeys(dropped)))


def mended_list(raw: Raw, param: str) -> Raw | None:
    """A list of tools inside the input with what it needs; None when it needs nothing."""
    if not _needs_mending(bytes(raw)):
        return None
    tools = parsed(raw, param)
    for tool in tools if isinstance(tools, list) else []:
        _mend(tool)
    return Raw(_encode(tools))


def edited_choice(raw: Raw, dropped: tuple[str, ...], *, has_tools: bool) -> Raw | None:
    """The `tool_choice` that fits the tools that are left; None when nothing sensible is."""
    choice = parsed(raw, "tool_choice")
    if not isinstance(choice, dict):
        return raw if has_tools or not dropped else None
    if choice.get("type") == "allowed_tools":
        return _narrowed(choice)
    kind = str(choice.get("type"))
    if is_hosted_tool(kind) or (is_web_search(kind) and "web_search" in dropped):
        return None
    return Raw(_encode(_renamed(choice)))


def _narrowed(choice: dict[str, Any]) -> Raw | None:
    listed = choice.get("tools")
    allowed = [
        _renamed(each)
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict) and not is_hosted_tool(str(each.get("type")))
    ]
    return Raw(_encode(choice | {"tools": allowed})) if allowed else None


def _renamed(named: dict[str, Any]) -> dict[str, Any]:
    name = named.get("name")
    return named | {"name": fitted_name(name)} if isinstance(name, str) and name else named


def _is_refused(kind: str, target: Target) -> bool:
    return target.profile is WireProfile.FOREIGN if is_web_search(kind) else is_hosted_tool(kind)


def _needs_mending(raw: bytes) -> bool:
    return b'""' in raw or _UNFIT_NAME.search(raw) is not None


def _mended(raw: Raw, param: str) -> Raw:
    if not _needs_mending(bytes(raw)):
        return raw
    tool = parsed(raw, param)
    _mend(tool)
    return Raw(_encode(tool))


def _mend(tool: Any) -> None:
    """Give an empty description a text and a refused name a fitting one, here and in a namespace's tools.

    Quirk empty-description: since August 2026 an empty description is answered with 400, wherever in the
    tools it stands; none at all is fine.
    """
    if not isinstance(tool, dict):
        return
    if tool.get("description") == "":
        tool["description"] = PLACEHOLDER
    kind, name = tool.get("type", "function"), tool.get("name")
    if isinstance(kind, str) and kind in CLIENT_TOOLS and isinstance(name, str) and name:
        tool["name"] = fitted_name(name)
    inner = tool.get("tools")
    for each in inner if isinstance(inner, list) else []:
        _mend(each)
