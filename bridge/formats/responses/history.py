"""The items of a request on the verbatim road: each stays the bytes it came in unless a rule of the upstream says no.

Quirk responses-item-ids: nothing is stored upstream, so an item's `id` names nothing there, and ciphertext that comes
with another id than its own is refused. Quirk responses-compaction: what a compaction item stands for need not be
sent again.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from bridge.asked import parsed
from bridge.carrier import PREFIX
from bridge.errors import BadRequest
from bridge.formats.responses.kinds import HOSTED_ITEMS, MEMBERS
from bridge.formats.responses.names import RESERVED, fitted_call_id, fitted_name
from bridge.formats.responses.toolset import edited_tools, mended_list
from bridge.target import Target, WireProfile

_decode = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode
_decode_text = msgspec.json.Decoder(str).decode
_CARRIER = f'"{PREFIX}'.encode()
_NOTHING = (b"null", b"[]")
_INSTRUCTIONS = (b'"developer"', b'"system"')
_LONGEST_NAME = 66  # 64 characters and the quotes
_RESERVED = frozenset(f'"{name}"'.encode() for name in RESERVED)


class History:
    """`items` as they may be sent; `tools` out of the input for a model that wants them at the top level."""

    def __init__(self, entries: Sequence[Raw], target: Target) -> None:
        self.items: list[Raw] = []
        self.tools: list[Raw] = []
        self.dropped: list[str] = []
        self._is_foreign = target.profile is WireProfile.FOREIGN
        self._target = target
        self._head: list[Raw] = []
        self._began = False
        for index, entry in enumerate(entries):
            self._add(index, entry)

    def _add(self, index: int, entry: Raw) -> None:
        try:
            item = _decode(entry)
            kind = _decode_text(item["type"]) if "type" in item else "message"
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadRequest("'input[%(index)d]' cannot be read.", {"index": index}, param=f"input[{index}]") from error
        if kind == "item_reference" or kind in HOSTED_ITEMS:
            self.dropped.append(kind)
        elif kind == "additional_tools" and self._is_foreign:
            self._lift_tools(item)
        elif kind not in ("reasoning", "compaction") or _is_sealed(item):
            if kind == "compaction":
                self.items = self._head.copy()
            is_changed = self._trim(kind, item)
            self._keep(kind, item, Raw(_encode(item)) if is_changed else entry)

    def _keep(self, kind: str, item: dict[str, Raw], entry: Raw) -> None:
        """What stands at the head as instructions is kept even when a later compaction item takes all else's place."""
        self.items.append(entry)
        is_instruction = kind == "additional_tools" or bytes(item.get("role", b"")) in _INSTRUCTIONS
        self._began = self._began or not is_instruction
        if not self._began:
            self._head.append(entry)

    def _trim(self, kind: str, item: dict[str, Raw]) -> bool:
        """Take out what the upstream would refuse of an item's members; say whether anything was changed."""
        known = MEMBERS.get(kind)
        unknown = set(item.keys() - known if known is not None else item.keys() & {"id"})
        if "call_id" not in item and kind.endswith("_output"):
            unknown.discard("id")  # a local shell call's output names its call there
        if self._is_foreign:
            unknown |= item.keys() & {"phase"}
        if kind == "reasoning" and bytes(item.get("content", b"")) in _NOTHING:
            unknown.add("content")
        for name in unknown:
            del item[name]
        return any([bool(unknown), _fit_names(item), kind in MEMBERS and _mend_tools(item)])

    def _lift_tools(self, item: dict[str, Raw]) -> None:
        if "tools" in item:
            toolset = edited_tools(item["tools"], self._target, "input")
            self.tools += toolset.tools
            self.dropped += toolset.dropped


def _mend_tools(item: dict[str, Raw]) -> bool:
    mended = mended_list(item["tools"], "input") if "tools" in item else None
    if mended is None:
        return False
    item["tools"] = mended
    return True


def _fit_names(item: dict[str, Raw]) -> bool:
    is_changed = False
    call_id = item.get("call_id")
    if call_id is not None and len(call_id) > _LONGEST_NAME:
        item["call_id"] = _fitted(call_id, "call_id")
        is_changed = True
    for member in ("name", "namespace"):
        name = item.get(member)
        if name is not None and _may_be_unfit(bytes(name)):
            item[member] = _fitted(name, member)
            is_changed = True
    return is_changed


def _may_be_unfit(name: bytes) -> bool:
    letters = name[1:-1].replace(b"_", b"").replace(b"-", b"")
    return len(name) > _LONGEST_NAME or name in _RESERVED or not letters.isalnum()


def _fitted(raw: Raw, member: str) -> Raw:
    value = parsed(raw, "input")
    if not isinstance(value, str) or not value:
        return raw
    return Raw(_encode(fitted_call_id(value) if member == "call_id" else fitted_name(value)))


def _is_sealed(item: dict[str, Raw]) -> bool:
    """Whether a reasoning or compaction item holds the upstream's own ciphertext, without which it is of no use."""
    sealed = item.get("encrypted_content")
    head = memoryview(sealed)[: len(_CARRIER)].tobytes() if sealed is not None else b""
    return head.startswith(b'"') and head not in (_CARRIER, b'""')
