"""Tokens in disjoint kinds, from what the upstream reports in whatever shape."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.tally import Tally, read_openai_usage, with_copilot_usage


def test_cached_tokens_are_taken_out_of_the_prompt() -> None:
    usage = {
        "prompt_tokens": 965,
        "completion_tokens": 93,
        "prompt_tokens_details": {"cached_tokens": 65},
        "completion_tokens_details": {"reasoning_tokens": 40},
    }
    assert read_openai_usage(usage) == Tally(input=900, cached=65, output=93, reasoning=40)


def test_gemini_reports_its_reasoning_beside_the_completion() -> None:
    usage = {
        "completion_tokens": 53,
        "prompt_tokens": 19581,
        "prompt_tokens_details": {"cached_tokens": 17068},
        "total_tokens": 19768,
        "reasoning_tokens": 134,
    }
    assert read_openai_usage(usage) == Tally(input=2513, cached=17068, output=187, reasoning=134)


def test_reasoning_beside_a_completion_that_holds_it_is_not_counted_twice() -> None:
    usage = {"completion_tokens": 100, "prompt_tokens": 10, "total_tokens": 110, "reasoning_tokens": 60}
    assert read_openai_usage(usage) == Tally(input=10, output=100, reasoning=60)


def test_more_cached_tokens_than_prompt_do_not_make_the_input_negative() -> None:
    usage = {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 50}}
    assert read_openai_usage(usage) == Tally(input=0, cached=10)


@pytest.mark.parametrize("odd", [None, "12", -5, float("nan"), float("inf"), [], {}, 10**40])
def test_a_count_that_is_none_counts_nothing(odd: object) -> None:
    assert read_openai_usage({"prompt_tokens": odd, "completion_tokens": 3}) == Tally(output=3)
    assert with_copilot_usage(Tally(), {"token_details": [{"token_type": "input", "token_count": odd}]}).input == 0


def test_whole_floats_are_counts() -> None:
    assert read_openai_usage({"prompt_tokens": 12.0}) == Tally(input=12)


def test_copilots_own_counts_and_price_are_laid_over() -> None:
    reported = {
        "token_details": [
            {"token_type": "input", "token_count": 1200, "batch_size": 1000000, "cost_per_batch": 500000000000},
            {"token_type": "cache_read", "token_count": 9000},
            {"token_type": "cache_write", "token_count": 300},
            {"token_type": "output", "token_count": 500},
            {"token_type": "output", "token_count": 300},
        ],
        "total_nano_aiu": 3237500000,
    }
    tally = with_copilot_usage(Tally(input=10200, output=800, reasoning=7), reported)
    assert tally == Tally(1200, 9000, 300, 800, reasoning=7, nano=3237500000)


def test_kinds_that_copilot_does_not_report_stay_as_counted() -> None:
    tally = with_copilot_usage(Tally(input=5, cached=2, output=3), {"total_nano_aiu": 0})
    assert tally == Tally(input=5, cached=2, output=3, nano=0)


@pytest.mark.parametrize("price", [None, True, "12", 1.5, [], -1, 10**30])
def test_a_price_that_is_no_sum_of_money_is_no_price(price: object) -> None:
    assert with_copilot_usage(Tally(), {"total_nano_aiu": price, "token_details": None}).nano is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_nothing_in_a_usage_object_breaks_the_reading(value: object) -> None:
    names = ("prompt_tokens", "completion_tokens", "prompt_tokens_details", "reasoning_tokens", "total_tokens")
    tally = read_openai_usage(dict.fromkeys(names, value))
    laid = with_copilot_usage(tally, {"token_details": value, "total_nano_aiu": value})
    assert min(laid.input, laid.cached, laid.output, laid.reasoning) >= 0


def a_detail(count: int, cost: object = 250_000_000_001, batch: object = 1_000_000) -> dict[str, object]:
    return {"token_type": "input", "token_count": count, "cost_per_batch": cost, "batch_size": batch}


@pytest.mark.parametrize(
    ("details", "nano"),
    [
        ([a_detail(3)], 750_000),
        # Rounded down once, at the end: each alone would lose its fraction.
        ([a_detail(500_000), a_detail(500_000)], 250_000_000_001),
        ([a_detail(3), a_detail(0, None)], 750_000),
        ([a_detail(3), a_detail(1, None)], None),
        ([a_detail(3, batch=0)], None),
        ([], None),
    ],
)
def test_without_a_total_the_details_add_up_to_the_price(details: list[dict[str, object]], nano: int | None) -> None:
    assert with_copilot_usage(Tally(), {"token_details": details}).nano == nano


def test_counts_without_end_stay_within_what_a_ledger_holds() -> None:
    details = [a_detail(10**15 - 1, None) for _ in range(20_000)]
    assert with_copilot_usage(Tally(), {"token_details": details}).input == 10**15
    assert read_openai_usage({"prompt_tokens": 10**30}).input == 0
