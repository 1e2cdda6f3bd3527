"""What the ledger keeps: by age, by number, oldest gone first, a few hundred at a time."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts import retention
from accounts.models import Instance, UsageAttempt, UsageRecord
from tests.accounts.rows import a_record

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _unlimited(settings: Settings) -> None:
    settings.BRIDGE_RETENTION_DAYS = settings.BRIDGE_RETENTION_ROWS = 0


def aged(number: int, days: int, **fields: object) -> UsageRecord:
    return a_record(number, day=timezone.localdate() - timedelta(days=days), **fields)


def left() -> list[int]:
    return sorted(record.id.int for record in UsageRecord.objects.all())


def test_without_limits_everything_stays() -> None:
    aged(1, days=5000)
    assert retention.prune() == 0
    assert left() == [1]


def test_rows_older_than_the_days_go_with_their_attempts(settings: Settings) -> None:
    settings.BRIDGE_RETENTION_DAYS = 30
    for number, days in ((1, 31), (2, 30), (3, 0)):
        UsageAttempt.objects.create(record=aged(number, days), number=1)
    assert retention.prune() == 1
    assert left() == [2, 3]
    assert UsageAttempt.objects.count() == 2


def test_rows_beyond_the_number_go_oldest_first(settings: Settings) -> None:
    settings.BRIDGE_RETENTION_ROWS = 2
    for number, days in ((1, 3), (2, 9), (3, 1), (4, 1)):
        aged(number, days)
    assert retention.prune() == 2
    assert left() == [3, 4]


def test_open_rows_stay_whatever_their_age(settings: Settings) -> None:
    settings.BRIDGE_RETENTION_DAYS, settings.BRIDGE_RETENTION_ROWS = 30, 1
    aged(1, 400, status="open")
    aged(2, 400)
    aged(3, 0)
    retention.prune()
    assert left() == [1]


def test_a_second_run_finds_nothing(settings: Settings) -> None:
    settings.BRIDGE_RETENTION_DAYS = 1
    aged(1, 5)
    assert (retention.prune(), retention.prune()) == (1, 0)


def test_many_rows_go_in_batches(settings: Settings) -> None:
    settings.BRIDGE_RETENTION_DAYS = 1
    now, day = timezone.now(), timezone.localdate() - timedelta(days=9)
    UsageRecord.objects.bulk_create(
        UsageRecord(id=UUID(int=number), instance=UUID(int=1), opened_at=now, day=day, status="settled", door="chat")
        for number in range(2 * retention.BATCH + 1)
    )
    with CaptureQueriesContext(connection) as queries:
        assert retention.prune() == 2 * retention.BATCH + 1
    asked = [query["sql"] for query in queries]
    to_the_trail = next(number for number, sql in enumerate(asked) if "accounts_trailhead" in sql)
    # The last one is the trail's own.
    assert len([sql for sql in asked[:to_the_trail] if sql.startswith("SAVEPOINT")]) == 3 + 1


def test_processes_that_are_long_gone_are_forgotten_but_for_those_whose_rows_are_open() -> None:
    long_ago = timezone.now() - timedelta(days=31)
    for number, heartbeat in ((1, long_ago), (2, long_ago), (3, timezone.now())):
        Instance.objects.create(id=UUID(int=number), host="box", pid=number, heartbeat_at=heartbeat)
    UsageRecord.objects.as_ledger().filter(pk=a_record(1, status="open").pk).update(instance=UUID(int=2))
    retention.prune()
    assert sorted(instance.pk.int for instance in Instance.objects.all()) == [2, 3]
