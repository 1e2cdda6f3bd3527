"""Messages, a caller's request for a model that speaks Messages itself: edited, not rebuilt.

Every edit is one the upstream demands; what it does not touch stays the bytes it was.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from bridge.asked import Asked, Written, parsed, typed
from bridge.errors import BadRequest
from bridge.formats.messages.betas import (
    ADVANCED_TOOL_USE,
    CACHE_TTL,
    CLEAR_THINKING,
    CONTEXT_MANAGEMENT,
    known_edits,
)
from bridge.formats.messages.breakpoints import holders_of, normalise, surplus
from bridge.formats.messages.entries import Entry, edit_entries, limit_images
from bridge.formats.messages.notes import NO_WEB_SEARCH, Block, schema_wish, text_block, without_billing_header
from bridge.formats.messages.order import thought_is_missing
from bridge.formats.messages.request import parsed_list
from bridge.formats.messages.settings import NAMES, Settings, fit_settings, thinks
from bridge.formats.messages.tools import EditedTools, edit_tools, fit_choice
from bridge.target import Target

_CONVERSATION = frozenset({"model", "messages", "system", "tools", "stream"})
# Looked at elsewhere, or of no effect that a caller could notice.
_SILENT = frozenset({"context_management", "output_format", "cache_control", "betas"})
_IDLE = (b"null", b"false", b"{}", b"[]", b'""', b'"auto"', b'"standard"', b'"standard_only"')


def edit_request(asked: Asked, target: Target, betas: tuple[str, ...] = ()) -> Written:
    """The body for the upstream, to be sent under the header `anthropic-beta` of `betas` (see `betas_of`).

    Raises BadRequest for entries of wrong types, and when nothing is left of the conversation.
    """
    dropped = _unknown_fields(asked.fields)
    tools = edit_tools(asked.fields, dropped, defers=ADVANCED_TOOL_USE in betas)
    entries, system = edit_entries(asked.entries, dropped)
    if not entries:
        raise BadRequest("'messages' holds no content.", param="messages")
    if target.max_images is not None:
        limit_images(entries, target.max_images, dropped)
    settings = read_settings(asked.fields, dropped)
    settings["tool_choice"] = fit_choice(settings.get("tool_choice"), tools, dropped)
    missing = thinks(settings) and thought_is_missing([(each.role, each.looked_at) for each in entries[-2:]])
    fit_settings(settings, target, dropped, thought_is_missing=missing)
    system = [*_system(asked.fields), *system, *_extra_system(tools, settings, target)]
    edits = _context_edits(asked, settings, dropped) if CONTEXT_MANAGEMENT in betas else _no_edits(asked, dropped)
    if "cache_control" in asked.fields and bytes(asked.fields["cache_control"]) != b"null":
        _mark_end(entries)
    _fit_breakpoints(tools, system, entries, keeps_ttl=CACHE_TTL in betas)
    body: dict[str, Any] = {
        "model": target.model,
        "system": system,
        "tools": tools.written,
        "messages": [entry.written for entry in entries],
        "context_management": {"edits": edits} if edits else None,
        **settings,
        "stream": True,
    }
    return written(body, dropped)


def written(body: dict[str, Any], dropped: list[str]) -> Written:
    """The body without its empty members, and each loss named once."""
    try:
        text = msgspec.json.encode({name: value for name, value in body.items() if value is not None and value != []})
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply. Send a flatter JSON object.") from error
    return Written(text, tuple(dict.fromkeys(dropped)))


def read_settings(fields: dict[str, Raw], dropped: list[str]) -> Settings:
    """The members beside the conversation, with the former `output_format` in its present place."""
    settings: Settings = {name: parsed(fields[name], name) for name in NAMES if name in fields}
    config = settings.get("output_config")
    known = (
        {name: config[name] for name in ("effort", "format") if config.get(name)} if isinstance(config, dict) else {}
    )
    if isinstance(config, dict) and any(value and name not in known for name, value in config.items()):
        dropped.append("output_config")
    if "format" not in known and (legacy := typed(fields, "output_format", dict)):
        known["format"] = legacy
    settings["output_config"] = known or None
    return settings


def _unknown_fields(fields: dict[str, Raw]) -> list[str]:
    """Quirk messages-allow-list: any member the upstream does not know is answered with 400."""
    known = _CONVERSATION | _SILENT | set(NAMES)
    return [
        name if name.isascii() and name.replace("_", "").isalnum() else "content"
        for name, raw in fields.items()
        if name not in known and bytes(raw) not in _IDLE
    ]


def _system(fields: dict[str, Raw]) -> list[Block]:
    raw = fields.get("system")
    value = parsed(raw, "system") if raw is not None else None
    blocks = [text_block(value)] if isinstance(value, str) else parsed_list(fields, "system") if value else []
    kept: list[Block] = []
    for index, block in enumerate(blocks):
        text = block.get("text")
        if block.get("type") != "text" or not isinstance(text, str):
            raise BadRequest("'system[%(index)d]' must be a text block.", {"index": index}, param=f"system[{index}]")
        if (left := without_billing_header(text)).strip():
            kept.append(block if left == text else {**block, "text": left})
    return kept


def _extra_system(tools: EditedTools, settings: Settings, target: Target) -> list[Block]:
    """What must be said in words: that a server tool is missing, and a schema that is no setting of this model."""
    extra = [text_block(NO_WEB_SEARCH)] if tools.lost_search else []
    config = settings.get("output_config")
    wish = config.get("format") if isinstance(config, dict) else None
    if not isinstance(config, dict) or wish is None:
        return extra
    schema = wish.get("schema") if isinstance(wish, dict) else None
    if target.structured_outputs and isinstance(schema, dict) and wish.get("type") == "json_schema":
        settings["output_config"] = {**config, "format": {"type": "json_schema", "schema": schema}}
        return extra
    settings["output_config"] = {name: value for name, value in config.items() if name != "format"} or None
    return [*extra, text_block(schema_wish(schema if isinstance(schema, dict) else None))]


def _context_edits(asked: Asked, settings: Settings, dropped: list[str]) -> list[dict[str, Any]]:
    """Quirk messages-context-management: thinking can only be cleared where there is thinking."""
    edits, has_others = known_edits(asked)
    if has_others:
        dropped.append("context_management")
    return [edit for edit in edits if edit.get("type") != CLEAR_THINKING or thinks(settings)]


def _no_edits(asked: Asked, dropped: list[str]) -> list[dict[str, Any]]:
    edits, has_others = known_edits(asked)
    if has_others or any(edit.get("type") != CLEAR_THINKING for edit in edits):
        dropped.append("context_management")
    return []


def _mark_end(entries: list[Entry]) -> None:
    """Quirk messages-cache-top-level: caching asked for as a whole is a breakpoint at the end."""
    blocks = entries[-1].blocks()
    if blocks and isinstance(blocks[-1], dict) and "cache_control" not in blocks[-1]:
        entries[-1].content = [*blocks[:-1], {**blocks[-1], "cache_control": {"type": "ephemeral"}}]
        entries[-1].changed = True


def _fit_breakpoints(tools: EditedTools, system: list[Block], entries: list[Entry], *, keeps_ttl: bool) -> None:
    """Quirk messages-breakpoints: a fifth breakpoint is answered with 400."""
    for part in (tools.tools, system):
        for block in holders_of(part):
            normalise(block, keeps_ttl=keeps_ttl)
    held: list[tuple[Block, Entry | None]] = []
    for entry in entries:
        for block in holders_of(entry.content):
            entry.changed = normalise(block, keeps_ttl=keeps_ttl) or entry.changed
            held += [(block, entry)] if "cache_control" in block else []
    shared = [[(block, None) for block in holders_of(part)] for part in (tools.tools, system)]
    for block, holder in surplus(shared[0], shared[1], held):
        del block["cache_control"]
        if holder is not None:
            holder.changed = True
