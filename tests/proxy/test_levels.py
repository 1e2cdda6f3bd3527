"""What a process knows to be left of its seats: from rows, from headers, and from what other processes wrote."""

from __future__ import annotations

import time

import pytest
from django.conf import settings

from accounts.database import in_thread
from accounts.models import Seat
from accounts.quotas.levels import UNKNOWN, Levels, Standing
from accounts.quotas.readings import note
from bridge.copilot.quota import Quota
from proxy.levels import WRITE_PAUSE_SECONDS, SeatLevels
from tests.accounts.rows import a_seat
from tests.accounts.snapshots import NOW, a_snapshot, an_entry
from tests.accounts.upstream import sim, simulator
from tests.bridge.copilot.memory import Clock
from tests.simulator.server import SimulatorServer

__all__ = ["sim", "simulator"]


def left(percent: float) -> Quota:
    return Quota("premium_interactions", percent_remaining=percent)


def seen(percent: float, at: float) -> Levels:
    return UNKNOWN.with_quotas([left(percent)], at)


def standing(levels: SeatLevels, seat: int) -> Standing:
    return levels.known[seat].standing(NOW)


def test_a_snapshot_brings_what_its_rows_knew_and_takes_seats_that_are_gone() -> None:
    levels = SeatLevels(lambda: NOW)
    levels.hear(a_snapshot(an_entry(1, levels=seen(0.0, NOW)), an_entry(2)))
    assert (standing(levels, 1), standing(levels, 2)) == (Standing.EMPTY, Standing.WELL)
    levels.hear(a_snapshot(an_entry(2)))
    assert set(levels.known) == {2}


def test_what_headers_said_since_is_not_undone_by_a_snapshot() -> None:
    levels = SeatLevels(lambda: NOW)
    levels.see(1, (left(0.0),))
    levels.hear(a_snapshot(an_entry(1, levels=seen(50.0, NOW - 60))))
    assert standing(levels, 1) is Standing.EMPTY
    levels.hear(a_snapshot(an_entry(1, levels=seen(50.0, NOW + 60))))
    assert standing(levels, 1) is Standing.WELL


def test_headers_are_written_down_once_a_minute_for_a_seat() -> None:
    clock = Clock()
    levels = SeatLevels(clock)
    assert levels.see(1, (left(50.0),))
    assert levels.see(2, (left(50.0),))
    clock.at += WRITE_PAUSE_SECONDS - 1
    assert not levels.see(1, (left(49.0),))
    assert levels.known[1].sightings[0].quota.percent_remaining == 49.0
    clock.at += 1
    assert levels.see(1, (left(48.0),))
    assert not levels.see(3, ())


@pytest.mark.django_db(transaction=True)
async def test_a_round_asks_github_and_reads_what_other_processes_wrote(sim: SimulatorServer) -> None:
    account = sim.world.accounts["credits"]
    seat: Seat = await in_thread(a_seat)(login="credits", github_token=account.github_token)
    levels = SeatLevels()
    levels.hear(a_snapshot(an_entry(seat.pk)))

    def remaining() -> float | None:
        governing = levels.known[seat.pk].governing
        return None if governing is None else governing.quota.remaining

    await levels.renew()
    assert remaining() == 7000.0
    said = Quota("premium_interactions", entitlement=7000.0, remaining=123.0)
    await in_thread(note)(seat.pk, [said], time.time() + 60)
    await levels.renew()
    assert remaining() == 123.0
    assert sum(record.request.path == "/copilot_internal/user" for record in sim.world.log) == 1


def test_overflow_is_off_unless_somebody_switches_it_on() -> None:
    assert settings.BRIDGE_OVERFLOW is False
