"""Messages, the conversation of a verbatim request: entries that may stand stay the bytes they were.

An entry that holds nothing but what every backend takes is known by a strict schema (`_Clean`) and never built; any
other is parsed and edited.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from bridge.asked import parsed
from bridge.formats.messages.blocks import edit_blocks
from bridge.formats.messages.images import image_places, leave_out
from bridge.formats.messages.notes import GO_ON, Block, reminder, text_block
from bridge.formats.messages.order import tidy

# A pattern must not stand in a union with a list: msgspec 0.22 frees such a type twice when the interpreter ends.
_Words = Annotated[str, Meta(pattern=r"\S")]
_CallId = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_-]+$")]


class _Text(Struct, tag="text", forbid_unknown_fields=True):
    text: _Words
    citations: None = None


class _Base64(Struct, tag="base64", forbid_unknown_fields=True):
    media_type: str
    data: Raw


class _Image(Struct, tag="image", forbid_unknown_fields=True):
    source: _Base64


class _Call(Struct, tag="tool_use", forbid_unknown_fields=True):
    id: _CallId
    name: str
    input: dict[str, Raw]


class _Result(Struct, tag="tool_result", forbid_unknown_fields=True):
    tool_use_id: _CallId
    content: str | list[_Text | _Image] = ""
    is_error: bool = False


# No pattern stands in these unions: msgspec 0.22 frees the pattern of a union twice, at the end of the process.
class _CleanUser(Struct, tag_field="role", tag="user", forbid_unknown_fields=True):
    content: str | Annotated[list[_Text | _Image | _Result], Meta(min_length=1)]


class _CleanAssistant(Struct, tag_field="role", tag="assistant", forbid_unknown_fields=True):
    content: str | Annotated[list[_Text | _Call], Meta(min_length=1)]


_clean_decoder = msgspec.json.Decoder(_CleanUser | _CleanAssistant)


class _Head(Struct):
    role: Literal["user", "assistant", "system"]


_head_decoder = msgspec.json.Decoder(_Head)


@dataclass(slots=True)
class Entry:
    """One message: `raw` as it came, `content` once it was looked into, `changed` when it must be written anew."""

    role: str
    raw: Raw
    content: Any = None
    changed: bool = False

    def blocks(self) -> list[Any]:
        """The content as blocks that may be changed in place, given that `changed` is set then."""
        content = self.looked_at
        if isinstance(content, str):
            self.content = [text_block(content)] if content.strip() else []
        blocks: list[Any] = self.content
        return blocks

    @property
    def looked_at(self) -> Any:
        """The content as it came, parsed."""
        if self.content is None:
            self.content = parsed(self.raw, "messages")["content"]
        return self.content

    @property
    def written(self) -> Raw | dict[str, Any]:
        return {"role": self.role, "content": self.content} if self.changed else self.raw


def edit_entries(raws: list[Raw], dropped: list[str]) -> tuple[list[Entry], list[Block]]:
    """The conversation as it may stand, and what belongs to the system prompt: instructions before its first turn."""
    entries = [_opened(raw, dropped) for raw in raws]
    opening: list[Block] = []
    if any(entry.role == "system" for entry in entries):
        entries, opening = _fold_system(entries)
    _tidy_assistants(entries)
    entries = [entry for entry in entries if entry.content is None or entry.content]
    _end_with_user(entries)
    return entries, opening


def limit_images(entries: list[Entry], most: int, dropped: list[str]) -> None:
    """Leave the oldest out of more than `most` images, wherever they stand."""
    if sum(bytes(entry.raw).count(b'"image"') for entry in entries) <= most:
        return
    places = [(place, entry) for entry in entries for place in image_places(entry.blocks())]
    leave_out([place for place, _ in places], most, dropped)
    for _, entry in places[: max(0, len(places) - most)]:
        entry.changed = True


def _opened(raw: Raw, dropped: list[str]) -> Entry:
    try:
        clean = _clean_decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return _edited(raw, dropped)
    if isinstance(clean.content, str) and not clean.content.strip():
        return _edited(raw, dropped)
    role = "assistant" if isinstance(clean, _CleanAssistant) else "user"
    if isinstance(clean.content, str):
        may_stand = bool(clean.content.strip())
    else:
        kinds = [type(block) is _Call for block in clean.content]
        may_stand = kinds == sorted(kinds)
    return Entry(role, raw) if may_stand else _edited(raw, dropped)


def _edited(raw: Raw, dropped: list[str]) -> Entry:
    message: dict[str, Any] = parsed(raw, "messages")
    content = message["content"]
    entry = Entry(message["role"], raw, content, changed=len(message) > 2)
    if isinstance(content, str):
        entry.changed = entry.changed or not content.strip()
        entry.content = content if content.strip() else []
    elif entry.role == "system":
        entry.changed = True
    else:
        entry.content = edit_blocks(content, entry.role, dropped)
        same = len(entry.content) == len(content)
        same = same and all(new is old for new, old in zip(entry.content, content, strict=True))
        entry.changed = entry.changed or not same
    return entry


def _tidy_assistants(entries: list[Entry]) -> None:
    latest = max((at for at, entry in enumerate(entries) if entry.role == "assistant"), default=-1)
    for at, entry in enumerate(entries):
        if entry.role == "assistant" and isinstance(entry.content, list):
            tidied = tidy(entry.content, is_latest=at == latest)
            if len(tidied) != len(entry.content) or any(a is not b for a, b in zip(tidied, entry.content, strict=True)):
                entry.content, entry.changed = tidied, True


def _fold_system(entries: list[Entry]) -> tuple[list[Entry], list[Block]]:
    """Instructions in the middle join the user's turn before them, else the one behind, else make one of their own."""
    folded: list[Entry] = []
    opening: list[Block] = []
    waiting: list[Block] = []
    for entry in entries:
        if entry.role != "system":
            if waiting and entry.role == "user":
                _insert_reminders(entry, waiting)
            elif waiting:
                folded.append(Entry("user", Raw(b""), waiting, changed=True))
            waiting = []
            folded.append(entry)
        elif not folded:
            opening += _said(entry)
        elif folded[-1].role == "user":
            folded[-1].content = [*folded[-1].blocks(), *_reminders(entry)]
            folded[-1].changed = True
        else:
            waiting += _reminders(entry)
    if waiting:
        folded.append(Entry("user", Raw(b""), waiting, changed=True))
    return folded, opening


