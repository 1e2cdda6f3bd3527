"""The price of an answer in integer nano-AIU, computed from token counts and a price list.

Products first, one floor division at the end. The tier is chosen by the whole input, cached tokens included, and
holds for the whole request; a kind of token without a price of its own costs what input costs.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.copilot.model import TokenPrice
from bridge.tally import Tally


def compute(tally: Tally, prices: Sequence[TokenPrice]) -> int | None:
    """The price of `tally` in nano-AIU; None when the list has no price for it."""
    total_input = tally.input + tally.cached + tally.cache_write
    tiers = [price for price in prices if total_input > price.above_input_tokens or price.above_input_tokens == 0]
    if not tiers:
        return None
    tier = max(tiers, key=lambda price: price.above_input_tokens)
    if tier.input is None or tier.output is None:
        return None
    cached = tier.input if tier.cached_input is None else tier.cached_input
    cache_write = tier.input if tier.cache_write is None else tier.cache_write
    products = (
        tally.input * tier.input + tally.cached * cached + tally.cache_write * cache_write + tally.output * tier.output
    )
    return products // tier.batch_size
