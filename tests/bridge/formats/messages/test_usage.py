"""Messages: usage read from events and bills, and written with every count a client asks for."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.formats.messages.usage import Meter, read_usage, write_usage
from bridge.tally import Tally


def test_counts_are_read_and_written_alike() -> None:
    tally = Tally(input=3, cached=5, cache_write=7, output=11, reasoning=2)
    assert read_usage(write_usage(tally, searches=1)) == tally
    assert read_usage(write_usage(Tally())) == Tally()


@pytest.mark.parametrize("odd", [None, -5, "many", float("nan"), float("inf"), True, [1], 10**30])
def test_odd_counts_are_nothing(odd: Any) -> None:
    assert read_usage({"input_tokens": odd, "output_tokens": 3, "output_tokens_details": odd}) == Tally(output=3)


def test_the_end_lies_over_the_start_and_the_bill_over_both() -> None:
    meter = Meter()
    assert meter.note_start({"input_tokens": 9, "cache_read_input_tokens": 4, "output_tokens": 1}) == meter.tally
    assert not meter.counted
    meter.note_end({"input_tokens": None, "output_tokens": 20}, None)
    assert (meter.tally, meter.counted) == (Tally(input=9, cached=4, output=20), True)
    details = [{"token_type": "output", "token_count": 21}, {"token_type": "cache_write", "token_count": 2}]
    meter.note_end(None, {"token_details": details, "total_nano_aiu": 77})
    assert meter.tally == Tally(input=9, cached=4, cache_write=2, output=21, nano=77)


def test_what_tells_nothing_counts_for_nothing() -> None:
    meter = Meter()
    assert meter.note_start(None) is None
    meter.note_end({}, None)
    assert not meter.counted


def test_reasoning_is_never_more_than_the_output() -> None:
    meter = Meter()
    meter.note_end({"output_tokens": 4, "output_tokens_details": {"thinking_tokens": 9}}, None)
    assert meter.tally == Tally(output=4, reasoning=4)
