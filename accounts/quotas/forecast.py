"""When an allowance runs out at its present pace: a pure reckoning over its readings.

Readings are grouped into runs: within a run an allowance only falls, and a new run begins where it was filled up. It
was filled up when

    * the reset that an earlier reading announced lies between two readings, or
    * the entitlement changed, or
    * more is left than ever before in the run, by more than 5 % of the entitlement, and stays so for an hour, or
      until the next reading if that is later. A rise that is undone sooner, like one of a few per cent, is a figure
      that lags; one that is the newest reading of all counts only when it fills at least nine tenths.

Lag shows as too much left, never as too little, so within a run the least seen so far is taken as true. The pace is
what went since the run began, by the time that took: at least six hours, else nothing is forecast. Nights and weekends
are part of the pace, which therefore gets steadier as the run gets longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

SHORTEST_RUN_SECONDS: Final = 6 * 3600.0
# Older knowledge says nothing of today's pace.
FRESH_SECONDS: Final = 2 * 86_400.0
# Without a reset a later end is too far away to be told.
FARTHEST_SECONDS: Final = 120 * 86_400.0
_DAY = 86_400.0
_RISE = 0.05
_FULL = 0.9
_CONFIRMED_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Point:
    """A reading: Unix time, what was left, of how much (100 for percent), and when it resets."""

    at: float
    left: float
    total: float
    reset_at: float | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """`per_day` is the pace; `empty_at` is None when what is left lasts until `reset_at`. All times are Unix times."""

    per_day: float
    empty_at: float | None
    reset_at: float | None

    @property
    def lasts(self) -> bool:
        return self.empty_at is None


def forecast(points: Sequence[Point], now: float) -> Forecast | None:
    """Return when the allowance runs out, from readings in the order of their time; None when that is not known."""
    run = current_run(points)
    if not run or now - run[-1].at > FRESH_SECONDS:
        return None
    first, last = run[0], run[-1]
    if last.reset_at is not None and last.reset_at <= now:
        return None
    left = min(point.left for point in run)
    took = last.at - first.at
    if took < SHORTEST_RUN_SECONDS or left <= 0:
        return None
    pace = (first.left - left) / took
    empty_at = max(now, last.at + left / pace) if pace > 0 else None
    if last.reset_at is None:
        if empty_at is None or empty_at > now + FARTHEST_SECONDS:
            return None
    elif empty_at is not None and empty_at >= last.reset_at:
        empty_at = None
    return Forecast(pace * _DAY, empty_at, last.reset_at)


def current_run(points: Sequence[Point]) -> Sequence[Point]:
    """Return the readings since the allowance was last filled up."""
    start, least = 0, float("inf")
    for index, point in enumerate(points):
        if index and _is_new_run(points, index, least):
            start, least = index, point.left
        else:
            least = min(least, point.left)
    return points[start:]


def _is_new_run(points: Sequence[Point], index: int, least: float) -> bool:
    before, point = points[index - 1], points[index]
    if before.reset_at is not None and before.reset_at <= point.at:
        return True
    if point.total != before.total:
        return True
    risen = least + _RISE * abs(point.total)
    if point.left <= risen:
        return False
    if index == len(points) - 1:
        return point.left >= _FULL * point.total
    least_after = points[index + 1].left
    for later in points[index + 2 :]:
        if later.at > point.at + _CONFIRMED_SECONDS:
            break
        least_after = min(least_after, later.left)
    return least_after > risen
