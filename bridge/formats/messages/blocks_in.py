"""Messages, content blocks of a streamed answer told as parts, one after the other.

Blocks are told in the order of their starts. Should the upstream write into several at once, the later ones wait; a
block whose end never comes ends with the answer. A web search comes as two blocks, the wish and what was found, and
is told as one part.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from bridge.events import (
    CallHead,
    Cited,
    CompactionHead,
    Event,
    Head,
    PartClosed,
    PartOpened,
    ReasoningHead,
    Sealed,
    Searched,
    SearchHead,
    TextGrew,
    TextHead,
)
from bridge.formats.messages.notes import kind_of
from bridge.formats.messages.read_blocks import read_citation, read_sources
from bridge.formats.messages.starts import called_name
from bridge.json_text import decode_object
from bridge.parts import Seal, SealKind

# Which member of which delta grows which part.
_GROWTH: dict[str, tuple[type[Head], str]] = {
    "text_delta": (TextHead, "text"),
    "thinking_delta": (ReasoningHead, "thinking"),
    "input_json_delta": (CallHead, "partial_json"),
    "compaction_delta": (CompactionHead, "content"),
}


@dataclass(slots=True, eq=False)
class _Block:
    """`head` is None for blocks that are not told as they come; `spare` are a call's arguments from its start."""

    head: Head | None
    waiting: list[Event] = field(default_factory=list)
    closed: bool = False
    has_grown: bool = False
    spare: str = ""
    seal: Seal | None = None
    search: str | None = None
    query: list[str] = field(default_factory=list)


class BlocksIn:
    """`start`, `grow` and `stop` blocks by index; each returns the events that can be told now."""

    def __init__(self) -> None:
        self.has_calls = False
        self.output_bytes = 0
        self._queue: list[_Block] = []
        self._open: dict[int, _Block] = {}
        self._searched: tuple[str, str] | None = None

    def start(self, index: object, content: object) -> list[Event]:
        content = content if isinstance(content, dict) else {}
        number = index if isinstance(index, int) else len(self._open)
        out = self.stop(number) if number in self._open else []
        if content.get("type") == "web_search_tool_result":
            out += self._tell_search(str(content.get("tool_use_id") or ""), content.get("content"))
        elif self._searched is not None:
            out += self._tell_search("", None)
        block = self._begin(content, number)
        self._open[number] = block
        self._queue.append(block)
        if block.head is not None:
            out += self._tell(block, [PartOpened(block.head)])
        for delta in _first_growth(content):
            out += self._grow(block, delta)
        return out

    def grow(self, index: object, delta: object) -> list[Event]:
        block = self._at(index)
        if block is None or not isinstance(delta, dict):
            return []
        return self._grow(block, delta)

    def stop(self, index: object) -> list[Event]:
        block = self._at(index)
        if block is None:
            return []
        self._open = {number: other for number, other in self._open.items() if other is not block}
        out = self._tell(block, self._ending(block))
        block.closed = True
        return out + self._next()

    def finish(self) -> list[Event]:
        """End what is still open."""
        out = [event for index in list(self._open) for event in self.stop(index)]
        return out + (self._tell_search("", None) if self._searched is not None else [])

    def _at(self, index: object) -> _Block | None:
        if isinstance(index, int):
            return self._open.get(index)
        return next(reversed(self._open.values()), None)

    def _begin(self, content: dict[str, Any], number: int) -> _Block:
        match content.get("type"):
            case "text":
                return _Block(TextHead())
            case "thinking":
                signature = content.get("signature")
                sealed = isinstance(signature, str) and signature != ""
                return _Block(ReasoningHead(), seal=Seal(SealKind.SIGNATURE, str(signature)) if sealed else None)
            case "redacted_thinking":
                data = str(content.get("data") or "")
                return _Block(ReasoningHead(), seal=Seal(SealKind.REDACTED, data) if data else None)
            case "tool_use":
                self.has_calls = True
                call_id, given = content.get("id"), content.get("input")
                head = CallHead(str(call_id or f"toolu_{number}"), called_name(content))
                return _Block(head, spare=msgspec.json.encode(given).decode() if given else "{}")
            case "server_tool_use" if content.get("name") == "web_search":
                given = content.get("input")
                query = given.get("query") if isinstance(given, dict) else None
                spare = query if isinstance(query, str) else ""
                return _Block(None, search=str(content.get("id") or ""), spare=spare)
            case "compaction":
                return _Block(CompactionHead())
            case _:
                return _Block(None)

    def _grow(self, block: _Block, delta: dict[str, Any]) -> list[Event]:
        kind = kind_of(delta)
        if kind in _GROWTH:
            head, member = _GROWTH[kind]
            text = delta.get(member)
            if not isinstance(text, str) or not text:
                return []
            self.output_bytes += len(text)
            if block.search is not None and kind == "input_json_delta":
                block.query.append(text)
            if not isinstance(block.head, head):
                return []
            block.has_grown = True
            return self._tell(block, [TextGrew(text)])
        if kind == "signature_delta" and isinstance(block.head, ReasoningHead) and delta.get("signature"):
            block.seal = Seal(SealKind.SIGNATURE, str(delta["signature"]))
        elif kind == "citations_delta" and isinstance(block.head, TextHead):
            citation = read_citation(delta.get("citation"))
            return self._tell(block, [Cited(citation)]) if citation is not None else []
        return []

    def _ending(self, block: _Block) -> list[Event]:
        if block.search is not None:
            wanted = decode_object("".join(block.query).encode("utf-8", "replace")) or {}
            query = wanted.get("query")
            self._searched = (block.search, query if isinstance(query, str) else block.spare)
        if block.head is None:
            return []
        last: list[Event] = []
        if isinstance(block.head, CallHead) and not block.has_grown:
            last.append(TextGrew(block.spare))
        if block.seal is not None:
            last.append(Sealed(block.seal))
        return [*last, PartClosed()]

    def _tell_search(self, search_id: str, content: object) -> list[Event]:
        wanted, query = self._searched or (search_id, "")
        wanted = wanted or "srvtoolu_unnamed"
        self._searched = None
        told: list[Event] = [PartOpened(SearchHead(wanted)), Searched(query, read_sources(content)), PartClosed()]
        if not self._queue:
            return told
        self._queue.append(_Block(None, waiting=told, closed=True))
        return []

    def _tell(self, block: _Block, events: list[Event]) -> list[Event]:
        if self._queue and self._queue[0] is block:
            return events
        block.waiting += events
        return []

    def _next(self) -> list[Event]:
        """What waited behind the blocks that have ended."""
        out: list[Event] = []
        while self._queue and self._queue[0].closed:
            self._queue.pop(0)
            if self._queue:
                out += self._queue[0].waiting
                self._queue[0].waiting = []
        return out


def _first_growth(content: dict[str, Any]) -> list[dict[str, Any]]:
    """What a block says in its start already, as deltas."""
    match content.get("type"):
        case "text":
            cited = content.get("citations")
            citations = cited if isinstance(cited, list) else []
            deltas = [{"type": "citations_delta", "citation": citation} for citation in citations]
            return [{"type": "text_delta", "text": content.get("text")}, *deltas]
        case "thinking":
            return [{"type": "thinking_delta", "thinking": content.get("thinking")}]
        case "compaction":
            return [{"type": "compaction_delta", "content": content.get("content")}]
        case _:
            return []
