"""What an answer cost."""

from __future__ import annotations

import pytest

from bridge.copilot.usage import CopilotUsage, read_copilot_usage


def detail(kind: str, count: int, cost: object = 500_000_000_000, batch: object = 1_000_000) -> dict[str, object]:
    return {"token_type": kind, "token_count": count, "cost_per_batch": cost, "batch_size": batch}


OPUS = [
    detail("input", 1200),
    detail("cache_read", 9000, 50_000_000_000),
    detail("cache_write", 300, 625_000_000_000),
    detail("output", 800, 2_500_000_000_000),
]


def test_counts_and_the_reported_total_are_read() -> None:
    usage = read_copilot_usage({"token_details": OPUS, "total_nano_aiu": 3_237_500_000})
    assert usage == CopilotUsage(1200, 9000, 300, 800, 0, 3_237_500_000)


def test_the_reported_total_counts_even_where_prices_disagree() -> None:
    usage = read_copilot_usage({"token_details": OPUS, "total_nano_aiu": 7})
    assert usage is not None
    assert usage.nano_aiu == 7


def test_a_missing_total_is_computed_from_the_prices() -> None:
    usage = read_copilot_usage({"token_details": OPUS})
    assert usage is not None
    assert usage.nano_aiu == 3_237_500_000


def test_the_sum_is_rounded_down_once() -> None:
    halves = [detail("input", 1, 1, 2), detail("output", 1, 1, 2), detail("cache_read", 1, 1, 3)]
    usage = read_copilot_usage({"token_details": halves})
    assert usage is not None
    assert usage.nano_aiu == 1


@pytest.mark.parametrize("broken", [detail("input", 1, None), detail("input", 1, 5, 0), detail("input", 1, 0.5)])
def test_a_missing_price_leaves_the_total_open(broken: dict[str, object]) -> None:
    assert read_copilot_usage({"token_details": [broken]}) == CopilotUsage(input=1)


def test_unknown_kinds_are_counted_apart() -> None:
    usage = read_copilot_usage({"token_details": [detail("image_output", 5), detail("audio", 2)], "total_nano_aiu": 1})
    assert usage == CopilotUsage(other=7, nano_aiu=1)


def test_odd_counts_do_no_harm() -> None:
    odd = [detail("input", -5), {"token_type": 3, "token_count": "x"}, None]
    assert read_copilot_usage({"token_details": odd, "total_nano_aiu": True}) == CopilotUsage(nano_aiu=0)


@pytest.mark.parametrize("value", [None, [], "x", {}, {"token_details": []}, {"total_nano_aiu": "12"}])
def test_usage_that_says_nothing_is_none(value: object) -> None:
    assert read_copilot_usage(value) is None


def test_a_total_alone_is_enough() -> None:
    assert read_copilot_usage({"total_nano_aiu": 39000000.0}) == CopilotUsage(nano_aiu=39_000_000)
