"""What GitHub says is left of a seat, kept: newest figures, readings, their thinning, and the round that asks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from accounts.database import in_thread
from accounts.models import Epoch, Member, QuotaReading, QuotaSource, Seat, SeatState
from accounts.models.quota_reading import Grain
from accounts.quotas.readings import levels_of, levels_of_all, note, thin
from accounts.quotas.refresh import PAUSE, refresh_due
from accounts.retention import prune
from bridge.copilot.quota import Quota, read_quota_headers
from tests.accounts.rows import a_member, a_seat
from tests.accounts.upstream import sim, simulator
from tests.simulator.server import SimulatorServer

__all__ = ["sim", "simulator"]

pytestmark = pytest.mark.django_db(transaction=True)

# Ten minutes into an hour, in the middle of a day.
START = datetime(2026, 11, 10, 12, 10, tzinfo=UTC)
RESET = datetime(2026, 12, 1, tzinfo=UTC).timestamp()
CREDITS = Quota("premium_interactions", entitlement=1500.0, remaining=700.0, percent_remaining=46.7, reset_at=RESET)


def noted(seat: Seat, quota: Quota = CREDITS, *, source: str = QuotaSource.HEADERS, **after: float) -> None:
    note(seat.pk, [quota], (START + timedelta(**after)).timestamp(), source)


def left(seat: Seat) -> list[tuple[int, float | None]]:
    """Minutes since the start, and what was left, of each reading."""
    return [
        (round((reading.at - START).total_seconds() / 60), reading.remaining)
        for reading in seat.readings.order_by("at", "id")
    ]


def test_newest_figures_are_merged_by_name_and_not_announced() -> None:
    seat, before = a_seat(), Epoch.current()
    noted(seat, Quota("chat", unlimited=True))
    noted(seat, Quota("weekly", percent_remaining=80.0), minutes=2)
    noted(seat, Quota("weekly", percent_remaining=70.5), minutes=4)
    seat.refresh_from_db()
    assert (seat.quota["chat"]["unlimited"], seat.quota["weekly"]["percent_remaining"]) == (True, 70.5)
    assert seat.quota_seen_at == START + timedelta(minutes=4)
    assert levels_of_all() == {seat.pk: levels_of(seat)}
    assert Epoch.current() == before


def test_a_reading_holds_what_was_said() -> None:
    seat = a_seat()
    noted(seat, replace(CREDITS, remaining=-3.5, percent_remaining=-0.2, overage_count=0.0), source=QuotaSource.ACCOUNT)
    reading = QuotaReading.objects.get()
    assert (reading.name, reading.at, reading.source) == ("premium_interactions", START, "account")
    assert (reading.entitlement, reading.remaining, reading.percent_remaining) == (1500.0, -3.5, -0.2)
    assert (reading.unlimited, reading.overage) == (False, 0.0)
    assert reading.reset_at == datetime.fromtimestamp(RESET, UTC)
    assert reading.used == 1503.5


def test_readings_are_written_when_a_figure_changed_and_once_an_hour_when_none_did() -> None:
    seat = a_seat()
    for minutes in (0, 2, 30, 59, 61, 90):
        noted(seat, minutes=minutes)
    noted(seat, replace(CREDITS, remaining=690.0), minutes=95)
    assert left(seat) == [(0, 700.0), (61, 700.0), (95, 690.0)]


def test_headers_lead_to_one_writing_a_minute_and_the_newest_figure_is_kept_all_the_same() -> None:
    seat = a_seat()
    for second in range(0, 150, 10):
        noted(seat, replace(CREDITS, remaining=700.0 - second), seconds=second)
    assert [remaining for _, remaining in left(seat)] == [700.0, 640.0, 580.0]
    seat.refresh_from_db()
    assert seat.quota["premium_interactions"]["remaining"] == 560.0


def test_what_the_account_page_says_is_written_at_once_and_twice_the_same_is_one() -> None:
    seat = a_seat()
    noted(seat)
    noted(seat, replace(CREDITS, remaining=699.5), source=QuotaSource.ACCOUNT, seconds=5)
    noted(seat, replace(CREDITS, remaining=699.5), source=QuotaSource.ACCOUNT, seconds=8)
    assert [remaining for _, remaining in left(seat)] == [700.0, 699.5]


def test_an_unlimited_allowance_is_written_when_it_becomes_one() -> None:
    seat = a_seat()
    for hours in range(0, 50, 5):
        noted(seat, Quota("chat", unlimited=True), hours=hours)
    noted(seat, Quota("chat", entitlement=200.0, remaining=200.0), hours=60)
    assert [reading.unlimited for reading in seat.readings.order_by("at")] == [True, False]


def test_allowances_nobody_asks_about_have_no_history() -> None:
    seat = a_seat()
    noted(seat, Quota("completions", entitlement=2000.0, remaining=1.0))
    noted(seat, Quota("made-up-by-a-header", entitlement=2000.0, remaining=1.0), minutes=5)
    assert not seat.readings.exists()


def test_a_seat_that_is_gone_and_an_answer_that_says_nothing_are_no_fault() -> None:
    note(404, [CREDITS], START.timestamp())
    seat = a_seat()
    note(seat.pk, [], START.timestamp())
    seat.refresh_from_db()
    assert (seat.quota, seat.quota_seen_at) == ({}, None)


HEADERS = [
    ("ent=1500&ov=0.0&ovPerm=false&rem=50.0&rst=2026-12-01T00%3A00%3A00Z&totRem=749.5", (1500.0, 749.5, 50.0, False)),
    ("ent=1500&ov=2.5&ovPerm=true&rem=-0.4&rst=2026-12-01T00%3A00%3A00Z", (1500.0, -6.0, -0.4, False)),
    ("ent=-1&ov=0.0&ovPerm=false&rem=100.0&rst=2026-12-01T00%3A00%3A00Z", (None, None, 100.0, True)),
    ("rem=12.5", (None, None, 12.5, False)),
]


@pytest.mark.parametrize(("value", "figures"), HEADERS)
def test_every_form_of_a_header_becomes_a_reading(value: str, figures: tuple[Any, ...]) -> None:
    seat = a_seat()
    note(seat.pk, read_quota_headers({"X-Quota-Snapshot-Premium_Interactions": value}), START.timestamp())
    reading = QuotaReading.objects.get()
    assert (reading.entitlement, reading.remaining, reading.percent_remaining, reading.unlimited) == figures


def test_the_first_reading_of_an_hour_and_of_a_day_are_kept_longer() -> None:
    seat = a_seat()
    for minutes in range(0, 24 * 60, 20):
        noted(seat, replace(CREDITS, remaining=700.0 - minutes / 10), minutes=minutes)
    grains = list(seat.readings.order_by("at").values_list("at", "grain"))
    daily = [at for at, grain in grains if grain == Grain.DAILY]
    assert daily == [START, datetime(2026, 11, 11, 0, 10, tzinfo=UTC)]
    hourly = {at.replace(minute=0) for at, grain in grains if grain >= Grain.HOURLY}
    assert len(hourly) == 24
    assert sum(grain >= Grain.HOURLY for _, grain in grains) == 24


def test_readings_are_thinned_by_age(settings: Any) -> None:
    seat, now = a_seat(), timezone.now()
    ages = [timedelta(hours=1), timedelta(days=3), timedelta(days=34), timedelta(days=36), timedelta(days=401)]
    QuotaReading.objects.bulk_create(
        QuotaReading(seat=seat, name="premium_interactions", at=now - age, source="headers", grain=grain)
        for age in ages
        for grain in Grain
        for _ in range(300)
    )
    settings.BRIDGE_RETENTION_DAYS = 0
    assert prune() == 0
    kept = {
        (age.days, Grain(grain))
        for age in ages
        for grain in seat.readings.filter(at=now - age).values_list("grain", flat=True)
    }
    assert kept == {
        *((0, grain) for grain in Grain),
        (3, Grain.HOURLY),
        (3, Grain.DAILY),
        (34, Grain.HOURLY),
        (34, Grain.DAILY),
        (36, Grain.DAILY),
    }
    assert seat.readings.count() == 8 * 300
    assert thin(now) == 0


def connected_seat(sim: SimulatorServer, login: str, owner: Member | None = None, **fields: Any) -> Seat:
    account = sim.world.accounts[login]
    return a_seat(owner or a_member(), login=login, github_id=account.id, github_token=account.github_token, **fields)


def asked(sim: SimulatorServer) -> int:
    return sum(record.request.path == "/copilot_internal/user" for record in sim.world.log)


def refreshed(*, after: timedelta = timedelta()) -> int:
    return async_to_sync(refresh_due)(timezone.now() + after)


def test_seats_that_are_due_are_asked_about_once(sim: SimulatorServer) -> None:
    seat = connected_seat(sim, "credits")
    assert refreshed() == 1
    seat.refresh_from_db()
    assert seat.quota["premium_interactions"]["token_based"] is True
    assert seat.readings.get(name="premium_interactions").source == QuotaSource.ACCOUNT
    assert (refreshed(), refreshed(after=PAUSE * 0.8), asked(sim)) == (0, 0, 1)
    assert (refreshed(after=PAUSE * 1.2), asked(sim)) == (1, 2)


def test_the_unit_of_a_plan_that_counts_requests_is_known_from_the_account(sim: SimulatorServer) -> None:
    seat = connected_seat(sim, "legacy")
    refreshed()
    seat.refresh_from_db()
    assert seat.quota["premium_interactions"]["token_based"] is False


@pytest.mark.parametrize("state", [state for state in SeatState if state != SeatState.ACTIVE])
def test_seats_that_rest_or_are_out_of_service_are_left_alone(sim: SimulatorServer, state: SeatState) -> None:
    connected_seat(sim, "credits", state=state, state_until=timezone.now() + timedelta(hours=1))
    assert (refreshed(), len(sim.world.log)) == (0, 0)


def test_a_seat_whose_rest_is_over_is_asked_about_and_one_of_a_former_member_is_not(sim: SimulatorServer) -> None:
    connected_seat(sim, "credits", state=SeatState.COOLING, state_until=timezone.now() - timedelta(minutes=1))
    connected_seat(sim, "pro", a_member(is_active=False))
    assert refreshed() == 1


@pytest.mark.parametrize("login", ["noseat", "suspended", "direct"])
def test_a_page_that_says_nothing_changes_nothing(sim: SimulatorServer, login: str) -> None:
    seat = connected_seat(sim, login)
    sim.world.accounts[login].github_tokens[0].revoked = True
    assert refreshed() == 1
    seat.refresh_from_db()
    assert (seat.state, seat.quota) == (SeatState.ACTIVE, {})
    assert refreshed() == 0


async def test_rounds_at_the_same_time_ask_once(sim: SimulatorServer) -> None:
    await in_thread(connected_seat)(sim, "credits")
    now = timezone.now()
    counts = await asyncio.gather(*(refresh_due(now) for _ in range(6)))
    assert (sum(counts), asked(sim)) == (1, 1)
