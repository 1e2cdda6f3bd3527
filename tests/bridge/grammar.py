"""The grammar of bridge/events.py as a checker: what every reader must guarantee and every writer may rely on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
from bridge.parts import SealKind

_GROWTH: dict[type[Head], tuple[type[Growth], ...]] = {
    TextHead: (TextGrew, Cited, Weighed),
    RefusalHead: (TextGrew,),
    ReasoningHead: (TextGrew, SectionBegan, Sealed),
    CallHead: (TextGrew,),
    SearchHead: (Searched,),
    CompactionHead: (TextGrew, Sealed),
}


def check(events: Iterable[Event]) -> list[Event]:
    """The same events as a list. Raises AssertionError with the place at which the grammar is broken."""
    listed = list(events)
    state = _State()
    for number, event in enumerate(listed):
        assert state.last is None, f"event {number} {event} comes after {state.last}"
        assert (number == 0) == isinstance(event, Started), f"event {number} is {event}"
        state.take(event, f"event {number} {event}")
    assert state.last is not None, f"the events end without Finished or Failed: {listed[-3:]}"
    return listed


def check_unfinished(events: Iterable[Event]) -> list[Event]:
    """The same for the events of a stream that was cut: the grammar up to there."""
    listed = list(events)
    if listed and isinstance(listed[-1], Finished | Failed):
        return check(listed)
    return check([*listed, Failed("cut")])[:-1] if listed else []


@dataclass(slots=True)
class _State:
    """`head` is the open part's, `before` the event before within the part, `last` the event that ended the reply."""

    head: Head | None = None
    before: Event | None = None
    last: Finished | Failed | None = None
    searched: bool = False

    def take(self, event: Event, where: str) -> None:
        match event:
            case Started():
                pass
            case PartOpened(head):
                assert self.head is None, f"{where}: opened inside of {self.head}"
                _check_head(head, where)
                self.head, self.searched = head, False
            case PartClosed():
                assert self.head is not None, f"{where}: closed without a part"
                assert not isinstance(self.before, SectionBegan), f"{where}: a section that says nothing at the end"
                self.head = None
            case Finished():
                assert self.head is None, f"{where}: finished inside of {self.head}"
                _check_end(event, where)
                self.last = event
            case Failed():
                self.last = event
            case _:
                self._grow(event, where)
        self.before = event

    def _grow(self, growth: Growth, where: str) -> None:
        assert self.head is not None, f"{where}: growth without a part"
        allowed = _GROWTH[type(self.head)]
        assert isinstance(growth, allowed), f"{where}: in {self.head}"
        assert not isinstance(self.before, Sealed), f"{where}: something behind the seal"
        match growth:
            case TextGrew(text):
                assert text, f"{where}: an empty text"
            case SectionBegan():
                assert isinstance(self.before, TextGrew), f"{where}: a section before the first or behind an empty one"
            case Sealed(seal):
                assert seal.value, f"{where}: an empty seal"
                assert not isinstance(self.before, SectionBegan), f"{where}: a section that says nothing"
                is_digest = isinstance(self.head, CompactionHead)
                assert not is_digest or seal.kind is SealKind.CIPHERTEXT, f"{where}: a digest sealed by {seal.kind}"
            case Searched():
                assert not self.searched, f"{where}: searched twice"
                self.searched = True
            case Weighed(chances):
                assert chances, f"{where}: no log probabilities"
            case Cited():
                pass
            case _:
                assert_never(growth)


def _check_head(head: Head, where: str) -> None:
    if isinstance(head, CallHead):
        assert head.id, f"{where}: a call without an id"
    if isinstance(head, SearchHead):
        assert head.id, f"{where}: a search without an id"


def _check_end(event: Finished, where: str) -> None:
    assert event.sequence is None or event.stop is Stop.SEQUENCE, f"{where}: a sequence with {event.stop}"
    tally = event.tally
    counts = (tally.input, tally.cached, tally.cache_write, tally.output, tally.reasoning)
    assert min(counts) >= 0, f"{where}: a negative count"
    assert tally.reasoning <= tally.output, f"{where}: more reasoning than output"