def _insert_reminders(entry: Entry, reminders: list[Block]) -> None:
    """Behind the results, which come first in a user's turn."""
    blocks = entry.blocks()
    results = [block for block in blocks if isinstance(block, dict) and block.get("type") == "tool_result"]
    others = [block for block in blocks if not (isinstance(block, dict) and block.get("type") == "tool_result")]
    entry.content, entry.changed = [*results, *reminders, *others], True


def _said(entry: Entry) -> list[Block]:
    """The texts of a system turn."""
    return [
        block
        for block in entry.blocks()
        if isinstance(block, dict) and isinstance(block.get("text"), str) and block["text"].strip()
    ]


def _reminders(entry: Entry) -> list[Block]:
    kept = ("type", "cache_control")
    return [
        {**{name: block[name] for name in kept if name in block}, "type": "text", "text": reminder(block["text"])}
        for block in _said(entry)
    ]


def _end_with_user(entries: list[Entry]) -> None:
    """Quirk messages-prefill: a conversation that ends in the assistant's words is refused."""
    if entries and entries[-1].role == "assistant":
        last = entries[-1]
        final = last.blocks()[-1]
        if isinstance(final, dict) and isinstance(final.get("text"), str) and final["text"] != final["text"].rstrip():
            last.content = [*last.blocks()[:-1], {**final, "text": final["text"].rstrip()}]
            last.changed = True
        entries.append(Entry("user", Raw(b""), [text_block(GO_ON)], changed=True))
