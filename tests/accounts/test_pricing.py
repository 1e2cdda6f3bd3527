"""Prices in integer nano-AIU from token counts and a price list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from accounts.pricing import compute
from bridge.copilot.model import TokenPrice
from bridge.tally import Tally


def a_price(above: int = 0, **cells: int | None) -> TokenPrice:
    prices = {"input": 500, "cached_input": 50, "cache_write": 625, "output": 2500} | cells
    return TokenPrice(tier="t", above_input_tokens=above, batch_size=1_000_000, **prices)


def test_the_documented_example_costs_what_it_says() -> None:
    """Opus: $5, $0.50, $6.25 and $25 a million tokens; one credit is 1e9 nano-AIU and $0.01."""
    opus = a_price(input=500 * 10**9, cached_input=50 * 10**9, cache_write=625 * 10**9, output=2500 * 10**9)
    assert compute(Tally(input=1200, cached=9000, cache_write=300, output=800), [opus]) == 3_237_500_000


def test_the_one_division_comes_last() -> None:
    assert compute(Tally(input=1999, output=1), [a_price(input=500, output=1)]) == 0
    assert compute(Tally(input=2000), [a_price()]) == 1
    assert compute(Tally(input=1000, output=200), [a_price()]) == 1


def test_reasoning_is_a_part_of_the_output_and_not_paid_twice() -> None:
    assert compute(Tally(output=1_000_000, reasoning=900_000), [a_price()]) == 2500


def test_the_tier_is_chosen_by_the_whole_input_and_holds_for_the_whole_request() -> None:
    tiers = [a_price(), a_price(above=200_000, input=1000, cached_input=100, output=5000)]
    below = Tally(input=50_000, cached=100_000, cache_write=50_000, output=1_000_000)
    above = Tally(input=50_001, cached=100_000, cache_write=50_000, output=1_000_000)
    assert compute(below, tiers) == (50_000 * 500 + 100_000 * 50 + 50_000 * 625 + 10**6 * 2500) // 10**6
    assert compute(above, tiers) == (50_001 * 1000 + 100_000 * 100 + 50_000 * 625 + 10**6 * 5000) // 10**6
    assert compute(above, list(reversed(tiers))) == compute(above, tiers)


def test_a_kind_without_a_price_costs_what_input_costs() -> None:
    price = a_price(cached_input=None, cache_write=None)
    assert compute(Tally(cached=10**6), [price]) == compute(Tally(cache_write=10**6), [price]) == 500


def test_free_is_a_price_and_no_price_is_none() -> None:
    assert compute(Tally(cached=10**6), [a_price(cached_input=0)]) == 0
    assert compute(Tally(input=10**6), [a_price(input=0, output=0)]) == 0
    assert compute(Tally(input=1), []) is None
    assert compute(Tally(input=1), [a_price(input=None)]) is None
    assert compute(Tally(input=1), [a_price(output=None)]) is None
    assert compute(Tally(input=1), [a_price(above=5)]) is None


_count = st.integers(0, 10**9)


@given(st.builds(Tally, input=_count, cached=_count, cache_write=_count, output=_count))
def test_a_price_never_falls_when_more_is_used(tally: Tally) -> None:
    price = compute(tally, [a_price()])
    more = compute(Tally(tally.input + 1, tally.cached + 1, tally.cache_write + 1, tally.output + 1), [a_price()])
    assert price is not None
    assert more is not None
    assert 0 <= price <= more
