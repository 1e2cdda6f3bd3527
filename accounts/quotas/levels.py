"""What is known to be left of a seat, and what that means for choosing it: well, low or empty.

GitHub's figures lag and age, so they only order seats and never lock one out. A sighting holds until its allowance
resets, and for half an hour at most; after that the seat counts as well again, and the next answer tells.

    EMPTY   the governing allowance is used up and nothing may be spent beyond it, or the five-hour or weekly window is
    LOW     less than 2 % of one of them is left, or requests are already paid for beyond the allowance
    WELL    everything else, and whatever is not known
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from bridge.copilot.account import FREE_SKUS
from bridge.copilot.quota import Quota, governing_quota

if TYPE_CHECKING:
    from collections.abc import Iterable

FRESH_SECONDS: Final = 1800.0
LOW_PERCENT: Final = 2.0
WINDOWS: Final = ("session", "weekly")
# An allowance that GitHub stopped naming, after a change of plan, is forgotten after this long.
_NAMED_SECONDS = 2 * 86_400.0
_QUOTA_FIELDS = frozenset(field.name for field in fields(Quota))


class Standing(IntEnum):
    """In the order in which seats are taken."""

    WELL = 0
    LOW = 1
    EMPTY = 2


@dataclass(frozen=True, slots=True)
class Sighting:
    """An allowance as it was seen; `at` is Unix time."""

    quota: Quota
    at: float

    def holds(self, now: float) -> bool:
        reset_at = self.quota.reset_at
        return now < self.at + FRESH_SECONDS and (reset_at is None or now < reset_at)


@dataclass(frozen=True, slots=True)
class Levels:
    """The allowances of one seat, each as last seen. `is_free`: chat messages govern the seat."""

    sightings: tuple[Sighting, ...] = ()
    is_free: bool = False

    @property
    def governing(self) -> Sighting | None:
        """The allowance that decides whether the seat can work, as last seen."""
        return _governing(self.sightings, self.is_free)

    @property
    def windows(self) -> tuple[Sighting, ...]:
        """The five-hour and the weekly limit, as far as they were seen."""
        return tuple(seen for name in WINDOWS for seen in self.sightings if seen.quota.name == name)

    def standing(self, now: float) -> Standing:
        held = tuple(seen for seen in self.sightings if seen.holds(now))
        decisive = [seen.quota for seen in held if seen.quota.name in WINDOWS]
        governing = _governing(held, self.is_free)
        if governing is not None:
            decisive.append(governing.quota)
        return max((_standing(quota) for quota in decisive), default=Standing.WELL)

    def with_quotas(self, quotas: Iterable[Quota], at: float) -> Levels:
        """These levels and what was seen at `at`. A unit that an answer's headers do not tell stays as it was."""
        known = {seen.quota.name: seen for seen in self.sightings if seen.at > at - _NAMED_SECONDS}
        for quota in quotas:
            before = known.get(quota.name)
            unit = before.quota.token_based if before is not None and quota.token_based is None else quota.token_based
            known[quota.name] = Sighting(replace(quota, token_based=unit), at)
        return replace(self, sightings=tuple(known.values()))

    def merged(self, other: Levels) -> Levels:
        """Of each allowance the newer sighting."""
        known = {seen.quota.name: seen for seen in self.sightings}
        for seen in other.sightings:
            before = known.get(seen.quota.name)
            if before is None or before.at < seen.at:
                known[seen.quota.name] = seen
        return Levels(tuple(known.values()), other.is_free)

    def column(self) -> dict[str, dict[str, Any]]:
        """As the seat's `quota` column holds them."""
        return {seen.quota.name: asdict(seen.quota) | {"at": seen.at} for seen in self.sightings}


UNKNOWN: Final = Levels()


def read_levels(column: object, seen_at: float | None, sku: str = "") -> Levels:
    """The levels in a seat's `quota` column; `seen_at` dates entries without a date."""
    entries = column.values() if isinstance(column, dict) else ()
    sightings = (_sighting(entry, seen_at or 0.0) for entry in entries if isinstance(entry, dict))
    return Levels(tuple(seen for seen in sightings if seen is not None), sku in FREE_SKUS)


def percent_left(quota: Quota) -> float | None:
    """Percent of the entitlement that is left, as said or as computed; may be negative, None when unknown."""
    if quota.percent_remaining is not None:
        return quota.percent_remaining
    if quota.remaining is None or not quota.entitlement:
        return None
    return 100.0 * quota.remaining / quota.entitlement


def _governing(sightings: Iterable[Sighting], is_free: bool) -> Sighting | None:
    by_quota = {seen.quota: seen for seen in sightings}
    quota = governing_quota(by_quota, free=is_free)
    if quota is None:
        # A free account whose SKU is not known yet shows itself by having nothing else.
        quota = governing_quota(by_quota, free=not is_free)
    return None if quota is None else by_quota[quota]


def _standing(quota: Quota) -> Standing:
    if quota.unlimited:
        return Standing.WELL
    if quota.exhausted:
        return Standing.EMPTY
    percent = percent_left(quota)
    is_low = percent is not None and percent < LOW_PERCENT
    return Standing.LOW if is_low or quota.overage_count > 0 else Standing.WELL


def _sighting(entry: dict[str, Any], seen_at: float) -> Sighting | None:
    known = {name: value for name, value in entry.items() if name in _QUOTA_FIELDS}
    at = entry.get("at", seen_at)
    if not isinstance(known.get("name"), str) or not isinstance(at, int | float):
        return None
    return Sighting(Quota(**known), float(at))
