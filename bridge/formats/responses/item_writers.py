"""One output item each, written as the events that OpenAI sends for it: added, growth, done, each under one id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Raw

from bridge.events import CallHead
from bridge.formats.responses.ids import item_id
from bridge.formats.responses.line import Line, head_of
from bridge.parts import CallKind, Source

_encode = msgspec.json.Encoder().encode
ITEM_ADDED = "response.output_item.added"
ITEM_DONE = "response.output_item.done"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item stands: in which reply, on which line, at which `output_index`."""

    request_id: str
    line: Line
    index: int

    def id_of(self, kind: str) -> str:
        return item_id(kind, self.request_id, self.index)


class ItemWriter:
    """An item under its id. `done` is the item in full once it is closed."""

    def __init__(self, place: Place, kind: str) -> None:
        self.done: Raw | None = None
        self.kind = kind
        self.id = place.id_of(kind)
        self._line = place.line
        self._index = place.index

    def grow(self, text: str) -> bytes:
        """A piece of text; items that have none write nothing."""
        del text
        return b""

    def close(self) -> bytes:
        """The item's last events."""
        return b""

    def _added(self, **fields: Any) -> bytes:
        item = {"id": self.id, "type": self.kind, **fields}
        return self._line.event(ITEM_ADDED, output_index=self._index, item=item)

    def _finished(self, **fields: Any) -> bytes:
        self.done = Raw(_encode({"id": self.id, "type": self.kind, **fields}))
        return self._line.event(ITEM_DONE, output_index=self._index, item=self.done)

    def _event(self, kind: str, **fields: Any) -> bytes:
        return self._line.event(kind, item_id=self.id, output_index=self._index, **fields)


class ReasoningWriter(ItemWriter):
    """Sections become summary parts; `seal` is the ciphertext, empty while there is none."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, "reasoning")
        self.seal = ""
        self._sections: list[list[str]] = []
        self._head = b""

    def open(self) -> bytes:
        return self._added(summary=[], status="in_progress")

    def begin_section(self) -> bytes:
        closed = self._close_section()
        number = len(self._sections)
        self._sections.append([])
        kind = "response.reasoning_summary_text.delta"
        self._head = head_of(kind, self.id, self._index, f'"summary_index":{number},')
        part = {"type": "summary_text", "text": ""}
        return closed + self._event("response.reasoning_summary_part.added", summary_index=number, part=part)

    def grow(self, text: str) -> bytes:
        begun = b"" if self._sections else self.begin_section()
        self._sections[-1].append(text)
        return begun + self._line.grown(self._head, _encode(text))

    def close(self) -> bytes:
        closed = self._close_section()
        summary = [{"type": "summary_text", "text": "".join(pieces)} for pieces in self._sections]
        sealed = {"encrypted_content": self.seal} if self.seal else {}
        return closed + self._finished(summary=summary, **sealed, status="completed")

    def _close_section(self) -> bytes:
        if not self._sections:
            return b""
        number, text = len(self._sections) - 1, "".join(self._sections[-1])
        part = {"type": "summary_text", "text": text}
        return self._event("response.reasoning_summary_text.done", summary_index=number, text=text) + self._event(
            "response.reasoning_summary_part.done", summary_index=number, part=part
        )


class CallWriter(ItemWriter):
    """A function call or a custom one."""

    def __init__(self, place: Place, head: CallHead) -> None:
        self._is_custom = head.kind is CallKind.CUSTOM
        super().__init__(place, "custom_tool_call" if self._is_custom else "function_call")
        self._member = "input" if self._is_custom else "arguments"
        self._events = f"response.{'custom_tool_call_input' if self._is_custom else 'function_call_arguments'}"
        self._said: list[str] = []
        self._head = head_of(f"{self._events}.delta", self.id, self._index)
        self._fields: dict[str, Any] = {"call_id": head.id or f"call_{self.id}", "name": head.name}
        if head.namespace:
            self._fields["namespace"] = head.namespace

    def open(self) -> bytes:
        return self._added(**self._fields, **{self._member: ""}, status="in_progress")

    def grow(self, text: str) -> bytes:
        self._said.append(text)
        return self._line.grown(self._head, _encode(text))

    def close(self) -> bytes:
        """A function's arguments are never nothing: programs parse them."""
        filled = self.grow("{}") if not self._is_custom and not self._said else b""
        whole = {self._member: "".join(self._said)}
        return (
            filled
            + self._event(f"{self._events}.done", **whole)
            + self._finished(**self._fields, **whole, status="completed")
        )


class ShellWriter(ItemWriter):
    """A call of the local shell, for a caller who gave that tool: the arguments are its action."""

    def __init__(self, place: Place, head: CallHead) -> None:
        super().__init__(place, "local_shell_call")
        self._call_id = head.id or f"call_{self.id}"
        self._said: list[str] = []

    def grow(self, text: str) -> bytes:
        self._said.append(text)
        return b""

    def close(self) -> bytes:
        action = self._action()
        added = self._added(call_id=self._call_id, action=action, status="in_progress")
        return added + self._finished(call_id=self._call_id, action=action, status="completed")

    def _action(self) -> dict[str, Any]:
        blank = {"type": "exec", "command": [], "env": {}}
        try:
            told = msgspec.json.decode("".join(self._said))
        except msgspec.DecodeError:
            return blank
        return blank | told if isinstance(told, dict) else blank


class SearchWriter(ItemWriter):
    def __init__(self, place: Place) -> None:
        super().__init__(place, "web_search_call")
        self._query = ""
        self._sources: tuple[Source, ...] = ()

    def tell(self, query: str, sources: tuple[Source, ...]) -> None:
        self._query, self._sources = query, sources

    def open(self) -> bytes:
        return (
            self._added(action={"type": "search", "query": ""}, status="in_progress")
            + self._event("response.web_search_call.in_progress")
            + self._event("response.web_search_call.searching")
        )

    def close(self) -> bytes:
        action: dict[str, Any] = {"type": "search", "query": self._query, "queries": [self._query]}
        if self._sources:
            action["sources"] = [{"type": "url", "url": source.url} for source in self._sources]
        completed = self._event("response.web_search_call.completed")
        return completed + self._finished(action=action, status="completed")


class CompactionWriter(ItemWriter):
    """Only ciphertext can be said; `seal` is empty when the digest is in words."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, "compaction")
        self.seal = ""

    def close(self) -> bytes:
        if not self.seal:
            return b""
        fields = {"encrypted_content": self.seal}
        return self._added(**fields) + self._finished(**fields)
