"""Request ids are UUIDs of version 7, attempt ids of version 4."""

from __future__ import annotations

import time
from uuid import RFC_4122, UUID

from proxy.ids import Ids


def test_a_request_id_is_a_uuid_of_version_7_and_an_attempt_id_one_of_version_4() -> None:
    ids = Ids()
    for _ in range(200):
        request, attempt = ids.request(), UUID(ids.attempt())
        assert (request.version, request.variant) == (7, RFC_4122)
        assert (attempt.version, attempt.variant) == (4, RFC_4122)


def test_a_request_id_begins_with_the_millisecond_it_was_made_in() -> None:
    before = time.time_ns() // 1_000_000
    made = Ids().request().int >> 80
    assert before <= made <= time.time_ns() // 1_000_000


def test_request_ids_of_later_milliseconds_sort_behind_earlier_ones_whoever_made_them() -> None:
    first, second = Ids(), Ids()
    earlier = [ids.request() for ids in (first, second) for _ in range(100)]
    time.sleep(0.003)
    later = [ids.request() for ids in (first, second) for _ in range(100)]
    assert max(earlier) < min(later)
    assert max(map(str, earlier)) < min(map(str, later))


def test_no_two_are_equal_not_even_of_two_makers() -> None:
    first, second = Ids(), Ids()
    assert len({ids.request() for ids in (first, second) for _ in range(10_000)}) == 20_000
    assert len({ids.attempt() for ids in (first, second) for _ in range(10_000)}) == 20_000
