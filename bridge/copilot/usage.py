"""What one answer cost, as Copilot itself says in `copilot_usage`: token counts and integer nano-AIU.

One AI credit (AIU) is a cent and a thousand million nano-AIU. Tokens of a kind are charged
`token_count * cost_per_batch / batch_size`; the total is authoritative, since discounts show only there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from bridge.copilot.fields import entries, record, text, whole

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class CopilotUsage:
    """Tokens by kind; cached tokens are not input again. `nano_aiu` is None when neither total nor prices came."""

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    other: int = 0
    nano_aiu: int | None = None


def read_copilot_usage(value: object) -> CopilotUsage | None:
    """Return the usage in the value of a `copilot_usage` key, or None when it says nothing."""
    usage = record(value)
    details = [record(entry) for entry in entries(usage.get("token_details"))]
    total = whole(usage, "total_nano_aiu")
    nano_aiu = total if total is not None and total >= 0 else _computed(details)
    if not details and nano_aiu is None:
        return None
    counts = dict.fromkeys(("input", "cache_read", "cache_write", "output", "other"), 0)
    for detail in details:
        kind = text(detail, "token_type")
        counts[kind if kind in counts else "other"] += _count(detail)
    return CopilotUsage(**counts, nano_aiu=nano_aiu)


def _count(detail: Mapping[str, object]) -> int:
    return max(whole(detail, "token_count") or 0, 0)


def _computed(details: list[Mapping[str, object]]) -> int | None:
    """Return the sum of the details' prices, rounded down once at the end; None if a price is missing."""
    total = Fraction(0)
    for detail in details:
        cost, batch = whole(detail, "cost_per_batch"), whole(detail, "batch_size")
        if _count(detail) == 0:
            continue
        if cost is None or batch is None or batch <= 0:
            return None
        total += Fraction(_count(detail) * cost, batch)
    return math.floor(total) if details else None
