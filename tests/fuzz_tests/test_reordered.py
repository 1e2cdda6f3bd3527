"""Every event of a good stream moved, doubled or exchanged with every other: readers, taps and crossings stand it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.dialect import Dialect
from tests.dialects.written import Json, messages_stream, named_bytes, responses_stream
from tests.fuzz.streams import StreamCase, run

GOOD = {Dialect.RESPONSES: responses_stream(), Dialect.MESSAGES: messages_stream()}


def doubled(events: list[Json], one: int, other: int) -> list[Json]:
    return [*events[:other], events[one], *events[other:]]


def moved(events: list[Json], one: int, other: int) -> list[Json]:
    rest = [*events[:one], *events[one + 1 :]]
    return [*rest[:other], events[one], *rest[other:]]


def exchanged(events: list[Json], one: int, other: int) -> list[Json]:
    swapped = list(events)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    return swapped


@pytest.mark.parametrize("dialect", GOOD)
@pytest.mark.parametrize("spoil", [doubled, moved, exchanged])
def test_no_order_of_events_breaks_what_reads_them(
    dialect: Dialect, spoil: Callable[[list[Json], int, int], list[Json]]
) -> None:
    events = GOOD[dialect]
    for one in range(len(events)):
        for other in range(one % 3, len(events), 3):  # every third of them, each event with others than its neighbour
            run(StreamCase(dialect, (named_bytes(spoil(events, one, other)),)))
