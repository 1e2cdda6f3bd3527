"""Limits counted in one process, exactly: what began, what was used and what is running in the last sixty seconds.

A window moves: a request passes if, together with those of the sixty seconds before it, it stays within every limit;
at each moment the answer is that of the plain definition, not of buckets. Nothing in here waits, so looking and taking
are one step on the event loop.

Tokens count when they become known: the estimate of the input when the request is admitted, the rest when it has
ended. A request that used less than its estimate gives the difference back. One that is larger than the whole limit
passes into an empty window only, else it could never pass.

Memory: a window holds one entry a request, and so at most as many as its limit admits; all acts are O(1) amortised,
but for a refusal by tokens, which looks for the entry whose end makes room.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from proxy.counted import CONCURRENCY_WAIT, MINUTE, Bound, Full, Measure, Used


def _microseconds() -> int:
    return time.monotonic_ns() // 1000


@dataclass(frozen=True, slots=True)
class _Spent:
    at: int
    count: int


@dataclass(slots=True)
class _Meter:
    """What one key or team did lately. `total` is the sum of `tokens`, which are in the order of their times."""

    requests: deque[int] = field(default_factory=deque)
    tokens: OrderedDict[tuple[UUID, bool], _Spent] = field(default_factory=OrderedDict)
    total: int = 0
    running: set[UUID] = field(default_factory=set)

    @property
    def is_idle(self) -> bool:
        return not (self.requests or self.tokens or self.running)

    def forget(self, now: int) -> None:
        """Let go of what is older than the window."""
        over = now - MINUTE
        while self.requests and self.requests[0] <= over:
            self.requests.popleft()
        while self.tokens:
            part, spent = next(iter(self.tokens.items()))
            if spent.at > over:
                return
            self.total -= spent.count
            del self.tokens[part]

    def wait(self, bound: Bound, measure: Measure, tokens: int, now: int) -> int | None:
        """Microseconds until a request fits; None when it fits now."""
        limit = bound.limit(measure)
        if limit is None:
            return None
        match measure:
            case Measure.REQUESTS:
                return self._wait_for_requests(limit, now)
            case Measure.TOKENS:
                return self._wait_for_tokens(limit, tokens, now)
            case Measure.CONCURRENT:
                return CONCURRENCY_WAIT if len(self.running) >= limit else None

    def take(self, request: UUID, bound: Bound, tokens: int, now: int) -> None:
        if bound.requests is not None:
            self.requests.append(now)
        if bound.tokens is not None:
            self._spend((request, False), tokens, now)
        if bound.concurrent is not None:
            self.running.add(request)

    def settle(self, request: UUID, bound: Bound, held: int, used: int, now: int) -> None:
        self.running.discard(request)
        if bound.tokens is None:
            return
        if used > held:
            self._spend((request, True), used - held, now)
            return
        spent = self.tokens.get((request, False))
        if spent is None:
            return
        self.total -= held - used
        if used:
            self.tokens[request, False] = _Spent(spent.at, used)
        else:
            del self.tokens[request, False]

    def _spend(self, part: tuple[UUID, bool], count: int, now: int) -> None:
        self.tokens[part] = _Spent(now, count)
        self.total += count

    def _wait_for_requests(self, limit: int, now: int) -> int | None:
        surplus = len(self.requests) - limit
        if surplus < 0:
            return None
        if surplus >= len(self.requests):
            return MINUTE
        return self.requests[surplus] + MINUTE - now

    def _wait_for_tokens(self, limit: int, tokens: int, now: int) -> int | None:
        left = self.total
        if left + tokens <= limit or not left:
            return None
        for spent in self.tokens.values():
            left -= spent.count
            if left + tokens <= limit or not left:
                return spent.at + MINUTE - now
        return MINUTE


class LocalCounters:
    def __init__(self, now: Callable[[], int] = _microseconds) -> None:
        self._now = now
        self._meters: dict[str, _Meter] = {}
        self._next_sweep = 0

    def take(self, request: UUID, bounds: Sequence[Bound], tokens: int) -> Full | None:
        """Count `request` with its `tokens` under every bound, or, if one of them has no room, under none.

        Returns the limit that keeps it out for longest.
        """
        now = self._now()
        self._sweep(now)
        full: Full | None = None
        for bound in bounds:
            meter = self._meter(bound, now)
            for measure in Measure:
                wait = meter.wait(bound, measure, tokens, now)
                if wait is not None and (full is None or wait > full.wait):
                    full = Full(bound, measure, wait)
        if full is None:
            self.note(request, bounds, tokens)
        return full

    def note(self, request: UUID, bounds: Sequence[Bound], tokens: int) -> None:
        """Count a request that somebody else admitted."""
        now = self._now()
        for bound in bounds:
            self._meter(bound, now).take(request, bound, tokens, now)

    def settle(self, request: UUID, bounds: Sequence[Bound], held: int, used: int) -> None:
        """The request has ended: free its slots, set its tokens right. Does nothing for one that was not counted."""
        now = self._now()
        for bound in bounds:
            self._meter(bound, now).settle(request, bound, held, used, now)

    def used(self, bound: Bound) -> Used:
        meter = self._meter(bound, self._now())
        return Used(len(meter.requests), meter.total, len(meter.running))

    @property
    def subjects(self) -> int:
        """How many keys and teams something is remembered of."""
        return len(self._meters)

    def _meter(self, bound: Bound, now: int) -> _Meter:
        meter = self._meters.get(bound.subject)
        if meter is None:
            meter = self._meters[bound.subject] = _Meter()
        meter.forget(now)
        return meter

    def _sweep(self, now: int) -> None:
        """Once a minute: drop the meters of those who did nothing."""
        if now < self._next_sweep:
            return
        self._next_sweep = now + MINUTE
        for subject, meter in list(self._meters.items()):
            meter.forget(now)
            if meter.is_idle:
                del self._meters[subject]
