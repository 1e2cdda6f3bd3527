"""Messages and reasoning, read into the events of their parts.

Quirk responses-done-counts: `.done` is authoritative over the deltas before it. What it says more is told then; where
it contradicts what was told already, that stands.
"""

from __future__ import annotations

from typing import Any

from bridge.errors import BrokenStream
from bridge.events import (
    Cited,
    Event,
    Head,
    PartClosed,
    PartOpened,
    ReasoningHead,
    RefusalHead,
    Sealed,
    SectionBegan,
    TextGrew,
    TextHead,
    Weighed,
)
from bridge.formats.responses.item_frames import Frame, ItemReader, objects_in, rest_of
from bridge.formats.responses.logprobs import read_chances
from bridge.formats.responses.reading_parts import read_citation
from bridge.parts import Seal, SealKind


class ReasoningReader(ItemReader):
    """Opens the part only when there is something in it: an empty summary without ciphertext is no part."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, int], list[str]] = {}
        self._last: tuple[str, int] | None = None
        self._is_open = False

    def read(self, frame: Frame, events: list[Event]) -> None:
        place = ("summary", frame.summary_index or 0)
        match frame.type:
            case "response.reasoning_summary_text.delta":
                self._grow(place, frame.delta, events)
            case "response.reasoning_text.delta":
                self._grow(("content", frame.content_index or 0), frame.delta, events)
            case "response.reasoning_summary_text.done":
                self._settle(place, frame.text, events)
            case "response.reasoning_text.done":
                self._settle(("content", frame.content_index or 0), frame.text, events)
            case "response.output_item.done":
                self._finish(frame.shown, events)

    def _grow(self, place: tuple[str, int], delta: Any, events: list[Event]) -> None:
        if not isinstance(delta, str) or not delta:
            return
        self._open(events)
        if self._last not in (None, place):
            events.append(SectionBegan())
        self._last = place
        self._said.setdefault(place, []).append(delta)
        events.append(TextGrew(delta))

    def _settle(self, place: tuple[str, int], text: Any, events: list[Event]) -> None:
        if place == self._last or place not in self._said:
            self._grow(place, rest_of(text, "".join(self._said.get(place, ()))), events)

    def _finish(self, item: dict[str, Any], events: list[Event]) -> None:
        for name in ("summary", "content"):
            for index, part in enumerate(objects_in(item.get(name))):
                self._settle((name, index), part.get("text"), events)
        sealed = item.get("encrypted_content")
        if isinstance(sealed, str) and sealed:
            self._open(events)
            events.append(Sealed(Seal(SealKind.CIPHERTEXT, sealed)))
        if self._is_open:
            events.append(PartClosed())
        self.is_done = True

    def _open(self, events: list[Event]) -> None:
        if not self._is_open:
            self._is_open = True
            events.append(PartOpened(ReasoningHead()))


class MessageReader(ItemReader):
    """Each content part is a part of its own."""

    def __init__(self, phase: str) -> None:
        super().__init__()
        self._phase = phase
        self._open: int | None = None
        self._closed: set[int] = set()
        self._said: list[str] = []
        self._cited = 0
        self._weighed = False

    def read(self, frame: Frame, events: list[Event]) -> None:
        index = frame.content_index or 0
        match frame.type:
            case "response.output_text.delta":
                if self._open != index:
                    self._begin(index, TextHead(self._phase), events)
                self._grow(frame.delta, events)
                self._weigh(frame.logprobs, events)
            case "response.content_part.added":
                if isinstance(frame.part, dict) and frame.part.get("type") in ("output_text", "refusal"):
                    self._begin(index, self._head(frame.part), events)
            case "response.refusal.delta":
                self._begin(index, RefusalHead(), events)
                self._grow(frame.delta, events)
            case "response.output_text.annotation.added":
                self._begin(index, TextHead(self._phase), events)
                self._cite([frame.annotation], events)
                self._cited += 1
            case "response.output_text.done":
                self._settle_text(index, TextHead(self._phase), frame.text, events)
                self._weigh([] if self._weighed else frame.logprobs, events)
            case "response.refusal.done":
                self._settle_text(index, RefusalHead(), frame.refusal, events)
            case "response.content_part.done":
                self._settle(index, frame.part, events)
            case "response.output_item.done":
                for place, part in enumerate(objects_in(frame.shown.get("content"))):
                    self._settle(place, part, events)
                self._close(events)
                self.is_done = True

    def _head(self, part: dict[str, Any]) -> Head:
        return RefusalHead() if part.get("type") == "refusal" else TextHead(self._phase)

    def _begin(self, index: int, head: Head, events: list[Event]) -> None:
        if self._open == index:
            return
        if index in self._closed:
            raise BrokenStream(
                "The upstream went on with a part of its answer that was closed. Send the request again."
            )
        self._close(events)
        self._open, self._said, self._cited, self._weighed = index, [], 0, False
        events.append(PartOpened(head))

    def _grow(self, delta: Any, events: list[Event]) -> None:
        if isinstance(delta, str) and delta:
            self._said.append(delta)
            events.append(TextGrew(delta))

    def _settle(self, index: int, part: Any, events: list[Event]) -> None:
        """A part as a whole: tell what was not told of it, and close it."""
        if index in self._closed or not isinstance(part, dict) or part.get("type") not in ("output_text", "refusal"):
            return
        self._settle_text(index, self._head(part), part.get("refusal") or part.get("text"), events)
        if not self._weighed:
            self._weigh(part.get("logprobs"), events)
        self._cite(objects_in(part.get("annotations"))[self._cited :], events)
        self._close(events)

    def _settle_text(self, index: int, head: Head, whole: Any, events: list[Event]) -> None:
        self._begin(index, head, events)
        self._grow(rest_of(whole, "".join(self._said)), events)

    def _cite(self, notes: list[Any], events: list[Event]) -> None:
        found = [read_citation(note) for note in notes if isinstance(note, dict)]
        events.extend(Cited(citation) for citation in found if citation is not None)

    def _weigh(self, logprobs: Any, events: list[Event]) -> None:
        if chances := read_chances(logprobs):
            self._weighed = True
            events.append(Weighed(chances))

    def _close(self, events: list[Event]) -> None:
        if self._open is not None:
            self._closed.add(self._open)
            self._open = None
            events.append(PartClosed())
