"""Messages, the order of an assistant's blocks: which thinking may go back to the model, and where it may stand.

Quirk messages-thinking-history: thinking goes back unchanged or not at all. It goes without a signature of its own
model's making; without two of a kind side by side in the latest turn; and never last. Calls stand last.
"""

from __future__ import annotations

from typing import Any

from bridge.carrier import is_carrier
from bridge.formats.messages.notes import Block

_THINKING = ("thinking", "redacted_thinking")


def tidy(blocks: list[Any], *, is_latest: bool) -> list[Any]:
    """The same blocks where they may stand; the ones left are the very same objects."""
    kept = [block for block in blocks if not _is_thinking(block) or _is_native(block)]
    first = next((at for at, block in enumerate(kept) if _kind(block) == "tool_use"), len(kept))
    if any(_kind(block) != "tool_use" for block in kept[first:]):
        kept.sort(key=lambda block: _kind(block) == "tool_use")
    if is_latest:
        pairs = zip([None, *kept], kept, strict=False)
        kept = [block for before, block in pairs if not (_is_thinking(before) and _is_thinking(block))]
    while kept and _is_thinking(kept[-1]):
        kept.pop()
    return kept


def begins_with_thinking(blocks: object) -> bool:
    return isinstance(blocks, list) and bool(blocks) and _is_thinking(blocks[0])


def thought_is_missing(messages: list[tuple[str, object]]) -> bool:
    """Whether the conversation, as (role, content), ends in results for a turn that does not begin with thinking."""
    if len(messages) < 2 or messages[-1][0] != "user":
        return False
    content = messages[-1][1]
    answers = isinstance(content, list) and any(_kind(block) == "tool_result" for block in content)
    return answers and not begins_with_thinking(messages[-2][1])


def _kind(block: object) -> object:
    return block.get("type") if isinstance(block, dict) else None


def _is_thinking(block: object) -> bool:
    return _kind(block) in _THINKING


def _is_native(block: Block) -> bool:
    """Sealed by Anthropic: neither by us, nor by the translators that put an address for a signature."""
    if block["type"] == "redacted_thinking":
        data = block.get("data")
        return isinstance(data, str) and data != "" and not is_carrier(data)
    signature = block.get("signature")
    return isinstance(block.get("thinking"), str) and isinstance(signature, str) and is_native_signature(signature)


def is_native_signature(signature: str) -> bool:
    return signature != "" and "@" not in signature and not is_carrier(signature)
