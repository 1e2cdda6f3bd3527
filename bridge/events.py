"""Events: a reply as it comes, whatever dialect it is read from or written in.

    reply  := Started part* (Finished | Failed)
    part   := PartOpened growth* PartClosed
    growth := TextGrew | SectionBegan | Sealed | Cited | Weighed | Searched

Parts never overlap. What may grow in which part:

    TextHead        TextGrew, Cited, Weighed
    RefusalHead     TextGrew
    ReasoningHead   TextGrew, SectionBegan (between two sections, never first or last), Sealed (at most once, last)
    CallHead        TextGrew (the arguments, as text)
    SearchHead      Searched (at most once)
    CompactionHead  TextGrew (in words), Sealed (ciphertext, at most once, last)

A reader guarantees this grammar whatever the upstream sends, a writer relies on it. `Failed` may also stand where a
part is open; nothing comes after `Finished` or `Failed`. An empty TextGrew is never sent.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from bridge.parts import CallKind, Citation, Seal, Source, TokenChance
from bridge.tally import Tally


class Stop(StrEnum):
    """Why a reply ended."""

    END = "end"
    CALLS = "calls"
    LENGTH = "length"
    SEQUENCE = "sequence"
    FILTER = "filter"
    """Refused or filtered by the model's side."""
    PAUSE = "pause"
    """Messages' `pause_turn`: the caller may send the reply back to let the model go on."""
    CONTEXT = "context"
    """The context window was full before the output limit was."""


class Started(Struct, frozen=True):
    """`tally` is what the upstream tells of the prompt's size before the first part; None when it does not."""

    tally: Tally | None = None


class TextHead(Struct, frozen=True):
    phase: str = ""


class RefusalHead(Struct, frozen=True):
    pass


class ReasoningHead(Struct, frozen=True):
    pass


class CallHead(Struct, frozen=True):
    id: str
    name: str
    kind: CallKind = CallKind.FUNCTION
    namespace: str = ""


class SearchHead(Struct, frozen=True):
    id: str


class CompactionHead(Struct, frozen=True):
    pass


Head = TextHead | RefusalHead | ReasoningHead | CallHead | SearchHead | CompactionHead


class PartOpened(Struct, frozen=True):
    head: Head


class TextGrew(Struct, frozen=True):
    text: str


class SectionBegan(Struct, frozen=True):
    pass


class Sealed(Struct, frozen=True):
    seal: Seal


class Cited(Struct, frozen=True):
    citation: Citation


class Weighed(Struct, frozen=True):
    """Log probabilities of the text that came last."""

    chances: tuple[TokenChance, ...]


class Searched(Struct, frozen=True):
    query: str
    sources: tuple[Source, ...] = ()


class PartClosed(Struct, frozen=True):
    pass


class Finished(Struct, frozen=True):
    """`sequence` is the stop sequence with Stop.SEQUENCE, where the upstream tells it; `tally` the whole bill.

    `counted` is False when the upstream never said what was used.
    """

    stop: Stop
    sequence: str | None = None
    tally: Tally = Tally()
    counted: bool = True


class Failed(Struct, frozen=True):
    """The upstream said an error inside its stream; `code` as it named it, or empty."""

    message: str
    code: str = ""


Growth = TextGrew | SectionBegan | Sealed | Cited | Weighed | Searched
Event = Started | PartOpened | Growth | PartClosed | Finished | Failed
