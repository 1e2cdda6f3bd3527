"""What the counters of requests are asked and what they answer: plain values, times in whole microseconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accounts.allowance import Allowance
    from accounts.directory import Caller

SECOND = 1_000_000
MINUTE = 60 * SECOND
# Nobody knows when a running request ends; this is how soon it pays to look again.
CONCURRENCY_WAIT = SECOND


class Measure(StrEnum):
    """What is limited; the order is that of the shared script."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    CONCURRENT = "concurrent"


@dataclass(frozen=True, slots=True)
class Bound:
    """The limits of one key, or of one team (then `team` is its name); None is no limit."""

    subject: str
    requests: int | None = None
    tokens: int | None = None
    concurrent: int | None = None
    team: str = ""

    def limit(self, measure: Measure) -> int | None:
        match measure:
            case Measure.REQUESTS:
                return self.requests
            case Measure.TOKENS:
                return self.tokens
            case Measure.CONCURRENT:
                return self.concurrent


@dataclass(frozen=True, slots=True)
class Full:
    """A request does not fit: which limit it meets, and in how many microseconds it would not."""

    bound: Bound
    measure: Measure
    wait: int


@dataclass(frozen=True, slots=True)
class Used:
    """What of a bound's limits is used now; a measure without a limit is not counted and stays 0."""

    requests: int = 0
    tokens: int = 0
    concurrent: int = 0


def own_bound(caller: Caller) -> Bound | None:
    """The limits of the caller's key; None when it has none."""
    return _bound(f"key:{caller.key}", caller.own)


def shared_bound(caller: Caller) -> Bound | None:
    """The limits of the caller's team; None when it has none."""
    return _bound(f"team:{caller.team}", caller.shared, caller.team_name)


def bounds_of(caller: Caller) -> tuple[Bound, ...]:
    """Every limit that a request of the caller must fit."""
    return tuple(bound for bound in (own_bound(caller), shared_bound(caller)) if bound is not None)


def _bound(subject: str, allowance: Allowance, team: str = "") -> Bound | None:
    if not allowance.is_counted:
        return None
    return Bound(
        subject, allowance.requests_per_minute, allowance.tokens_per_minute, allowance.concurrent_requests, team
    )
