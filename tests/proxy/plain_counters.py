"""The limits by their definition: every event is kept, and every question is answered by looking at all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from hypothesis import strategies as st

from proxy.counted import MINUTE, SECOND, Bound, Measure

OWN = Bound("key:1", requests=4, tokens=100, concurrent=3)
OTHER = Bound("key:2", requests=3, tokens=None, concurrent=None)
TEAM = Bound("team:1", requests=6, tokens=150, concurrent=4, team="core")
# Whose limits a request must fit: two keys of one team, and a key alone.
CALLERS = ((OWN, TEAM), (OTHER, TEAM), (OWN,))
# No multiple of the step is near a minute: a test with a real clock may take its time.
STEP = 7 * SECOND

ADMIT = st.tuples(st.just("admit"), st.integers(0, len(CALLERS) - 1), st.integers(1, 120))
END = st.tuples(st.just("end"), st.integers(0, 20), st.integers(0, 160))
PASS = st.tuples(st.just("pass"), st.integers(1, 10), st.just(0))
ACTS = st.lists(st.one_of(ADMIT, ADMIT, END, PASS), max_size=30)


@dataclass
class Event:
    subject: str
    request: UUID
    at: int
    tokens: int = 0


@dataclass
class PlainCounters:
    requests: list[Event] = field(default_factory=list)
    tokens: list[Event] = field(default_factory=list)
    running: list[Event] = field(default_factory=list)

    def waits(self, bound: Bound, tokens: int, now: int) -> dict[Measure, int]:
        """The measures that have no room, each with the shortest wait after which it would."""
        ends = sorted({0, *(event.at + MINUTE - now for event in self.requests + self.tokens)})
        later = [wait for wait in ends if wait >= 0]
        found = {
            Measure.REQUESTS: next(wait for wait in later if self._has_room(bound, now + wait)),
            Measure.TOKENS: next(wait for wait in later if self._has_tokens(bound, tokens, now + wait)),
        }
        if bound.concurrent is not None and len(self._of(self.running, bound)) >= bound.concurrent:
            found[Measure.CONCURRENT] = SECOND
        return {measure: wait for measure, wait in found.items() if wait}

    def take(self, request: UUID, bounds: Sequence[Bound], tokens: int, now: int) -> int | None:
        """The longest wait, or None when the request fits and is counted."""
        waits = [wait for bound in bounds for wait in self.waits(bound, tokens, now).values()]
        if waits:
            return max(waits)
        for bound in bounds:
            self.requests.append(Event(bound.subject, request, now))
            self.tokens.append(Event(bound.subject, request, now, tokens))
            self.running.append(Event(bound.subject, request, now))
        return None

    def settle(self, request: UUID, bounds: Sequence[Bound], held: int, used: int, now: int) -> None:
        self.running = [event for event in self.running if event.request != request]
        for event in self.tokens:
            if event.request == request:
                event.tokens = min(held, used)
        if used > held:
            self.tokens += [Event(bound.subject, request, now, used - held) for bound in bounds]

    def sums(self, bound: Bound, now: int) -> tuple[int, int, int]:
        """What is used of the limits that there are."""
        requests = len(self._of(self.requests, bound, now)) if bound.requests is not None else 0
        tokens = self._token_sum(bound, now) if bound.tokens is not None else 0
        running = len(self._of(self.running, bound)) if bound.concurrent is not None else 0
        return requests, tokens, running

    def _has_room(self, bound: Bound, at: int) -> bool:
        return bound.requests is None or len(self._of(self.requests, bound, at)) < bound.requests

    def _has_tokens(self, bound: Bound, tokens: int, at: int) -> bool:
        spent = self._token_sum(bound, at)
        return bound.tokens is None or spent == 0 or spent + tokens <= bound.tokens

    def _token_sum(self, bound: Bound, at: int) -> int:
        return sum(event.tokens for event in self._of(self.tokens, bound, at))

    @staticmethod
    def _of(events: list[Event], bound: Bound, at: int | None = None) -> list[Event]:
        """The events of a bound; with a time, those of the minute before it."""
        return [event for event in events if event.subject == bound.subject and (at is None or event.at > at - MINUTE)]
