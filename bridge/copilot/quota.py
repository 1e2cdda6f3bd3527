"""How much of a seat is left, from the headers of an answer or from the account's own page.

One name, `premium_interactions`, holds premium requests on legacy plans and AI credits under token billing. The
numbers lag behind by some requests and may be negative; they are shown and acted upon, never booked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from bridge.copilot.fields import flag, number, record, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SNAPSHOT_PREFIX = "x-quota-snapshot-"
LIMIT_PREFIX = "x-usage-ratelimit-"
UNLIMITED = -1.0


@dataclass(frozen=True, slots=True)
class Quota:
    """One allowance: `chat`, `completions`, `premium_interactions`, `premium_models`, `session` or `weekly`.

    What the upstream did not say is None. `percent_remaining` may be negative; `reset_at` is in seconds since the
    epoch; overage and remainder are in the unit of the entitlement.
    """

    name: str
    unlimited: bool = False
    entitlement: float | None = None
    remaining: float | None = None
    percent_remaining: float | None = None
    overage_count: float = 0.0
    overage_permitted: bool = False
    reset_at: float | None = None
    token_based: bool | None = None

    @property
    def exhausted(self) -> bool:
        """Nothing is left and nothing more may be spent."""
        if self.unlimited or self.overage_permitted:
            return False
        left = self.remaining if self.remaining is not None else self.percent_remaining
        return left is not None and left <= 0


def read_quota_headers(headers: Mapping[str, str]) -> tuple[Quota, ...]:
    """Return the allowances named in the headers of an answer, in any letter case; never raises.

    A header that holds neither an entitlement nor a remainder is no quota and is left out.
    """
    found = []
    for header, value in headers.items():
        name = header.lower()
        for prefix in (SNAPSHOT_PREFIX, LIMIT_PREFIX):
            if name.startswith(prefix):
                found.append(_read_header(name.removeprefix(prefix), value))
    return tuple(quota for quota in found if quota is not None)


def read_quota_snapshots(snapshots: object, *, reset_at: float | None = None) -> tuple[Quota, ...]:
    """Return the allowances of a `quota_snapshots` object; `reset_at` is the account's, for those without one."""
    return tuple(
        _read_snapshot(name, record(value), reset_at)
        for name, value in record(snapshots).items()
        if isinstance(value, dict)
    )


def read_limited_quotas(remaining: object, monthly: object, *, reset_at: float | None) -> tuple[Quota, ...]:
    """Return the allowances of a free account of the older shape: what is left, and the total per month."""
    totals = record(monthly)
    quotas = []
    for name in record(remaining):
        left, total = number(record(remaining), name), number(totals, name)
        percent = 100.0 * left / total if left is not None and total else None
        quotas.append(
            Quota(
                name, entitlement=total, remaining=left, percent_remaining=percent, reset_at=reset_at, token_based=False
            )
        )
    return tuple(quotas)


def governing_quota(quotas: Iterable[Quota], *, free: bool) -> Quota | None:
    """Return the allowance that decides whether the seat can work: premium ones, or chat on a free plan."""
    by_name = {quota.name: quota for quota in quotas}
    order = ("chat",) if free else ("premium_models", "premium_interactions")
    return next((by_name[name] for name in order if name in by_name), None)


def read_moment(value: object) -> float | None:
    """Return the seconds since the epoch of an ISO date, an ISO time (UTC if it says nothing) or a unix time."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if value > 0 and math.isfinite(value) else None
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _read_header(name: str, value: str) -> Quota | None:
    try:
        pairs: dict[str, object] = dict(parse_qsl(value, max_num_fields=50))
    except ValueError:
        return None
    entitlement, percent = number(pairs, "ent"), number(pairs, "rem")
    if entitlement is None and percent is None:
        return None
    remaining = number(pairs, "totRem")
    if remaining is None and entitlement is not None and entitlement > 0 and percent is not None:
        remaining = entitlement * percent / 100.0
    return Quota(
        name=name,
        unlimited=entitlement == UNLIMITED,
        entitlement=None if entitlement == UNLIMITED else entitlement,
        remaining=remaining,
        percent_remaining=percent,
        overage_count=number(pairs, "ov") or 0.0,
        overage_permitted=text(pairs, "ovPerm").lower() == "true",
        reset_at=read_moment(pairs.get("rst")),
    )


def _read_snapshot(name: str, snapshot: Mapping[str, object], reset_at: float | None) -> Quota:
    entitlement = number(snapshot, "entitlement")
    exact = number(snapshot, "quota_remaining")
    return Quota(
        name=text(snapshot, "quota_id") or name,
        unlimited=flag(snapshot, "unlimited") or entitlement == UNLIMITED,
        entitlement=None if entitlement == UNLIMITED else entitlement,
        remaining=exact if exact is not None else number(snapshot, "remaining"),
        percent_remaining=number(snapshot, "percent_remaining"),
        overage_count=number(snapshot, "overage_count") or 0.0,
        overage_permitted=flag(snapshot, "overage_permitted"),
        reset_at=read_moment(snapshot.get("quota_reset_at")) or reset_at,
        token_based=snapshot["token_based_billing"] is True if "token_based_billing" in snapshot else None,
    )
