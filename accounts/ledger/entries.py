"""What is written of a request: once when it opens, once when it is settled."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from accounts.directory import Caller
from bridge.tally import Tally

NOTHING = Tally()


class Outcome(StrEnum):
    """How a request ended; the same words as `UsageStatus`."""

    SETTLED = "settled"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Opening:
    """Who asks for what. `opened_at` is Unix time; the id is ordered by it and is the request id the caller sees.

    `reserved` is what budgets hold back for it while it is open, in nano-AIU.
    """

    id: UUID
    opened_at: float
    caller: Caller
    door: str
    client: str = ""
    ip: str | None = None
    requested_model: str = ""
    served_model: str = ""
    route: str = ""
    upstream_format: str = ""
    seat: int | None = None
    seat_name: str = ""
    streamed: bool = False
    initiator: str = ""
    session: str = ""
    reserved: int = 0


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """One try at the upstream; times in milliseconds since the request opened."""

    seat: int | None
    seat_name: str
    upstream_format: str
    status: int | None
    error_code: str
    started_ms: int
    total_ms: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """How it ended, what it used and what that cost.

    `tries` counts the calls of the upstream, `attempts` tells them one by one; times in milliseconds. `upstream_format`
    is that of the last try; empty leaves what the opening said.
    """

    id: UUID
    settled_at: float
    outcome: Outcome
    http_status: int | None
    error_code: str = ""
    stop_reason: str = ""
    tally: Tally = NOTHING
    cost_source: str = ""
    nano_computed: int | None = None
    premium_thousandths: int | None = None
    first_byte_ms: int | None = None
    total_ms: int | None = None
    dropped: str = ""
    upstream_id: str = ""
    upstream_format: str = ""
    tries: int = 0
    attempts: tuple[AttemptLine, ...] = ()
