"""What the counters take of one ledger row: whose it is, how it stands, what it used and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from accounts.models import UsageStatus

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.models import UsageRecord


@dataclass(frozen=True, slots=True)
class Booked:
    """A row as it stands, or as it is going to. Money in nano-AIU; `reserved` counts while the row is open."""

    id: UUID
    status: str
    day: date
    member: int | None = None
    key: int | None = None
    team: int | None = None
    seat: int | None = None
    model: str = ""
    program: str = ""
    session: str = ""
    reserved: int = 0
    nano_reported: int | None = None
    nano_computed: int | None = None
    input: int = 0
    cached: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    premium: int = 0
    total_ms: int = 0

    @classmethod
    def of(cls, row: UsageRecord) -> Booked:
        return cls(
            id=row.id,
            status=row.status,
            day=row.day,
            member=row.member_id,
            key=row.key_id,
            team=row.team_id,
            seat=row.seat_id,
            model=row.served_model,
            program=row.program,
            session=row.session,
            reserved=row.reserved_nano,
            nano_reported=row.nano_reported,
            nano_computed=row.nano_computed,
            input=row.input_tokens,
            cached=row.cached_tokens,
            cache_write=row.cache_write_tokens,
            output=row.output_tokens,
            reasoning=row.reasoning_tokens,
            premium=row.premium_thousandths or 0,
            total_ms=row.total_ms or 0,
        )

    @property
    def is_open(self) -> bool:
        return self.status == UsageStatus.OPEN

    @property
    def cost(self) -> int:
        """What the row counts for: as reported, else as computed; nothing while it is open or when nobody knows."""
        if self.is_open:
            return 0
        return self.nano_reported if self.nano_reported is not None else self.nano_computed or 0

    @property
    def held(self) -> int:
        """What budgets hold back for the row."""
        return self.reserved if self.is_open else 0

    def sums(self) -> tuple[int, ...]:
        """The row's part of the columns of `Sums`, in the order of SUM_COLUMNS; nothing while it is open."""
        if self.is_open:
            return NOTHING
        return (
            *(int(self.status == status) for status in _ENDED),
            self.input,
            self.cached,
            self.cache_write,
            self.output,
            self.reasoning,
            self.cost,
            self.cost if self.nano_reported is None else 0,
            self.premium,
            self.total_ms,
        )


def day_of(value: date | str) -> date:
    """A day as a database hands it out: text in SQLite."""
    return date.fromisoformat(value) if isinstance(value, str) else value


_ENDED = (
    UsageStatus.SETTLED.value,
    UsageStatus.REFUSED.value,
    UsageStatus.FAILED.value,
    UsageStatus.CANCELLED.value,
    UsageStatus.ABANDONED.value,
)
# `total_ms` comes last: conversations do not keep it.
SUM_COLUMNS = (
    *_ENDED, "input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "nano",
    "nano_stand_in", "premium_thousandths", "total_ms",
)  # fmt: skip
NOTHING: tuple[int, ...] = (0,) * len(SUM_COLUMNS)
