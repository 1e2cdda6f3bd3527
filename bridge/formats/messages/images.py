"""Messages, how many images a conversation may hold."""

from __future__ import annotations

from typing import Any

from bridge.formats.messages.notes import IMAGE_LEFT_OUT, text_block

Place = tuple[list[Any], int]


def image_places(blocks: list[Any]) -> list[Place]:
    """Where images stand among `blocks` and in the tool results among them, as (list, index)."""
    places: list[Place] = []
    for at, block in enumerate(blocks):
        kind = block.get("type") if isinstance(block, dict) else None
        if kind == "image":
            places.append((blocks, at))
        elif kind == "tool_result" and isinstance(block.get("content"), list):
            places += [(block["content"], inner) for inner in _images(block["content"])]
    return places


def leave_out(places: list[Place], most: int, dropped: list[str]) -> None:
    """Quirk messages-image-count: the oldest of too many images give way to a note."""
    for blocks, at in places[: max(0, len(places) - most)]:
        blocks[at] = text_block(IMAGE_LEFT_OUT.format(most=most))
        dropped.append("image")


def _images(blocks: list[Any]) -> list[int]:
    return [at for at, block in enumerate(blocks) if isinstance(block, dict) and block.get("type") == "image"]
