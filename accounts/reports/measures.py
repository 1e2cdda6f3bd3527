"""What a report counts: requests by outcome, tokens by kind, money, time."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING

from accounts.models.usage_record import NANO_PER_CREDIT

if TYPE_CHECKING:
    from datetime import date

_SHARE = Decimal("0.0001")
_THOUSAND = 1000


@dataclass(frozen=True, slots=True)
class Measures:
    """Sums of roll-up rows. `nano` is what counts; `nano_stand_in` is the part of it that GitHub did not report."""

    opened: int = 0
    settled: int = 0
    refused: int = 0
    failed: int = 0
    cancelled: int = 0
    abandoned: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    nano: int = 0
    nano_stand_in: int = 0
    premium_thousandths: int = 0
    total_ms: int | None = None

    @property
    def open(self) -> int:
        """Requests that have not ended."""
        return self.opened - self.settled - self.refused - self.failed - self.cancelled - self.abandoned

    @property
    def all_input(self) -> int:
        return self.input_tokens + self.cached_tokens + self.cache_write_tokens

    @property
    def nano_reported(self) -> int:
        return self.nano - self.nano_stand_in

    @property
    def credits(self) -> Decimal:
        return Decimal(self.nano) / NANO_PER_CREDIT

    @property
    def credits_reported(self) -> Decimal:
        return Decimal(self.nano_reported) / NANO_PER_CREDIT

    @property
    def credits_stand_in(self) -> Decimal:
        return Decimal(self.nano_stand_in) / NANO_PER_CREDIT

    @property
    def premium_requests(self) -> Decimal:
        return Decimal(self.premium_thousandths) / _THOUSAND

    @property
    def miss_share(self) -> Decimal | None:
        """Which part of the input came from no cache, from 0 to 1 with four decimals; None without input."""
        return (Decimal(self.input_tokens) / self.all_input).quantize(_SHARE) if self.all_input else None

    @property
    def miss_percent(self) -> Decimal | None:
        return None if self.miss_share is None else self.miss_share * 100

    @property
    def average_ms(self) -> int | None:
        """Milliseconds a request took; abandoned ones have no end. None where times are not rolled up."""
        timed = self.settled + self.refused + self.failed + self.cancelled
        return None if self.total_ms is None or not timed else self.total_ms // timed


COLUMNS: tuple[str, ...] = tuple(field.name for field in fields(Measures))


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One line. `period` is the first day, None for the whole range; `subject` the id of the member, team, key, seat or
    conversation, or the name of the model or program; None when a request had none. `detail` tells whose it is."""

    period: date | None
    subject: int | str | None
    name: str
    measures: Measures
    detail: str = ""
