"""Messages, tools of a verbatim request: the fields and server tools that the upstream refuses are left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from bridge.formats.messages.notes import kind_of, name_of_kind
from bridge.formats.messages.request import parsed_list

ACCEPTED = frozenset(
    {
        "custom",
        "bash_20250124",
        "text_editor_20250124",
        "text_editor_20250429",
        "text_editor_20250728",
        "memory_20250818",
        "tool_search_tool_bm25",
        "tool_search_tool_bm25_20251119",
        "tool_search_tool_regex",
        "tool_search_tool_regex_20251119",
    }
)
WEB_SEARCH = "web_search"
_KEYS = frozenset({"name", "description", "input_schema", "type", "cache_control", "strict"})
_DEFERRING_KEYS = frozenset({"defer_loading", "input_examples", "allowed_callers"})


class _Schema(Struct):
    type: Literal["object"]
    dialect: Raw | None = msgspec.field(default=None, name="$schema")


class _CleanTool(Struct, forbid_unknown_fields=True):
    name: str
    input_schema: _Schema
    description: Annotated[str, Meta(min_length=1)] | None = None
    type: Literal["custom"] | None = None
    strict: bool | None = None


_clean_decoder = msgspec.json.Decoder(list[_CleanTool])


@dataclass(slots=True)
class EditedTools:
    """The tools as they go upstream: `raw` while nothing had to change, else `tools`.

    `lost` names those left out; `lost_search` says whether web search is among them.
    """

    raw: Raw | None = None
    tools: list[dict[str, Any]] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    lost_search: bool = False

    @property
    def written(self) -> Raw | list[dict[str, Any]]:
        return self.tools if self.raw is None else self.raw


def edit_tools(fields: dict[str, Raw], dropped: list[str], *, defers: bool) -> EditedTools:
    """A request's tools without what is refused; `defers`: the beta for deferred tools and tool search is sent."""
    raw = fields.get("tools")
    if raw is None or _is_clean(raw):
        return EditedTools(raw)
    edited = EditedTools()
    for tool in parsed_list(fields, "tools"):
        kind = kind_of(tool) if tool.get("type") else "custom"
        if kind in ACCEPTED:
            edited.tools.append(_custom(tool, dropped, defers=defers) if kind == "custom" else tool)
            continue
        name = name_of_kind(kind)
        dropped.append(name)
        edited.lost.add(str(tool.get("name") or name))
        edited.lost_search = edited.lost_search or name == WEB_SEARCH
    return edited


def _is_clean(raw: Raw) -> bool:
    """Whether all of it can go upstream as the bytes it is."""
    try:
        tools = _clean_decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return bool(tools) and all(tool.input_schema.dialect is None for tool in tools)


def fit_choice(choice: object, tools: EditedTools, dropped: list[str]) -> dict[str, Any] | None:
    """A `tool_choice` that fits the tools left over; None when there is none to make."""
    if not isinstance(choice, dict):
        return None
    if (tools.raw or tools.tools) and not (choice.get("type") == "tool" and str(choice.get("name")) in tools.lost):
        return choice
    if choice.get("type") in ("tool", "any"):
        dropped.append("tool_choice")
    return None


def _custom(tool: dict[str, Any], dropped: list[str], *, defers: bool) -> dict[str, Any]:
    """Quirk messages-tool-fields: fields of newer betas are refused one by one, and so is a schema's `$schema`."""
    known = _KEYS | _DEFERRING_KEYS if defers else _KEYS
    if tool.get("input_examples") and not defers:
        dropped.append("input_examples")
    kept = {name: value for name, value in tool.items() if name in known and value is not None}
    if kept.get("description") == "":
        del kept["description"]
    schema = kept.get("input_schema")
    kept["input_schema"] = fit_schema(schema if isinstance(schema, dict) else None)
    return kept


def fit_schema(schema: dict[str, Any] | None) -> dict[str, Any]:
    """A tool's schema as the upstream takes it: an object's, without `$schema`."""
    if schema is None:
        return {"type": "object", "properties": {}}
    fitted = {name: value for name, value in schema.items() if name != "$schema"}
    if fitted.get("type") != "object":
        fitted["type"] = "object"
    return fitted
