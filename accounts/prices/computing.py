"""The price of an answer in integer nano-AIU, computed from token counts and a price list.

    cost = ⌊ (input × p_input + cached × p_cached + cache write × p_write + output × p_output) / batch size ⌋

Products first, one floor division at the end. The tier is chosen by the whole input, cached and cache-write tokens
included, and holds for the whole request; the kinds of tokens are disjoint; a kind without a price of its own costs
what input costs. A negative count is none. Reasoning is a part of the output and not paid twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.copilot.model import TokenPrice

# What a column of the ledger holds. A price beyond it is no price but nonsense from outside.
HIGHEST_NANO = 2**63 - 1


def compute(tally: Tally, prices: Iterable[TokenPrice]) -> int | None:
    """The price of `tally` in nano-AIU; None when the list has no price for it, or none that a ledger can hold."""
    fresh, cached, written, output = (
        max(0, count) for count in (tally.input, tally.cached, tally.cache_write, tally.output)
    )
    tier = tier_of(fresh + cached + written, prices)
    if tier is None or tier.input is None or (tier.output is None and output):
        return None
    cached_price = tier.input if tier.cached_input is None else tier.cached_input
    write_price = tier.input if tier.cache_write is None else tier.cache_write
    products = fresh * tier.input + cached * cached_price + written * write_price + output * (tier.output or 0)
    nano = products // tier.batch_size
    return nano if nano <= HIGHEST_NANO else None


def tier_of(total_input: int, prices: Iterable[TokenPrice]) -> TokenPrice | None:
    """The tier that holds for a request of so many input tokens; the order of `prices` says nothing."""
    reached = (price for price in prices if price.above_input_tokens == 0 or total_input > price.above_input_tokens)
    return max(reached, key=lambda price: price.above_input_tokens, default=None)
