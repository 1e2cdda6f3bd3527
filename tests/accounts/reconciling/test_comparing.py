"""Reconciliation of a seat: which readings and which requests are held against each other, and what is said of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from accounts.database import in_thread
from accounts.github import open_github
from accounts.models import (
    CostSource,
    QuotaReading,
    QuotaSource,
    QuotaUnit,
    Reconciliation,
    Seat,
    SeatKind,
    UsageDay,
    UsageRecord,
)
from accounts.models.quota_reading import Grain
from accounts.quotas.readings import thin
from accounts.reconciling.comparing import compare, reconcile
from accounts.reconciling.drift import NANO, Cause
from tests.accounts.rows import a_member, a_record, a_seat
from tests.accounts.upstream import sim, simulator
from tests.simulator.server import SimulatorServer

__all__ = ["sim", "simulator"]

pytestmark = pytest.mark.django_db(transaction=True)

NUMBERS = count(1)


@pytest.fixture
def seat() -> Seat:
    return a_seat(a_member(), quota={"premium_interactions": {"name": "premium_interactions", "token_based": True}})


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


def read(seat: Seat, at: datetime, used: float, **fields: Any) -> QuotaReading:
    values: dict[str, Any] = {
        "name": "premium_interactions",
        "source": QuotaSource.ACCOUNT,
        "entitlement": 7000.0,
        "remaining": 7000.0 - used,
        "reset_at": at + timedelta(days=20),
    }
    return QuotaReading.objects.create(seat=seat, at=at, **(values | fields))


def spent(seat: Seat, settled_at: datetime | None, nano: int | None, **fields: Any) -> UsageRecord:
    opened_at = fields.pop("opened_at", (settled_at or timezone.now()) - timedelta(seconds=5))
    values = {"nano_reported": nano, "cost_source": CostSource.REPORTED, "http_status": 200} | fields
    return a_record(next(NUMBERS), seat=seat, settled_at=settled_at, opened_at=opened_at, **values)


def codes(row: Reconciliation) -> list[str]:
    return [cause["code"] for cause in row.causes if cause["code"] != Cause.NOT_FRESH]


def test_what_both_counted_alike_agrees_to_the_billionth(seat: Seat) -> None:
    read(seat, ago(hours=9), 1.0)
    read(seat, ago(hours=1), 1.0 + 3.123456789)
    spent(seat, ago(hours=5), 3_000_000_000)
    spent(seat, ago(hours=4), 123_456_789)
    row = compare(seat)
    assert (row.github_nano, row.ledger_nano, row.drift_nano, row.requests) == (3_123_456_789, 3_123_456_789, 0, 2)
    assert row.agrees
    assert codes(row) == []
    assert row.unit == QuotaUnit.CREDITS


def test_requests_before_the_first_and_after_the_last_reading_are_left_out(seat: Seat) -> None:
    first, last = read(seat, ago(hours=9), 0.0), read(seat, ago(hours=1), 2.5)
    spent(seat, first.at, NANO)
    spent(seat, first.at + timedelta(microseconds=1), 2 * NANO)
    spent(seat, last.at, NANO // 2)
    spent(seat, last.at + timedelta(microseconds=1), NANO)
    spent(a_seat(), ago(hours=4), NANO)
    row = compare(seat)
    assert (row.since, row.until) == (first.at, last.at)
    assert (row.ledger_nano, row.requests, row.drift_nano) == (2_500_000_000, 2, 0)


def test_what_the_ledger_does_not_know_of_is_traffic_outside(seat: Seat) -> None:
    read(seat, ago(hours=9), 0.0)
    read(seat, ago(hours=1), 12.25)
    spent(seat, ago(hours=5), 2 * NANO)
    row = compare(seat)
    assert row.drift_nano == 10_250_000_000
    assert not row.agrees
    assert row.causes[0] == {"code": Cause.OUTSIDE, "nano": 10_250_000_000}
    assert round(float(row.drift_percent or 0), 2) == 83.67


def test_a_difference_below_githubs_last_digit_agrees_and_the_digit_is_named(seat: Seat) -> None:
    read(seat, ago(hours=9), 0.1)
    read(seat, ago(hours=1), 4.4)
    spent(seat, ago(hours=5), 4_260_000_000)
    row = compare(seat)
    assert row.drift_nano == 40_000_000
    assert row.agrees
    assert {"code": Cause.COARSE, "nano": 0, "resolution": NANO // 10} in row.causes


def test_the_next_comparison_begins_where_the_last_one_ended(seat: Seat) -> None:
    read(seat, ago(hours=9), 0.0)
    read(seat, ago(hours=5), 1.0)
    first = compare(seat)
    read(seat, ago(hours=1), 3.0)
    second = compare(seat)
    assert (first.drift_nano, second.drift_nano) == (NANO, 2 * NANO)
    assert second.since == first.until


def test_the_reading_at_which_a_comparison_ended_is_not_thinned_away(seat: Seat) -> None:
    read(seat, ago(days=9), 0.0, grain=Grain.DAILY)
    read(seat, ago(days=8), 1.0)
    read(seat, ago(days=7, hours=23), 2.0)
    first = compare(seat)
    read(seat, ago(days=7), 2.5)
    thin(timezone.now())
    read(seat, ago(hours=1), 5.0)
    second = compare(seat)
    assert second.since == first.until
    assert second.github_nano == 3 * NANO


def test_across_a_reset_only_what_can_be_known_is_compared(seat: Seat) -> None:
    reset, later = ago(hours=5), ago(hours=-700)
    read(seat, ago(hours=9), 100.0, reset_at=reset)
    last_before = read(seat, ago(hours=7), 101.5, reset_at=reset)
    read(seat, ago(hours=1), 4.0, reset_at=later)
    spent(seat, ago(hours=8), 1_500_000_000)
    spent(seat, ago(hours=6), 9 * NANO)
    spent(seat, ago(hours=3), 4 * NANO)
    row = compare(seat)
    assert (row.github_nano, row.ledger_nano, row.drift_nano) == (5_500_000_000, 5_500_000_000, 0)
    gap = next(cause for cause in row.causes if cause["code"] == Cause.RESET)
    assert (gap["requests"], gap["nano"]) == (1, 9 * NANO)
    assert (gap["since"], gap["at"]) == (last_before.at.isoformat(), reset.isoformat())


def test_requests_that_ended_just_before_the_last_reading_may_not_be_counted_yet(seat: Seat) -> None:
    read(seat, ago(hours=9), 0.0)
    read(seat, ago(minutes=1), 1.0)
    spent(seat, ago(hours=5), NANO)
    spent(seat, ago(minutes=2), 3 * NANO)
    row = compare(seat)
    assert row.drift_nano == -3 * NANO
    assert row.causes[0] == {"code": Cause.LAG, "nano": 3 * NANO}
    assert Cause.RETURNED not in codes(row)


def test_lag_at_the_beginning_explains_no_more_than_github_was_behind_with(seat: Seat) -> None:
    read(seat, ago(hours=9), 0.0)
    middle = read(seat, ago(hours=5), 1.5)
    spent(seat, middle.at - timedelta(seconds=30), 2 * NANO)
    first = compare(seat)
    read(seat, ago(hours=1), 6.0)
    second = compare(seat)
    assert (first.drift_nano, second.drift_nano) == (-NANO // 2, 4_500_000_000)
    assert second.causes[:2] == [
        {"code": Cause.OUTSIDE, "nano": 4 * NANO},
        {"code": Cause.LAG, "nano": NANO // 2},
    ]


def test_abandoned_open_unpriced_and_estimated_requests_are_counted_as_causes(seat: Seat) -> None:
    read(seat, ago(hours=9), 0.0)
    read(seat, ago(hours=1), 50.0)
    spent(seat, ago(hours=6), None, status="abandoned", reserved_nano=2 * NANO, http_status=None, cost_source="")
    spent(seat, None, None, status="open", reserved_nano=5 * NANO, opened_at=ago(hours=2), http_status=None)
    spent(seat, ago(hours=4), None, cost_source="")
    spent(seat, ago(hours=3), None, nano_computed=7 * NANO, cost_source=CostSource.ESTIMATED, status="cancelled")
    row = compare(seat)
    assert row.ledger_nano == 7 * NANO
    found = {cause["code"]: cause for cause in row.causes}
    assert found[Cause.OUTSIDE]["nano"] == 43 * NANO
    assert found[Cause.ESTIMATED] == {"code": Cause.ESTIMATED, "nano": 7 * NANO, "requests": 1}
    assert found[Cause.OPEN] == {"code": Cause.OPEN, "nano": 5 * NANO, "requests": 1}
    assert found[Cause.ABANDONED] == {"code": Cause.ABANDONED, "nano": 2 * NANO, "requests": 1}
    assert found[Cause.UNPRICED] == {"code": Cause.UNPRICED, "nano": 0, "requests": 1}
    assert codes(row)[:4] == [Cause.OUTSIDE, Cause.ESTIMATED, Cause.OPEN, Cause.ABANDONED]


def test_a_seat_with_premium_requests_is_compared_in_these(seat: Seat) -> None:
    Seat.objects.filter(pk=seat.pk).update(quota={"premium_interactions": {"name": "x", "token_based": False}})
    seat.refresh_from_db()
    read(seat, ago(hours=9), 12.0, entitlement=300.0, remaining=288.0)
    read(seat, ago(hours=1), 0.0, entitlement=300.0, remaining=286.67)
    spent(seat, ago(hours=5), None, premium_thousandths=1000, nano_computed=88 * NANO)
    spent(seat, ago(hours=4), None, premium_thousandths=330, nano_computed=88 * NANO)
    spent(seat, ago(hours=4), None, premium_thousandths=None)
    row = compare(seat)
    assert row.unit == QuotaUnit.REQUESTS
    assert (row.github_nano, row.ledger_nano) == (1_330_000_000, 1_330_000_000)
    assert Cause.LEGACY in codes(row)


def test_a_free_seat_is_compared_in_chat_messages(seat: Seat) -> None:
    read(seat, ago(hours=9), 0.0, name="chat", entitlement=200.0, remaining=198.0)
    read(seat, ago(hours=1), 0.0, name="chat", entitlement=200.0, remaining=196.0)
    spent(seat, ago(hours=5), None, initiator="user")
    spent(seat, ago(hours=4), None, initiator="agent")
    spent(seat, ago(hours=3), None, initiator="user", status="failed", http_status=502)
    row = compare(seat)
    assert (row.unit, row.github_nano, row.ledger_nano) == (QuotaUnit.MESSAGES, 2 * NANO, NANO)
    assert Cause.FREE in codes(row)


def test_readings_of_the_accounts_page_are_preferred_to_those_of_headers(seat: Seat) -> None:
    read(seat, ago(hours=9), 0.0)
    read(seat, ago(hours=5), 77.0, source=QuotaSource.HEADERS)
    read(seat, ago(hours=2), 2.5)
    read(seat, ago(hours=1), 99.0, source=QuotaSource.HEADERS)
    assert compare(seat).github_nano == 2_500_000_000


def test_where_only_headers_tell_they_are_compared(seat: Seat) -> None:
    read(seat, ago(hours=9), 0.0, source=QuotaSource.HEADERS, name="premium_models")
    read(seat, ago(hours=1), 2.5, source=QuotaSource.HEADERS, name="premium_models")
    spent(seat, ago(hours=1, minutes=30), 2 * NANO)
    row = compare(seat)
    assert (row.github_nano, row.ledger_nano) == (2_500_000_000, 2 * NANO)


def test_a_seat_without_two_readings_is_not_comparable_but_its_requests_are_summed(seat: Seat) -> None:
    Seat.objects.filter(pk=seat.pk).quiet_update(created_at=ago(days=3))
    seat.refresh_from_db()
    spent(seat, ago(hours=5), 2 * NANO)
    read(seat, ago(hours=1), 2.0)
    row = compare(seat)
    assert (row.github_nano, row.drift_nano, row.ledger_nano) == (None, None, 2 * NANO)
    assert not row.agrees
    assert codes(row) == [Cause.NO_READINGS]


def test_an_unlimited_seat_says_that_nothing_is_counted(seat: Seat) -> None:
    read(seat, ago(hours=9), 0.0, unlimited=True, entitlement=None, remaining=None)
    read(seat, ago(hours=1), 0.0, unlimited=True, entitlement=None, remaining=None)
    assert codes(compare(seat)) == [Cause.UNLIMITED]


def test_requests_that_retention_deleted_are_told_of(seat: Seat) -> None:
    read(seat, ago(hours=9), 0.0)
    read(seat, ago(hours=1), 2.0)
    day = ago(hours=5).astimezone(timezone.get_default_timezone()).date()
    UsageDay.objects.create(slot="x", day=day, seat=seat, opened=4, settled=4, pruned=3)
    assert {"code": Cause.PRUNED, "nano": 0, "requests": 3} in compare(seat).causes


def test_figures_that_are_round_by_chance_do_not_hide_a_difference(seat: Seat) -> None:
    read(seat, ago(hours=20), 0.3)
    read(seat, ago(hours=9), 1.0)
    compare(seat)
    read(seat, ago(hours=1), 1.0)
    spent(seat, ago(hours=5), NANO // 2)
    row = compare(seat)
    assert (row.drift_nano, row.tolerance_nano, row.agrees) == (-NANO // 2, NANO // 10 - 1, False)


async def at_github(seat: Seat) -> Reconciliation:
    await in_thread(seat.refresh_from_db)()
    async with open_github() as github:
        return await reconcile(github, seat)


def billed(sim: SimulatorServer, login: str, nano: int) -> None:
    sim.world.accounts[login].nano_aiu += nano


async def test_github_is_asked_first_and_its_answer_is_where_the_comparison_ends(sim: SimulatorServer) -> None:
    seat = await in_thread(a_seat)(login="credits", github_token=sim.world.accounts["credits"].github_token)
    before = timezone.now()
    assert codes(await at_github(seat)) == [Cause.NO_READINGS]
    billed(sim, "credits", 12_345_678_901)
    row = await at_github(seat)
    assert row.drift_nano == row.github_nano == 12_345_678_901
    assert row.until >= before
    assert Cause.NOT_FRESH not in [cause["code"] for cause in row.causes]
    again = await at_github(seat)
    assert (again.drift_nano, again.since) == (0, row.until)
    assert again.agrees
    assert again.until > row.until


async def test_an_account_page_that_does_not_answer_is_no_fault_of_the_night(sim: SimulatorServer) -> None:
    seat = await in_thread(a_seat)(login="credits", github_token=sim.world.accounts["credits"].github_token)
    await at_github(seat)
    billed(sim, "credits", NANO)
    await at_github(seat)
    sim.ask({"raw": {"status": 500}}, origin="api")
    row = await at_github(seat)
    assert Cause.NOT_FRESH in [cause["code"] for cause in row.causes]


async def test_an_app_has_no_account_page_to_ask(sim: SimulatorServer) -> None:
    fields: dict[str, Any] = {"kind": SeatKind.APP, "serves": "team", "login": "octo-org", "github_token": None}
    seat = await in_thread(Seat.objects.create)(github_id=5, private_key="pem", **fields)
    assert codes(await at_github(seat)) == [Cause.NO_READINGS]
    assert sim.world.log == []


def test_the_command_tells_each_seat_with_figures_and_causes(
    sim: SimulatorServer, capsys: pytest.CaptureFixture[str]
) -> None:
    seat = a_seat(login="credits", github_token=sim.world.accounts["credits"].github_token)
    other = a_seat(login="pro", github_token=sim.world.accounts["pro"].github_token)
    call_command("reconcile")
    billed(sim, "credits", 2 * NANO)
    call_command("reconcile", "--seat", str(seat.pk))
    said = capsys.readouterr().out
    last = said.strip().splitlines()[-3:]
    assert last[0].startswith(f"{seat.pk} credits, ")
    assert "GitHub 2.000 AI credits, ledger 0.000 AI credits (0)." in last[0]
    assert "GitHub counted 2.000 AI credits more than the ledger." in last[0]
    assert last[1].strip().startswith("Traffic outside the gateway, up to 2.000 AI credits")
    assert Reconciliation.objects.filter(seat=other).count() == 1
    with pytest.raises(CommandError, match="no seat 4711"):
        call_command("reconcile", "--seat", "4711")
