"""Messages, prompt-caching breakpoints: `cache_control` on tools, system and content blocks, at most four of them.

Anthropic counts them in the order tools, system, messages.
Rules: https://docs.claude.com/en/docs/build-with-claude/prompt-caching
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

MOST = 4
_TIMES = ("5m", "1h")

Block = dict[str, Any]
_T = TypeVar("_T")


def holders_of(blocks: object) -> Iterator[Block]:
    """The blocks (or tools) that carry `cache_control`, those inside of tool results included."""
    for block in blocks if isinstance(blocks, list) else ():
        if not isinstance(block, dict):
            continue
        if "cache_control" in block:
            yield block
        if block.get("type") == "tool_result":
            yield from holders_of(block.get("content"))


def normalise(block: Block, *, keeps_ttl: bool) -> bool:
    """Leave of a block's `cache_control` what the upstream knows; says whether anything changed.

    Quirk messages-cache-scope: `scope` is refused wherever it stands, `ttl` without its beta.
    """
    control = block["cache_control"]
    if not isinstance(control, dict) or block.get("type") in ("thinking", "redacted_thinking"):
        del block["cache_control"]
        return True
    known: Block = {"type": "ephemeral"}
    if keeps_ttl and control.get("ttl") in _TIMES:
        known["ttl"] = control["ttl"]
    if known == control:
        return False
    block["cache_control"] = known
    return True


def surplus(tools: Sequence[_T], system: Sequence[_T], messages: Sequence[_T]) -> list[_T]:
    """Those of too many holders that lose their breakpoint.

    The last of the tools and of the system prompt keep theirs, behind which lies what all conversations share; then
    the last ones of this conversation.
    """
    ranked = [*tools[-1:], *system[-1:], *reversed(messages), *reversed(system[:-1]), *reversed(tools[:-1])]
    return ranked[MOST:]


def mark_last(blocks: list[Block]) -> None:
    """Put a breakpoint on the last block that can hold one."""
    for block in reversed(blocks):
        if block.get("type") not in ("thinking", "redacted_thinking"):
            block["cache_control"] = {"type": "ephemeral"}
            return
