"""An item that is known only as a whole, told by the events it would have grown by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Told = tuple[str, dict[str, Any]]
_CALLS = {
    "function_call": ("arguments", "response.function_call_arguments"),
    "custom_tool_call": ("input", "response.custom_tool_call_input"),
}


def told_item(item: dict[str, Any]) -> Iterator[Told]:
    """Types and members of the events from `output_item.added` to `output_item.done`, without the item's place."""
    kind = item.get("type")
    yield "response.output_item.added", {"item": _blank(item)}
    if kind == "message":
        for index, part in enumerate(_parts(item.get("content"))):
            yield from _content(part, index)
    elif kind == "reasoning":
        for index, part in enumerate(_parts(item.get("summary"))):
            yield from _section(part, index)
    elif isinstance(kind, str) and kind in _CALLS:
        member, event = _CALLS[kind]
        yield f"{event}.delta", {"delta": item.get(member, "")}
        yield f"{event}.done", {member: item.get(member, "")}
    yield "response.output_item.done", {"item": item}


def _blank(item: dict[str, Any]) -> dict[str, Any]:
    blank = dict(item)
    blank |= {name: [] for name in ("content", "summary") if item.get(name)}
    blank |= {name: "" for name in ("arguments", "input") if name in item}
    return blank | ({"status": "in_progress"} if "status" in item else {})


def _content(part: dict[str, Any], index: int) -> Iterator[Told]:
    place = {"content_index": index}
    is_refusal = part.get("type") == "refusal"
    member = "refusal" if is_refusal else "text"
    kind = "response.refusal" if is_refusal else "response.output_text"
    more: dict[str, Any] = {} if is_refusal else {"logprobs": part.get("logprobs") or []}
    empty = {name: [] if isinstance(value, list) else value for name, value in part.items()} | {member: ""}
    yield "response.content_part.added", place | {"part": empty}
    yield f"{kind}.delta", place | {"delta": part.get(member, "")} | more
    for number, note in enumerate(_parts(part.get("annotations"))):
        told = {"annotation_index": number, "annotation": note}
        yield "response.output_text.annotation.added", place | told
    yield f"{kind}.done", place | {member: part.get(member, "")} | more
    yield "response.content_part.done", place | {"part": part}


def _section(part: dict[str, Any], index: int) -> Iterator[Told]:
    place = {"summary_index": index}
    yield "response.reasoning_summary_part.added", place | {"part": part | {"text": ""}}
    yield "response.reasoning_summary_text.delta", place | {"delta": part.get("text", "")}
    yield "response.reasoning_summary_text.done", place | {"text": part.get("text", "")}
    yield "response.reasoning_summary_part.done", place | {"part": part}


def _parts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
