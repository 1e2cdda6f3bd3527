"""The night's work: due after midnight, done once by one process, made up after a missed night, tried again."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.database import in_thread
from accounts.models import NightlyTask, Reconciliation, Seat, SeatState, UsageRecord
from accounts.nightly import LEASE, LOOK_SECONDS, RETRY_SECONDS, START_SECONDS, Nightly, claim, reconcile_seats, release
from tests.accounts.rows import a_member, a_record, a_seat
from tests.accounts.upstream import sim, simulator
from tests.simulator.server import SimulatorServer

__all__ = ["sim", "simulator"]

pytestmark = pytest.mark.django_db(transaction=True)

TODAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Clock:
    def __init__(self, at: datetime = NOON) -> None:
        self.at = at
        self._awaited: list[tuple[datetime, asyncio.Event]] = []

    def __call__(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Time passes by being slept through."""
        self.at += timedelta(seconds=seconds)
        for moment, event in self._awaited:
            if moment <= self.at:
                event.set()
        await asyncio.sleep(0)

    async def reach(self, moment: datetime) -> None:
        """Wait until somebody else's sleep has brought that moment."""
        event = asyncio.Event()
        self._awaited.append((moment, event))
        async with asyncio.timeout(60):
            await event.wait()


class Work:
    """Counts how often it was done; `faults` makes the first ones fail."""

    def __init__(self, clock: Clock, *, faults: int = 0) -> None:
        self.done: list[datetime] = []
        self.faults = faults
        self._clock = clock

    async def __call__(self) -> None:
        if self.faults:
            self.faults -= 1
            raise OSError("no disk")
        self.done.append(self._clock())


def last_done(day: date, **fields: object) -> None:
    NightlyTask.objects.create(name="work", done_day=day, **fields)


def nightly(clock: Clock, work: Work, owner: str = "one", spread: float = 600.0) -> Nightly:
    return Nightly(owner, {"work": work}, now=clock, sleep=clock.sleep, spread=lambda: spread)


async def run_until(process: Nightly, clock: Clock, end: datetime) -> None:
    task = asyncio.create_task(process.run())
    await clock.reach(end)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_new_installation_has_no_night_to_make_up() -> None:
    clock = Clock()
    work = Work(clock)
    assert await nightly(clock, work).do_what_is_due() == []
    assert work.done == []
    assert (await in_thread(NightlyTask.objects.get)()).done_day == TODAY


async def test_a_missed_night_is_made_up_once() -> None:
    clock = Clock()
    work = Work(clock)
    await in_thread(last_done)(TODAY - timedelta(days=3))
    process = nightly(clock, work)
    assert await process.do_what_is_due() == ["work"]
    assert await process.do_what_is_due() == []
    row = await in_thread(NightlyTask.objects.get)()
    assert (row.done_day, row.lease_owner, row.lease_until) == (TODAY, "", None)
    assert len(work.done) == 1


async def test_a_running_process_works_after_midnight_and_its_pause_and_soon_after_a_start() -> None:
    clock = Clock()
    work = Work(clock)
    await in_thread(last_done)(TODAY - timedelta(days=1))
    await run_until(nightly(clock, work), clock, NOON + timedelta(hours=14))
    first, second = work.done
    assert first == NOON + timedelta(seconds=START_SECONDS)
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    assert midnight + timedelta(seconds=600) <= second <= midnight + timedelta(seconds=600 + 2 * LOOK_SECONDS)


async def test_days_are_those_of_the_installations_zone(settings: Settings) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"
    clock = Clock(datetime(2026, 11, 23, 16, 30, tzinfo=UTC))  # half past midnight of the 24th there
    work = Work(clock)
    await in_thread(last_done)(TODAY)
    assert await nightly(clock, work).do_what_is_due() == ["work"]
    settings.TIME_ZONE = "UTC"
    assert await nightly(clock, work).do_what_is_due() == []


async def test_of_many_processes_one_does_the_work() -> None:
    clock = Clock()
    work = Work(clock)
    await in_thread(last_done)(TODAY - timedelta(days=1))
    done = await asyncio.gather(*(nightly(clock, work, f"process {n}").do_what_is_due() for n in range(5)))
    assert sorted(done) == [[], [], [], [], ["work"]]
    assert len(work.done) == 1


def test_a_lease_keeps_others_out_until_it_lapses() -> None:
    last_done(TODAY - timedelta(days=1))
    assert claim("work", "one", TODAY, NOON)
    assert not claim("work", "two", TODAY, NOON + LEASE - timedelta(seconds=1))
    assert claim("work", "two", TODAY, NOON + LEASE)
    release("work", "one", TODAY, NOON)
    assert NightlyTask.objects.get().lease_owner == "two"
    release("work", "two", TODAY, NOON)
    assert not claim("work", "one", TODAY, NOON + LEASE)


async def test_the_lease_is_renewed_while_the_work_goes_on() -> None:
    clock = Clock()
    await in_thread(last_done)(TODAY - timedelta(days=1))
    kept: list[datetime | None] = []

    async def long_work() -> None:
        await clock.reach(clock.at + 3 * LEASE)
        kept.append((await in_thread(NightlyTask.objects.get)()).lease_until)

    assert await Nightly("one", {"work": long_work}, now=clock, sleep=clock.sleep).do_what_is_due() == ["work"]
    assert kept[0] is not None
    assert kept[0] > NOON + 3 * LEASE - timedelta(minutes=1)


async def test_work_that_fails_is_logged_and_tried_again_later(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    work = Work(clock, faults=1)
    await in_thread(last_done)(TODAY - timedelta(days=1))
    process = nightly(clock, work)
    with caplog.at_level(logging.ERROR):
        assert await process.do_what_is_due() == []
    assert "The night's work work failed" in caplog.text
    row = await in_thread(NightlyTask.objects.get)()
    assert (row.done_day, row.lease_until) == (TODAY - timedelta(days=1), None)
    assert await process.do_what_is_due() == []
    clock.at += timedelta(seconds=RETRY_SECONDS)
    assert await process.do_what_is_due() == ["work"]


async def test_one_failing_task_does_not_keep_the_others_from_their_night() -> None:
    clock = Clock()
    bad, good = Work(clock, faults=9), Work(clock)
    await in_thread(last_done)(TODAY - timedelta(days=1))
    await in_thread(NightlyTask.objects.create)(name="other", done_day=TODAY - timedelta(days=1))
    process = Nightly("one", {"work": bad, "other": good}, now=clock, sleep=clock.sleep)
    assert await process.do_what_is_due() == ["other"]


async def test_the_night_prunes_the_ledger_and_reconciles_each_seat_once(
    sim: SimulatorServer, settings: Settings
) -> None:
    settings.BRIDGE_RETENTION_DAYS = 30
    yesterday = timezone.localdate(timezone=timezone.get_default_timezone()) - timedelta(days=1)

    def prepare() -> tuple[Seat, Seat]:
        for name in ("reconcile", "prune"):
            NightlyTask.objects.create(name=name, done_day=yesterday)
        a_record(1, opened_at=timezone.now() - timedelta(days=60))
        used = a_seat(login="credits", github_token=sim.world.accounts["credits"].github_token)
        return used, a_seat(a_member(), state=SeatState.DISABLED)

    used, _unused = await in_thread(prepare)()
    assert sorted(await Nightly("one").do_what_is_due()) == ["prune", "reconcile"]
    rows = await in_thread(lambda: list(Reconciliation.objects.values_list("seat", flat=True)))()
    assert rows == [used.pk]
    assert await in_thread(UsageRecord.objects.count)() == 0
    assert await reconcile_seats() == []
