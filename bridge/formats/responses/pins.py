"""One item of an answer on the verbatim road, under the id that the caller knows it by.

Quirk responses-rotating-ids: ids differ from frame to frame, so items are told apart by `output_index` alone.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from bridge.formats.responses.frames import read_json
from bridge.formats.responses.ids import item_id, item_type_of_event
from bridge.formats.responses.names import restored_name
from bridge.road import Heading

_decode = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode


class _Head(msgspec.Struct):
    type: Any = None


_decode_head = msgspec.json.Decoder(_Head).decode


class PinnedItem:
    """`added` and `done` are the item as it was first and last shown, pinned."""

    def __init__(self, heading: Heading, index: int, event_type: str, item: Raw | None) -> None:
        self.added: Raw | None = None
        self.done: Raw | None = None
        self.type = _type_of(item) or item_type_of_event(event_type)
        self.quoted_id = _encode(item_id(self.type, heading.id, index))
        self.raw_id = Raw(self.quoted_id)
        self._asked = heading.asked
        self._texts: dict[bytes, list[bytes]] = {}

    @property
    def has_grown(self) -> bool:
        """Whether pieces of it came before the whole."""
        return bool(self._texts)

    def pin(self, item: Raw) -> Raw:
        """The item with its id, and a tool under the caller's own name for it. Raises BrokenStream: it is none."""
        fields = read_json(item, _decode, "an item that is no object")
        fields["id"] = self.raw_id
        for member in ("name", "namespace"):
            value = fields.get(member)
            if value is not None and b"_x" in bytes(value):
                name = read_json(value, _decode_text, "a tool without a name")
                fields[member] = Raw(_encode(restored_name(name, self._asked)))
        return Raw(_encode(fields))

    def grow(self, place: bytes, delta: bytes) -> None:
        """Take note of a piece of text, as JSON: of a call, or of the part or section of that number."""
        pieces = self._texts.get(place)
        if pieces is None:
            pieces = self._texts[place] = []
        pieces.append(delta)

    def told(self) -> Raw:
        """The item as far as it came: done, or put together out of its pieces."""
        if self.done is not None:
            return self.done
        fields: dict[str, Any] = msgspec.json.decode(self.added) if self.added is not None else {"type": self.type}
        fields["id"] = _decode_text(self.raw_id)
        fields["status"] = "incomplete"
        texts = ["".join(map(_text, pieces)) for pieces in self._texts.values()]
        match self.type:
            case "message":
                blank = {"type": "output_text", "annotations": [], "logprobs": []}
                fields |= {"role": "assistant", "content": [blank | {"text": text} for text in texts]}
            case "reasoning":
                fields["summary"] = [{"type": "summary_text", "text": text} for text in texts]
            case "function_call":
                fields["arguments"] = "".join(texts)
            case "custom_tool_call":
                fields["input"] = "".join(texts)
        return Raw(_encode(fields))


def _type_of(item: Raw | None) -> str:
    if item is None:
        return ""
    kind = read_json(item, _decode_head, "an item that is no object").type
    return kind if isinstance(kind, str) else ""


def _text(delta: bytes) -> str:
    value = read_json(delta, msgspec.json.decode, "a text that is none")
    return value if isinstance(value, str) else ""
