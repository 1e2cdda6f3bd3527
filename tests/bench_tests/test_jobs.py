"""Percentiles and the way of a job between processes."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.jobs import Job, Spread, percentile
from tests.simulator.fast_answers import Shape


@pytest.mark.parametrize(
    ("count", "percent", "expected"),
    [(1, 50, 1), (1, 99, 1), (2, 50, 1), (100, 50, 50), (100, 99, 99), (700, 7, 49)],
)
def test_a_percentile_is_the_nearest_rank(count: int, percent: int, expected: int) -> None:
    assert percentile(list(range(1, count + 1)), percent) == expected


@given(st.lists(st.integers(min_value=0), min_size=1), st.integers(min_value=1, max_value=100))
def test_that_many_per_cent_are_not_above_a_percentile(values: list[int], percent: int) -> None:
    found = percentile(sorted(values), percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)


def test_a_spread_is_in_milliseconds_whatever_the_order() -> None:
    assert Spread.of([3_000_000, 1_000_000, 2_000_000]) == Spread(2.0, 3.0)


def test_a_spread_of_nothing_is_unknown() -> None:
    assert Spread.of([]) == Spread(None, None)


def test_a_job_travels_as_json() -> None:
    job = Job(
        port=1,
        path="/x",
        key="k",
        model="m",
        streamed=True,
        shape=Shape(1, 2, 3),
        connections=4,
        seconds=0.5,
        patience=1,
    )
    assert msgspec.json.decode(msgspec.json.encode(job), type=Job) == job
