"""A hundred thousand requests: no page reads the ledger from end to end, and none asks the database row by row.

Times are measured by `python -m tests.volume`; here the database says how it would look for the rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.volume.asked import pages
from tests.volume.timing import signed_in
from tests.volume.world import Size, build

MOST_QUERIES = 20
# Pages of a list are cut out of the index that orders it; what is open has an index of its own.
_IN_ORDER = re.compile(r"SCAN accounts_usagerecord USING (COVERING )?INDEX usage_by_day")
_OF_OPEN = re.compile(r"SCAN accounts_usagerecord USING (COVERING )?INDEX usage_open")
_WITHOUT_CONDITION = re.compile(r'FROM "accounts_usagerecord"( LEFT OUTER JOIN \S+ ON \([^)]*\))? ORDER BY')


@pytest.mark.timeout(600)
@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="plans are told in SQLite's words")
def test_no_page_reads_the_whole_ledger_and_none_asks_more_often_for_more_rows() -> None:
    world = build(Size(rows=100_000, days=120, members=30))
    owner, member = signed_in(world.owner), signed_in(world.member)
    faults: list[str] = []
    for page in pages(world):
        with CaptureQueriesContext(connection) as asked:
            answer: Any = (member if page.is_members else owner).get(page.address)
        if answer.status_code != 200:
            faults.append(f"{page.name}: answered with {answer.status_code}")
        if len(asked) > MOST_QUERIES:
            faults.append(f"{page.name}: {len(asked)} queries")
        faults += [f"{page.name}: {fault}" for query in asked.captured_queries for fault in _faults(query["sql"])]
    assert not faults, "\n".join(faults)


def _faults(sql: str) -> Iterator[str]:
    """Yield what is wrong with the plan of a query on the ledger."""
    if 'FROM "accounts_usagerecord"' not in sql or not sql.startswith("SELECT"):
        return
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"))
        steps = [str(row[-1]) for row in cursor.fetchall()]
    for step in steps:
        if step.startswith("SCAN accounts_usagerecord") and not _is_bounded(step, sql):
            yield f"{step} for {sql}"


def _is_bounded(step: str, sql: str) -> bool:
    if _OF_OPEN.match(step):
        return True
    is_ordered = bool(_IN_ORDER.match(step)) and "LIMIT" in sql
    return is_ordered and bool(_WITHOUT_CONDITION.search(sql))
