"""Calls, web searches and compactions, read into the events of their parts.

Quirk responses-done-counts: `.done` is authoritative over the deltas before it; a call that may have been told
wrongly must never be run.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from bridge.errors import BrokenStream
from bridge.events import (
    CallHead,
    CompactionHead,
    Event,
    PartClosed,
    PartOpened,
    Sealed,
    Searched,
    SearchHead,
    TextGrew,
)
from bridge.formats.responses.item_frames import ITEM_DONE, Frame, ItemReader, text_in
from bridge.formats.responses.reading_items import read_search
from bridge.parts import CallKind, Seal, SealKind

BLANKS_LIMIT = 64 * 1024


class CallReader(ItemReader):
    """A function call or a custom one.

    Quirk responses-blank-arguments: models have been seen to write white space into a call without end.
    """

    def __init__(self, kind: CallKind) -> None:
        super().__init__()
        self.calls = True
        self._kind = kind
        self._said: list[str] = []
        self._blanks = 0
        self._is_open = False

    def read(self, frame: Frame, events: list[Event]) -> None:
        match frame.type:
            case "response.output_item.added":
                self._open(frame.shown, events)
            case "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta":
                self._grow(frame.delta, events)
            case "response.function_call_arguments.done" | "response.custom_tool_call_input.done":
                self._settle(frame.arguments if self._kind is CallKind.FUNCTION else frame.input, events)
            case "response.output_item.done":
                self._finish(frame.shown, events)

    def _open(self, item: dict[str, Any], events: list[Event]) -> None:
        name, namespace = item.get("name"), item.get("namespace")
        if self._is_open or not isinstance(name, str) or not name:
            return
        self._is_open = True
        call_id = text_in(item.get("call_id")) or text_in(item.get("id")) or "call"
        events.append(PartOpened(CallHead(call_id, name, self._kind, text_in(namespace))))
        events.extend(TextGrew(piece) for piece in self._said)

    def _grow(self, delta: Any, events: list[Event]) -> None:
        if not isinstance(delta, str) or not delta:
            return
        self._blanks = self._blanks + len(delta) if delta.isspace() else 0
        if self._blanks > BLANKS_LIMIT:
            raise BrokenStream("The upstream wrote nothing but white space into a tool call. Send the request again.")
        self._said.append(delta)
        if self._is_open:
            events.append(TextGrew(delta))

    def _settle(self, whole: Any, events: list[Event]) -> None:
        said = "".join(self._said)
        if not isinstance(whole, str) or whole == said:
            return
        if not whole.startswith(said):
            raise BrokenStream("The upstream contradicted itself about a tool call. Send the request again.")
        self._grow(whole[len(said) :], events)

    def _finish(self, item: dict[str, Any], events: list[Event]) -> None:
        self.is_done = True
        self._open(item, events)
        if not self._is_open:
            raise BrokenStream("The upstream called a tool without naming it. Send the request again.")
        if item and item.get("status") != "incomplete":
            self._settle(item.get("arguments" if self._kind is CallKind.FUNCTION else "input"), events)
            if self._kind is CallKind.FUNCTION and not "".join(self._said).strip():
                events.append(TextGrew("{}"))
        events.append(PartClosed())


class ShellReader(ItemReader):
    """A call of the local shell: for other dialects a function of that name, its action the arguments."""

    def read(self, frame: Frame, events: list[Event]) -> None:
        if frame.type != ITEM_DONE:
            return
        self.is_done = self.calls = True
        item = frame.shown
        call_id = text_in(item.get("call_id")) or text_in(item.get("id")) or "call"
        arguments = msgspec.json.encode(item.get("action") or {}).decode()
        events += [PartOpened(CallHead(call_id, "local_shell")), TextGrew(arguments), PartClosed()]


class SearchReader(ItemReader):
    """A web search. Its id is hashed: the upstream's are hundreds of characters long."""

    def __init__(self) -> None:
        super().__init__()
        self._is_open = False

    def read(self, frame: Frame, events: list[Event]) -> None:
        if not self._is_open and (frame.item is not None or frame.type == ITEM_DONE):
            self._is_open = True
            name = f"{frame.output_index}:{text_in(frame.shown.get('id'))}"
            digest = hashlib.sha256(name.encode()).hexdigest()[:24]
            events.append(PartOpened(SearchHead(f"ws_{digest}")))
        if frame.type == ITEM_DONE:
            self.is_done = True
            search = read_search(frame.shown)
            events += [Searched(search.query, search.sources), PartClosed()]


class CompactionReader(ItemReader):
    def read(self, frame: Frame, events: list[Event]) -> None:
        if frame.type == ITEM_DONE:
            self.is_done = True
            if sealed := text_in(frame.shown.get("encrypted_content")):
                seal = Sealed(Seal(SealKind.CIPHERTEXT, sealed))
                events += [PartOpened(CompactionHead()), seal, PartClosed()]
