"""Messages, `anthropic-beta`: the four betas the upstream knows, each sent only with what it is for.

Quirk messages-betas: a beta unknown to it is refused, and so is a body that uses a beta which was not sent.
"""

from __future__ import annotations

from typing import Any

from bridge.asked import Asked, parsed

INTERLEAVED = "interleaved-thinking-2025-05-14"
CONTEXT_MANAGEMENT = "context-management-2025-06-27"
ADVANCED_TOOL_USE = "advanced-tool-use-2025-11-20"
CACHE_TTL = "extended-cache-ttl-2025-04-11"

CLEAR_THINKING = "clear_thinking_20251015"
_EDITS = (CLEAR_THINKING, "clear_tool_uses_20250919")
_DEFERRING = (b'"defer_loading"', b'"tool_search_tool_', b'"input_examples"', b'"allowed_callers"')


def betas_of(asked: Asked, client_betas: tuple[str, ...], adaptive: bool) -> tuple[str, ...]:
    """The betas to send upstream; `client_betas` are the caller's, `adaptive` says how the model thinks."""
    chosen: list[str] = []
    if INTERLEAVED in client_betas and not adaptive and _thinks(asked):
        chosen.append(INTERLEAVED)
    if CONTEXT_MANAGEMENT in client_betas and known_edits(asked)[0]:
        chosen.append(CONTEXT_MANAGEMENT)
    if ADVANCED_TOOL_USE in client_betas and _has(asked, ("tools",), _DEFERRING):
        chosen.append(ADVANCED_TOOL_USE)
    if _has(asked, ("tools", "system", "messages"), (b'"ttl"',)):
        chosen.append(CACHE_TTL)
    return tuple(chosen)


def known_edits(asked: Asked) -> tuple[list[dict[str, Any]], bool]:
    """The edits of `context_management` that the upstream knows, and whether others were asked for."""
    raw = asked.fields.get("context_management")
    management = parsed(raw, "context_management") if raw is not None else None
    edits = management.get("edits") if isinstance(management, dict) else None
    if not isinstance(edits, list):
        return [], False
    known = [edit for edit in edits if isinstance(edit, dict) and edit.get("type") in _EDITS]
    return known, len(known) < len(edits)


def _thinks(asked: Asked) -> bool:
    raw = asked.fields.get("thinking")
    thinking = parsed(raw, "thinking") if raw is not None else None
    return isinstance(thinking, dict) and thinking.get("type") in ("enabled", "adaptive")


def _has(asked: Asked, names: tuple[str, ...], marks: tuple[bytes, ...]) -> bool:
    """A cheap look at the bytes; a beta sent without its use does no harm."""
    raws = [bytes(asked.fields[name]) for name in names if name in asked.fields]
    return any(mark in raw for raw in raws for mark in marks)
