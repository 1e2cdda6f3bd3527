"""What an answer used: tokens in disjoint kinds, money in integer nano-AIU.

The kinds never overlap: cached and cache-write tokens are not input tokens again; reasoning tokens are a part of the
output tokens, told apart for information only. 1 AI credit = 1 AIU = 1e9 nano-AIU = 0.01 USD
(https://docs.github.com/en/copilot/concepts/billing).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeGuard

# More than any answer can have, and far less than a column of the ledger holds.
_MOST_TOKENS = 10**15


@dataclass(frozen=True, slots=True)
class Tally:
    """Tokens of one answer and `nano`, the cost in nano-AIU as the upstream reported it (None: it did not)."""

    input: int = 0
    cached: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    nano: int | None = None

    @property
    def tokens(self) -> int:
        """All of them, of input and output."""
        return self.input + self.cached + self.cache_write + self.output


def read_openai_usage(usage: Mapping[str, object]) -> Tally:
    """Chat's `usage`: prompt tokens include the cached ones; Gemini reports its reasoning beside the completion."""
    prompt = _count(usage, "prompt_tokens")
    cached = min(prompt, _count(_part(usage, "prompt_tokens_details"), "cached_tokens"))
    output = _count(usage, "completion_tokens")
    reasoning = _count(_part(usage, "completion_tokens_details"), "reasoning_tokens")
    beside = _count(usage, "reasoning_tokens")
    if beside and not reasoning:
        reasoning = beside
        if _count(usage, "total_tokens") >= prompt + output + beside:
            output += beside
    return Tally(input=prompt - cached, cached=cached, output=output, reasoning=min(reasoning, output))


def with_copilot_usage(tally: Tally, reported: Mapping[str, object]) -> Tally:
    """The same tally with Copilot's own `copilot_usage` laid over it: its counts and its price are the billed ones."""
    listed = reported.get("token_details")
    details = [detail for detail in listed if isinstance(detail, dict)] if isinstance(listed, list) else []
    total = reported.get("total_nano_aiu", _sum_of(details))
    counts: dict[str, int] = {}
    for detail in details:
        if isinstance(kind := detail.get("token_type"), str):
            counts[kind] = min(_MOST_TOKENS, counts.get(kind, 0) + _count(detail, "token_count"))
    output = counts.get("output", tally.output)
    return Tally(
        input=counts.get("input", tally.input),
        cached=counts.get("cache_read", tally.cached),
        cache_write=counts.get("cache_write", tally.cache_write),
        output=output,
        reasoning=min(tally.reasoning, output),
        nano=total if _is_price(total) else tally.nano,
    )


def _sum_of(details: Sequence[Mapping[str, object]]) -> int | None:
    """The price that the details add up to, rounded down once at the end; None when one of them has none."""
    total = Fraction(0)
    for detail in details:
        cost, batch = detail.get("cost_per_batch"), detail.get("batch_size")
        if _count(detail, "token_count") == 0:
            continue
        if not _is_price(cost) or not _is_price(batch) or batch == 0:
            return None
        total += Fraction(_count(detail, "token_count") * cost, batch)
    return math.floor(total) if details else None


def _is_price(value: object) -> TypeGuard[int]:
    """A sum of money that a ledger column can hold."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _part(mapping: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = mapping.get(name)
    return value if isinstance(value, dict) else {}


def _count(mapping: Mapping[str, object], name: str) -> int:
    """A token count; upstreams have sent null, floats and negatives here, none of which may break a request."""
    value = mapping.get(name)
    return max(0, int(value)) if isinstance(value, int | float) and value == value and value < _MOST_TOKENS else 0
