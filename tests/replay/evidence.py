"""What is known of a replay from its four sides: the clients, the ledger, the upstream, and the processes killed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.replay.asks import Ask


class Ended(StrEnum):
    """How a request ended, as its client saw it."""

    COMPLETE = "complete"
    """The terminal event, or the whole body, was received."""
    REFUSED = "refused"
    """An error status with a body."""
    BROKEN = "error event"
    """A stream that ended with its dialect's error event."""
    SILENT = "no ending"
    """A stream that ended without a word."""
    LEFT = "left"
    """The client went away."""
    LOST = "connection lost"


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as its client saw it. `life` numbers the gateway's process that it began with."""

    number: int
    ended: Ended
    life: int
    request_id: str = ""
    status: int | None = None
    code: str = ""
    cost: str = ""
    may_retry: str = ""
    upstream: str = ""
    last_life: int = 0

    @property
    def was_killed(self) -> bool:
        """The process was killed while this request was under way."""
        return self.last_life > self.life


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the ledger, as far as the proof needs it."""

    id: str
    instance: str
    status: str
    client: str
    key: str
    door: str
    upstream_format: str
    served_model: str
    upstream_id: str
    http_status: int | None
    error_code: str
    cost_source: str
    nano_reported: int | None
    nano_computed: int | None
    premium_thousandths: int | None
    reserved_nano: int
    attempts: int
    opened_at: float
    settled_at: float | None

    @property
    def nano(self) -> int:
        """What the row counts for."""
        return self.nano_reported if self.nano_reported is not None else self.nano_computed or 0


@dataclass(frozen=True, slots=True)
class Call:
    """One request that reached the upstream: whose it was, how its answer ended, what it was charged."""

    number: int
    upstream_id: str
    ask: int | None
    login: str
    path: str
    status: int | None
    outcome: str
    nano: int = 0
    premium_thousandths: int = 0
    is_charged: bool = False
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """One period of one budget, and what the rows in its scope come to."""

    budget: str
    hard: bool
    limit: int
    settled: int
    reserved: int
    rows_settled: int
    rows_reserved: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """`sums` are (what, by the roll-ups, by the rows); `proof` is what `manage.py prove` said, None when it agreed."""

    asks: Sequence[Ask]
    seen: Mapping[int, Seen]
    rows: Sequence[Row]
    calls: Sequence[Call]
    instances: Mapping[str, int]
    killed: frozenset[int]
    sums: Sequence[tuple[str, int, int]]
    periods: Sequence[Period]
    accounts: Mapping[str, int]
    budgeted_limit: int
    proof: str | None = None
    log_faults: Sequence[str] = ()
    kills_due: int = 0
