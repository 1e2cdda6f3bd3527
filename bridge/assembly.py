"""Assembly: a stream of events collected into one reply, and a reply told as events again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import assert_never

from bridge.events import (
    CallHead,
    Cited,
    CompactionHead,
    Event,
    Failed,
    Finished,
    Growth,
    Head,
    PartClosed,
    PartOpened,
    ReasoningHead,
    RefusalHead,
    Sealed,
    Searched,
    SearchHead,
    SectionBegan,
    Started,
    Stop,
    TextGrew,
    TextHead,
    Weighed,
)
from bridge.parts import (
    Call,
    Citation,
    Compaction,
    Reasoning,
    Refusal,
    Seal,
    SealKind,
    Search,
    Source,
    Text,
    TokenChance,
)
from bridge.tally import Tally

ReplyPart = Text | Refusal | Reasoning | Call | Search | Compaction


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: its parts in order, why it ended and what it used."""

    parts: tuple[ReplyPart, ...]
    stop: Stop
    sequence: str | None = None
    tally: Tally = field(default_factory=Tally)
    counted: bool = True


class Collector:
    """`add` events one by one; `reply` stands once Finished came. A Failed is the caller's to look at."""

    def __init__(self) -> None:
        self.reply: Reply | None = None
        self._parts: list[ReplyPart] = []
        self._open: _OpenPart | None = None

    def add(self, event: Event) -> None:
        match event:
            case Started() | Failed():
                pass
            case PartOpened(head):
                self._open = _OpenPart(head)
            case PartClosed():
                if self._open is not None:
                    self._parts.append(self._open.part())
                    self._open = None
            case Finished(stop, sequence, tally, counted):
                self.reply = Reply(tuple(self._parts), stop, sequence, tally, counted)
            case _:
                if self._open is not None:
                    self._open.grow(event)


def collect(events: Iterable[Event]) -> Reply:
    """The reply that `events` tell. Raises ValueError when they do not end in Finished."""
    collector = Collector()
    for event in events:
        collector.add(event)
    if collector.reply is None:
        raise ValueError("the events end without Finished")
    return collector.reply


def events_of(reply: Reply) -> Iterator[Event]:
    """The same reply as events; each text comes in one piece."""
    yield Started()
    for part in reply.parts:
        head, growth = _told(part)
        yield PartOpened(head)
        yield from growth
        yield PartClosed()
    yield Finished(reply.stop, reply.sequence, reply.tally, reply.counted)


@dataclass(slots=True)
class _OpenPart:
    head: Head
    sections: list[list[str]] = field(default_factory=lambda: [[]])
    citations: list[Citation] = field(default_factory=list)
    chances: list[TokenChance] = field(default_factory=list)
    seal: Seal | None = None
    query: str = ""
    sources: tuple[Source, ...] = ()

    def grow(self, growth: Growth) -> None:
        match growth:
            case TextGrew(text):
                self.sections[-1].append(text)
            case SectionBegan():
                self.sections.append([])
            case Sealed(seal):
                self.seal = seal
            case Cited(citation):
                self.citations.append(citation)
            case Weighed(chances):
                self.chances += chances
            case Searched(query, sources):
                self.query, self.sources = query, sources
            case _:
                assert_never(growth)

    def part(self) -> ReplyPart:
        text = "".join(self.sections[0])
        match self.head:
            case TextHead(phase):
                return Text(text, tuple(self.citations), tuple(self.chances), phase)
            case RefusalHead():
                return Refusal(text)
            case ReasoningHead():
                sections = tuple("".join(pieces) for pieces in self.sections)
                return Reasoning(() if sections == ("",) else sections, self.seal)
            case CallHead(call_id, name, kind, namespace):
                return Call(call_id, name, text, kind, namespace)
            case SearchHead(search_id):
                return Search(search_id, self.query, self.sources)
            case CompactionHead():
                return Compaction(self.seal.value if self.seal is not None else "", text)
            case _:
                assert_never(self.head)


def _told(part: ReplyPart) -> tuple[Head, list[Growth]]:
    match part:
        case Text(text, citations, chances, phase):
            weighed: list[Growth] = [Weighed(chances)] if chances else []
            return TextHead(phase), [*_grown(text), *weighed, *(Cited(citation) for citation in citations)]
        case Refusal(text):
            return RefusalHead(), _grown(text)
        case Reasoning(sections, seal):
            growth: list[Growth] = []
            for number, section in enumerate(sections):
                growth += [SectionBegan()] if number else []
                growth += _grown(section)
            return ReasoningHead(), growth + ([Sealed(seal)] if seal is not None else [])
        case Call(call_id, name, arguments, kind, namespace):
            return CallHead(call_id, name, kind, namespace), _grown(arguments)
        case Search(search_id, query, sources):
            return SearchHead(search_id), [Searched(query, sources)]
        case Compaction(ciphertext, text):
            sealed: list[Growth] = [Sealed(Seal(SealKind.CIPHERTEXT, ciphertext))] if ciphertext else []
            return CompactionHead(), _grown(text) + sealed
        case _:
            assert_never(part)


def _grown(text: str) -> list[Growth]:
    return [TextGrew(text)] if text else []
