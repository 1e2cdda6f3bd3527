"""What the load generator is told and what it tells: plain values that travel as JSON between processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tests.simulator.fast_answers import Shape

if TYPE_CHECKING:
    from collections.abc import Iterable


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A closed loop: each connection asks its next question when the last answer has ended."""

    port: int
    path: str
    key: str
    model: str
    streamed: bool
    shape: Shape
    connections: int
    seconds: float
    """No question is asked later than this."""
    ramp: float = 0.0
    """The connections open evenly over so many seconds instead of all at once."""
    limit: int = 1_000_000
    """No more questions than this."""
    patience: float
    """Seconds after the last question until an unfinished answer is a wrong one."""


class Spread(msgspec.Struct, frozen=True):
    """Percentiles of a duration, in milliseconds; None where nothing was seen."""

    p50: float | None
    p99: float | None

    @classmethod
    def of(cls, nanoseconds: Iterable[int]) -> Spread:
        ordered = sorted(nanoseconds)
        if not ordered:
            return cls(None, None)
        return cls(percentile(ordered, 50) / 1e6, percentile(ordered, 99) / 1e6)


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What one job saw. Wrong answers are counted by what was wrong; right ones alone count as served."""

    served: int
    chunks: int
    seconds: float
    """From the first question to the last answer."""
    wrong: dict[str, int]
    first: Spread
    """From the question to the first content of its answer."""
    delay: Spread
    """From the upstream's write of a chunk to its arrival here."""
    whole: Spread
    """From the question to the end of its answer."""
    peak: int
    """Most answers under way at once."""
    cpu: float
    """Processor seconds the load generator itself used."""


def percentile(ordered: list[int], percent: int) -> int:
    """The nearest-rank percentile of a sorted list that is not empty."""
    rank = -(-percent * len(ordered) // 100)  # rounded up, in integers: with floats a rank may come out one too high
    return ordered[max(rank, 1) - 1]
