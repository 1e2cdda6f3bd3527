"""Stopping: stop sequences for an upstream that has none. Quirk no-stop-sequences.

The reply's text is cut where the first stop sequence begins; what comes behind it is swallowed, but the bill at the
end is the upstream's whole one. Text that may turn out to be the beginning of a sequence is held back: never more than
one character less than the longest has.
"""

from __future__ import annotations

from collections import deque

from bridge.events import Cited, Event, Failed, Finished, PartClosed, PartOpened, Stop, TextGrew, TextHead, Weighed

# Looking for a longer one in every piece of a reply would cost more than it is worth; no API takes such ones.
LONGEST = 4096


class StopCutter:
    """Cuts one reply at the first of `stops`, in text parts alone, each part for itself."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = tuple(stop for stop in stops if 0 < len(stop) <= LONGEST)
        self._sequence: str | None = None
        self._in_text = False
        self._held = ""
        self._kept = 0
        """Characters of the open part that have gone out."""
        self._weighed = 0
        """Characters of it whose log probabilities have."""
        self._waiting: deque[Weighed | Cited] = deque()
        """What is said about text that is held back."""

    @property
    def found(self) -> bool:
        """The reply has been cut: nothing more is told until its end."""
        return self._sequence is not None

    def feed(self, event: Event) -> list[Event]:
        """What of the reply the caller is told for `event`."""
        if self._sequence is not None:
            return self._after_cut(event, self._sequence)
        match event:
            case PartOpened(head):
                self._in_text = isinstance(head, TextHead) and bool(self._stops)
                self._kept = self._weighed = 0
                return [event]
            case TextGrew(text) if self._in_text:
                return self._scanned(self._held + text, is_whole=False)
            case Weighed() | Cited() if self._in_text:
                self._waiting.append(event)
                return self._due()
            case PartClosed() | Failed() if self._in_text:
                return self._closed(event)
        return [event]

    def _scanned(self, text: str, *, is_whole: bool) -> list[Event]:
        end, sequence = len(text), None
        for stop in self._stops:
            place = text.find(stop)
            # Of two at the same place the shorter one was complete first.
            if 0 <= place < end or (place == end and sequence is not None and len(stop) < len(sequence)):
                end, sequence = place, stop
        begun = end if is_whole else self._begun(text, end)
        if begun < end or sequence is None:
            self._held = text[begun:]
            return self._grown(text[:begun])
        self._held = ""
        self._sequence = sequence
        events = [*self._grown(text[:end]), PartClosed()]
        self._waiting.clear()
        return events

    def _begun(self, text: str, end: int) -> int:
        """Where, before `end`, the first stop sequence may have begun that the text breaks off in; else `end`."""
        for stop in self._stops:
            place = text.find(stop[0], max(0, len(text) - len(stop) + 1), end)
            while place >= 0:
                if stop.startswith(text[place:]):
                    end = place
                    break
                place = text.find(stop[0], place + 1, end)
        return end

    def _closed(self, event: Event) -> list[Event]:
        events = self._scanned(self._held, is_whole=True)
        if self._sequence is not None:
            # The cut has closed the part; an error is still told.
            return [*events, event] if isinstance(event, Failed) else events
        events += self._waiting
        self._waiting.clear()
        self._in_text = False
        return [*events, event]

    def _after_cut(self, event: Event, sequence: str) -> list[Event]:
        match event:
            case Finished(tally=tally, counted=counted):
                return [Finished(Stop.SEQUENCE, sequence, tally, counted)]
            case Failed():
                return [event]
        return []

    def _grown(self, text: str) -> list[Event]:
        if not text:
            return []
        self._kept += len(text)
        return [TextGrew(text), *self._due()] if self._waiting else [TextGrew(text)]

    def _due(self) -> list[Event]:
        """What is said about text that has gone out, in the order it was said."""
        events: list[Event] = []
        if not self._held and self._sequence is None:
            events += self._waiting
            self._waiting.clear()
            self._weighed = self._kept
        while self._waiting:
            waiting = self._waiting[0]
            if isinstance(waiting, Cited):
                if waiting.citation.end is not None and waiting.citation.end > self._kept:
                    break
                events.append(waiting)
            else:
                fitting = self._fitting(waiting)
                events += [Weighed(waiting.chances[:fitting])] if fitting else []
                if fitting < len(waiting.chances):
                    self._waiting[0] = Weighed(waiting.chances[fitting:])
                    break
            self._waiting.popleft()
        return events

    def _fitting(self, weighed: Weighed) -> int:
        """How many of the tokens stand wholly in text that has gone out."""
        for number, chance in enumerate(weighed.chances):
            if self._weighed + len(chance.token) > self._kept:
                return number
            self._weighed += len(chance.token)
        return len(weighed.chances)
