"""The proof: it holds after anything the books do, and it names what somebody else did to the tables."""

from __future__ import annotations

from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from accounts.models import (
    ApiKey,
    Budget,
    BudgetPeriod,
    BudgetScope,
    BudgetSpan,
    Team,
    UsageDay,
    UsageRecord,
    UsageSession,
)
from accounts.reports.comparing import compare_day, compare_days, compare_sessions
from accounts.reports.proof import budget_standings, ledger_days, standings, whole
from accounts.retention import prune
from tests.accounts.booked import booked
from tests.accounts.rows import a_member, a_record

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 1)
STATUSES = ("open", "settled", "refused", "failed", "cancelled", "abandoned")


@pytest.fixture
def ledger() -> None:
    """A row of every status on two days, each with a cost and most with a conversation."""
    member = a_member("rosa", team=Team.objects.create(name="Platform"))
    key, _secret = ApiKey.objects.issue(member, "laptop")
    number = 0
    for offset in range(2):
        for status in STATUSES:
            number += 1
            booked(
                number, day=DAY + timedelta(days=offset), status=status, member=member, key=key, team=member.team,
                served_model="gpt-5", session="talk" if number % 3 else "", nano_reported=number, input_tokens=number,
                total_ms=number, premium_thousandths=number, reserved_nano=number * 100,
            )  # fmt: skip
    booked(50, day=DAY, status="refused")


def proved(*options: str) -> str:
    said = StringIO()
    call_command("prove", *options, stdout=said)
    return said.getvalue()


def refuted(*options: str) -> str:
    said = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("prove", *options, stdout=said)
    assert caught.value.returncode == 1
    return said.getvalue()


def test_an_empty_ledger_adds_up() -> None:
    assert "Everything adds up." in proved()
    assert ledger_days() is None


def test_every_request_is_accounted_for_to_the_row(ledger: None) -> None:
    line = whole(standings("member"))
    assert (line.opened, line.open, line.settled, line.refused, line.failed, line.cancelled, line.abandoned) == (
        13, 2, 2, 3, 2, 2, 2,
    )  # fmt: skip
    assert line.holds
    assert whole(standings("day")) == line


def test_each_day_and_each_member_stands_for_itself(ledger: None) -> None:
    days = {line.subject: (line.opened, line.open) for line in standings("day")}
    assert days == {DAY: (7, 1), DAY + timedelta(days=1): (6, 1)}
    members = {line.subject: line.opened for line in standings("member")}
    assert sorted(members.values()) == [1, 12]
    assert members[None] == 1
    assert [line.subject for line in standings("day", DAY + timedelta(days=1))] == [DAY + timedelta(days=1)]


def test_the_command_says_what_it_proved(ledger: None) -> None:
    said = proved()
    for line in ("outcomes        ok", "budgets         ok", "days            ok", "conversations   ok"):
        assert line in said
    assert "13 opened = 2 open + 2 settled + 3 refused + 2 failed + 2 cancelled + 2 abandoned" in said


def test_a_row_that_no_book_knows_is_found(ledger: None) -> None:
    a_record(99, day=DAY, status="open")
    assert not whole(standings("day")).holds
    assert "day 2026-11-01: 7 opened, 8 accounted for" in refuted("--quick")


def test_a_row_that_vanished_is_found_by_reading_the_rows(ledger: None) -> None:
    UsageRecord.objects.filter(status="settled", day=DAY).as_ledger().delete()
    assert "Everything adds up." in proved("--quick")
    assert "opened - pruned is 6 in the roll-up and 5 in the rows" in refuted()


@pytest.mark.parametrize(
    "column", ["nano", "nano_stand_in", "input_tokens", "premium_thousandths", "total_ms", "settled"]
)
def test_a_sum_that_is_off_by_one_is_found_and_named(ledger: None, column: str) -> None:
    UsageDay.objects.filter(day=DAY, member__isnull=False).update(**{column: F(column) + 1})
    differences = list(compare_days(*(ledger_days() or (DAY, DAY))))
    assert [(difference.column, difference.rolled_up - difference.in_rows) for difference in differences] == [
        (column, 1)
    ]
    assert "2026-11-01" in differences[0].where


def test_a_conversation_that_is_off_is_found(ledger: None) -> None:
    UsageSession.objects.update(nano=F("nano") - 1)
    (difference,) = compare_sessions()
    assert (difference.column, difference.rolled_up - difference.in_rows) == ("nano", -1)
    assert "talk" in difference.where


def test_the_proof_holds_after_pruning_though_the_rows_are_gone(ledger: None, settings: Any) -> None:
    settings.BRIDGE_RETENTION_ROWS = 4
    settings.BRIDGE_RETENTION_DAYS = 0
    prune()
    assert UsageRecord.objects.count() == 4
    assert "13 opened = 2 open + 2 settled" in proved()
    UsageDay.objects.filter(pruned__gt=0).update(pruned=F("pruned") - 1)
    assert list(compare_day(DAY))


def test_rows_of_a_group_that_was_never_rolled_up_are_found(ledger: None) -> None:
    a_record(98, day=DAY, status="failed", served_model="ghost")
    assert any("ghost" in difference.where for difference in compare_day(DAY))


@pytest.mark.parametrize(
    ("scope", "named"), [("installation", None), ("team", "team"), ("member", "member"), ("key", "key")]
)
def test_a_budget_counts_what_its_days_cost_and_holds_back_what_its_open_rows_reserved(
    ledger: None, scope: str, named: str | None
) -> None:
    row = UsageRecord.objects.exclude(member=None)[0]
    subject = {named: getattr(row, named)} if named else {}
    budget = Budget.objects.create(scope=BudgetScope(scope), span=BudgetSpan.DAY, limit_nano=10**9, **subject)
    settled, reserved = 2 + 3 + 4 + 5 + 6, 100
    period = BudgetPeriod.objects.create(
        budget=budget, start=DAY, end=DAY + timedelta(days=1), settled_nano=settled, reserved_nano=reserved
    )
    (line,) = budget_standings()
    assert line.holds
    BudgetPeriod.objects.filter(pk=period.pk).update(settled_nano=settled + 1, reserved_nano=reserved - 2)
    (line,) = budget_standings()
    assert (line.settled_difference, line.reserved_difference, line.holds) == (1, -2, False)
    assert "+1 nano-AIU settled and -2 held back" in refuted("--quick")


def test_past_periods_are_left_out_when_only_those_of_now_are_asked_for(ledger: None) -> None:
    budget = Budget.objects.create(scope=BudgetScope.INSTALLATION, span=BudgetSpan.DAY, limit_nano=1)
    BudgetPeriod.objects.create(budget=budget, start=DAY, end=DAY + timedelta(days=1))
    assert list(budget_standings(DAY + timedelta(days=1))) == []
    assert len(list(budget_standings(DAY))) == 1
