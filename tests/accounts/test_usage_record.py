"""The ledger's rows: exact money, kept names, and indexes that the console's lists use."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import ProtectedError, QuerySet

from accounts.models import UsageAttempt, UsageRecord
from tests.accounts.rows import a_member, a_record, a_seat

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("reported", "computed", "nano"), [(5, 7, 5), (None, 7, 7), (0, 7, 0), (None, None, None)])
def test_the_cost_is_as_reported_else_as_computed(reported: int | None, computed: int | None, nano: int | None) -> None:
    assert UsageRecord(nano_reported=reported, nano_computed=computed).nano == nano


def test_credits_are_exact() -> None:
    assert UsageRecord(nano_reported=123_456_789_012_345_678).credits == Decimal("123456789.012345678")
    assert UsageRecord().credits is None


def test_numbers_beyond_32_bits_fit() -> None:
    record = a_record(1, input_tokens=2**40, nano_reported=2**62)
    record.refresh_from_db()
    assert (record.input_tokens, record.nano_reported) == (2**40, 2**62)


def test_attempts_go_with_their_record_and_are_numbered_once() -> None:
    record = a_record(1)
    UsageAttempt.objects.create(record=record, number=1, status=500)
    UsageAttempt.objects.create(record=record, number=2, status=200)
    assert [attempt.number for attempt in record.attempt_rows.all()] == [1, 2]
    UsageRecord.objects.as_ledger().filter(pk=record.pk).delete()
    assert not UsageAttempt.objects.exists()


def test_a_member_with_requests_cannot_disappear_even_past_our_own_refusal() -> None:
    member = a_member()
    a_record(1, member=member, member_name=member.username)
    with pytest.raises(ProtectedError):
        QuerySet(type(member)).filter(pk=member.pk).delete()


def test_the_lists_of_the_console_are_read_by_index() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("reads SQLite's query plan")
    member, seat = a_member(), a_seat()
    lists = {
        "usage_by_day": UsageRecord.objects.filter(day="2026-11-01"),
        "usage_by_member_and_day": UsageRecord.objects.filter(member=member),
        "usage_by_seat_and_day": UsageRecord.objects.filter(seat=seat),
        "usage_open": UsageRecord.objects.filter(
            status="open", instance="00000000-0000-0000-0000-000000000001"
        ).order_by(),
    }
    for index, rows in lists.items():
        assert index in rows[:50].explain(), index
