"""Prices in integer nano-AIU from token counts and a price list."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.prices.computing import compute
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
    assert compute(Tally(output=1), [a_price(output=None)]) is None
    assert compute(Tally(input=1), [a_price(above=5)]) is None


def test_what_makes_no_output_needs_no_price_for_it() -> None:
    assert compute(Tally(input=10**6), [a_price(output=None)]) == 500


def test_a_negative_count_from_outside_is_none() -> None:
    assert compute(Tally(input=-5, cached=-(10**9), cache_write=-1, output=2_000_000), [a_price()]) == 5000
    assert compute(Tally(input=-1, cached=-1, cache_write=-1, output=-1), [a_price()]) == 0


def test_a_negative_count_does_not_move_the_tier() -> None:
    tiers = [a_price(), a_price(above=100, input=1000)]
    assert compute(Tally(input=1_000_000, cached=-999_950), tiers) == 1000


@pytest.mark.parametrize("batch", [1, 7, 1000, 3_000_000])
def test_a_price_may_be_for_any_number_of_tokens(batch: int) -> None:
    price = TokenPrice("t", 0, batch, input=500, cached_input=50, cache_write=625, output=2500)
    assert compute(Tally(input=1999, output=7), [price]) == (1999 * 500 + 7 * 2500) // batch


def test_what_no_ledger_can_hold_is_no_price() -> None:
    dear = TokenPrice("t", 0, 1, input=2**62, cached_input=None, cache_write=None, output=0)
    assert compute(Tally(input=1), [dear]) == 2**62
    assert compute(Tally(input=2), [dear]) is None
    assert compute(Tally(input=2**200), [a_price()]) is None


_count = st.integers(-(10**6), 10**12)
_cell = st.none() | st.integers(0, 10**14)
_tallies = st.builds(Tally, input=_count, cached=_count, cache_write=_count, output=_count)
_tiers = st.lists(
    st.builds(
        TokenPrice,
        tier=st.just("t"),
        above_input_tokens=st.integers(0, 10**6),
        batch_size=st.sampled_from([1, 1000, 999_983, 1_000_000]),
        input=st.integers(0, 10**14),
        cached_input=_cell,
        cache_write=_cell,
        output=st.integers(0, 10**14),
    ),
    max_size=4,
    unique_by=lambda price: price.above_input_tokens,
)


def exact(tally: Tally, tier: TokenPrice) -> Fraction:
    """The price as a rational number, one kind of token after the other."""
    assert tier.input is not None
    assert tier.output is not None
    kinds = (
        (tally.input, tier.input),
        (tally.cached, tier.input if tier.cached_input is None else tier.cached_input),
        (tally.cache_write, tier.input if tier.cache_write is None else tier.cache_write),
        (tally.output, tier.output),
    )
    return sum((Fraction(max(0, count) * price, tier.batch_size) for count, price in kinds), Fraction(0))


@given(_tallies, _tiers)
def test_a_price_is_the_exact_one_rounded_down_by_the_tier_that_the_input_reaches(
    tally: Tally, tiers: list[TokenPrice]
) -> None:
    total = sum(max(0, count) for count in (tally.input, tally.cached, tally.cache_write))
    reached = [tier for tier in tiers if tier.above_input_tokens == 0 or tier.above_input_tokens < total]
    price = compute(tally, tiers)
    if not reached:
        assert price is None
        return
    wanted = math.floor(exact(tally, sorted(reached, key=lambda tier: tier.above_input_tokens)[-1]))
    assert price == (wanted if wanted < 2**63 else None)


@given(_tallies, _tiers, st.randoms(use_true_random=False))
def test_the_order_of_the_tiers_says_nothing(tally: Tally, tiers: list[TokenPrice], dice: random.Random) -> None:
    shuffled = list(tiers)
    dice.shuffle(shuffled)
    assert compute(tally, shuffled) == compute(tally, tiers)


_some = st.builds(Tally, *[st.integers(0, 10**9)] * 4)


@given(_some, _some)
def test_within_a_tier_more_never_costs_less_and_parts_lose_less_than_one_each(one: Tally, other: Tally) -> None:
    both = Tally(
        one.input + other.input,
        one.cached + other.cached,
        one.cache_write + other.cache_write,
        one.output + other.output,
    )
    first, second, together = (compute(tally, [a_price()]) for tally in (one, other, both))
    assert first is not None
    assert second is not None
    assert together is not None
    assert max(first, second) <= first + second <= together <= first + second + 1


@given(_tallies, st.lists(st.sampled_from([0, 100, 10**6]), unique=True))
def test_a_price_is_never_negative(tally: Tally, bounds: list[int]) -> None:
    price = compute(tally, [a_price(above=above) for above in bounds])
    assert price is None or price >= 0
