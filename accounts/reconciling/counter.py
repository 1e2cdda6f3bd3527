"""How far GitHub's counter of an allowance moved between readings, in billionths of its unit.

A run is a stretch in which the counter only goes on. It ends at a reset: the moment a reading names has passed and a
later reading names a later moment, or, where no moment is named, less than half of what was used is left of it. From a
moment that is known the next run counts from nothing; else from the first reading after it. A counter that falls a
little is no reset: GitHub lags, and gives credits back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from accounts.models import QuotaSource

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from accounts.models import QuotaReading

NANO = 1_000_000_000
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch without a reset, and by how much the counter moved in it."""

    since: datetime
    until: datetime
    moved: int


def counted_runs(readings: Sequence[QuotaReading]) -> list[Run]:
    """Return the runs between the first and the last reading, which all say what was used; none of fewer than two."""
    runs: list[Run] = []
    if len(readings) < 2:
        return runs
    since, base = readings[0].at, _used(readings[0])
    for before, after in pairwise(readings):
        if not _began_anew(before, after):
            continue
        runs.append(Run(since, before.at, _used(before) - base))
        since, base = _start_of(before, after)
    last = readings[-1]
    runs.append(Run(since, last.at, _used(last) - base))
    return runs


def step_nano(readings: Sequence[QuotaReading]) -> int:
    """Return the smallest difference that the figures can show: the finest digit seen in them, at least one.

    A figure such as 12.0 may be round by chance, so the finest one counts; beyond its allowance an account is told
    whole units only, whatever its figures showed before.
    """
    within = [_step(reading) for reading in readings if not reading.overage]
    beyond = [_step(reading) for reading in readings if reading.overage]
    return max(min(within, default=1), min(beyond, default=1))


def _used(reading: QuotaReading) -> int:
    return round((reading.used or 0.0) * NANO)


def _began_anew(before: QuotaReading, after: QuotaReading) -> bool:
    if before.reset_at is not None and after.reset_at is not None:
        return before.reset_at < after.reset_at and before.reset_at <= after.at
    return _used(after) * 2 < _used(before)


def _start_of(before: QuotaReading, after: QuotaReading) -> tuple[datetime, int]:
    """Return when the run of `after` began and what the counter showed then."""
    if before.reset_at is not None and before.at <= before.reset_at <= after.at:
        return before.reset_at, 0
    return after.at, _used(after)


def _step(reading: QuotaReading) -> int:
    if reading.overage:
        return _last_digit(reading.overage)
    if reading.source == QuotaSource.HEADERS and _is_of_percent(reading):
        return max(math.ceil((reading.entitlement or 0.0) * _last_digit(reading.percent_remaining or 0.0) / 100), 1)
    return _last_digit(reading.remaining or 0.0)


def _is_of_percent(reading: QuotaReading) -> bool:
    """Whether the remainder is only what the percentage makes of the entitlement."""
    if reading.entitlement is None or reading.percent_remaining is None or reading.remaining is None:
        return False
    return math.isclose(reading.remaining, reading.entitlement * reading.percent_remaining / 100.0, rel_tol=1e-12)


def _last_digit(figure: float) -> int:
    """Return the worth of the last decimal that is written: 0.1 for 252.6, one for 12.0."""
    exponent = Decimal(repr(figure)).normalize().as_tuple().exponent
    decimals = min(max(-exponent, 0), _DIGITS) if isinstance(exponent, int) else 0
    return int(10 ** (_DIGITS - decimals))
