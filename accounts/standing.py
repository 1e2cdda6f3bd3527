"""Where a key stands: its budgets, what it did today, what GitHub said is left of its seat; at most a second old."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Sum

from accounts.database import in_thread
from accounts.days import this_day
from accounts.models import ApiKey, Seat, UsageDay
from accounts.spending import Spending, budgets_for, spendings_of

if TYPE_CHECKING:
    from accounts.directory import Caller

KEPT_SECONDS = 1.0
_REMEMBERED = 1000
# The seat's quota as its column holds it, but for what only the gateway's own decisions need.
_QUOTA_FIELDS = ("unlimited", "entitlement", "remaining", "percent_remaining", "reset_at")
_TODAY = ("opened", "settled", "refused", "failed", "cancelled", "abandoned")
_TOKENS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens")


@dataclass(frozen=True, slots=True)
class SeatQuota:
    """One allowance of a seat as GitHub told it at `seen_at`, in the unit of its entitlement."""

    name: str
    told: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything of a key that stands in the database; `today` counts requests, `tokens` and `nano` are today's."""

    created_at: datetime
    budgets: tuple[Spending, ...]
    today: dict[str, int]
    tokens: dict[str, int]
    nano: int
    quotas: tuple[SeatQuota, ...]
    quota_seen_at: datetime | None


class Standings:
    """Standings as they were read within the last second; many who ask for one at once wait for one reading."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._read: dict[tuple[int, int | None], tuple[float, asyncio.Future[Standing]]] = {}

    async def get(self, caller: Caller, seat: int | None) -> Standing:
        """The standing of the caller's key; `seat` is the id of the seat that would serve it."""
        now = self._now()
        at, reading = self._read.get((caller.key, seat), (0.0, None))
        if reading is None or now - at >= KEPT_SECONDS or (reading.done() and _failed(reading)):
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            reading = asyncio.ensure_future(in_thread(standing_of)(caller, seat))
            self._read[caller.key, seat] = (now, reading)
        return await asyncio.shield(reading)


def standing_of(caller: Caller, seat: int | None) -> Standing:
    """Read it from the database."""
    today = this_day()
    columns = (*_TODAY, *_TOKENS, "nano")
    summed = UsageDay.objects.filter(key=caller.key, day=today).aggregate(**{name: Sum(name) for name in columns})
    sums = {name: summed[name] or 0 for name in columns}
    row = Seat.objects.only("quota", "quota_seen_at").filter(pk=seat).first() if seat is not None else None
    return Standing(
        created_at=ApiKey.objects.values_list("created_at", flat=True).get(pk=caller.key),
        budgets=tuple(spendings_of(budgets_for(caller))),
        today={name: sums[name] for name in _TODAY},
        tokens={name: sums[name] for name in _TOKENS},
        nano=sums["nano"],
        quotas=_quotas(row),
        quota_seen_at=row.quota_seen_at if row is not None else None,
    )


def _quotas(seat: Seat | None) -> tuple[SeatQuota, ...]:
    held = seat.quota if seat is not None and isinstance(seat.quota, dict) else {}
    told = {name: values for name, values in held.items() if isinstance(values, dict)}
    return tuple(
        SeatQuota(name, {field: values.get(field) for field in _QUOTA_FIELDS}) for name, values in told.items()
    )


def _failed(reading: asyncio.Future[Standing]) -> bool:
    return reading.cancelled() or reading.exception() is not None
