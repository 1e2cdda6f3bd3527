"""Work that is done once a night, by one of the running processes: reconciliation of every seat, and retention.

A night's work is due from midnight of the installation's zone on, after a pause that each process draws anew, so that
installations do not ask GitHub all at once. A night that nobody was up for is made up at the next start.

    due     the task's last day is before today
    claim   one conditional update takes its lease: free, lapsed or one's own
    done    the day is noted and the lease given back

The lease is short and renewed while the work goes on, so that the work of a process that died is taken up soon. What
fails is logged and tried again after a while. A task that was never seen before counts as done: a new installation has
no night to make up.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils import timezone

from accounts.database import in_thread
from accounts.days import day_at
from accounts.github import open_github
from accounts.models import NightlyTask, Reconciliation, Seat, SeatState
from accounts.reconciling.comparing import reconcile
from accounts.retention import prune

if TYPE_CHECKING:
    from datetime import date

logger = logging.getLogger(__name__)

Work = Callable[[], Awaitable[object]]

LEASE = timedelta(minutes=5)
RENEWAL_SECONDS = 60.0
# How long after midnight a process may wait, and how soon after its start it looks for a night to make up.
SPREAD_SECONDS = 2700.0
START_SECONDS = 5.0
LOOK_SECONDS = 60.0
RETRY_SECONDS = 900.0


class Nightly:
    """The night's work of one process. `owner` names it in leases and must be unique among all processes."""

    def __init__(
        self,
        owner: str,
        tasks: Mapping[str, Work] | None = None,
        *,
        now: Callable[[], datetime] = timezone.now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        spread: Callable[[], float] = lambda: random.uniform(0, SPREAD_SECONDS),  # noqa: S311 - no secret, only a pause
    ) -> None:
        self._owner = owner
        self._tasks = {"reconcile": reconcile_seats, "prune": in_thread(prune)} if tasks is None else tasks
        self._now = now
        self._sleep = sleep
        self._spread = spread
        self._not_before: dict[str, datetime] = {}

    async def run(self) -> None:
        """Do each night's work until cancelled."""
        await self._sleep(START_SECONDS)
        day = day_at(self._now())
        while True:
            await self.do_what_is_due()
            await self._sleep(LOOK_SECONDS)
            if day != day_at(self._now()):
                await self._sleep(self._spread())
                day = day_at(self._now())

    async def do_what_is_due(self) -> list[str]:
        """Do the tasks that are due and that nobody else is at; returns those that were done."""
        return [name for name, work in self._tasks.items() if await self._do(name, work)]

    async def _do(self, name: str, work: Work) -> bool:
        now = self._now()
        if now < self._not_before.get(name, now):
            return False
        day = day_at(now)
        # A task of its own, so that what fails in it does not end the nights to come.
        outcome: bool | BaseException
        (outcome,) = await asyncio.gather(self._do_leased(name, work, day), return_exceptions=True)
        if isinstance(outcome, bool):
            return outcome
        logger.error("The night's work %s failed", name, exc_info=outcome)
        self._not_before[name] = self._now() + timedelta(seconds=RETRY_SECONDS)
        return False

    async def _do_leased(self, name: str, work: Work, day: date) -> bool:
        if not await in_thread(claim)(name, self._owner, day, self._now()):
            return False
        renewals = asyncio.create_task(self._keep_lease(name))
        is_done = False
        try:
            await work()
            is_done = True
        finally:
            renewals.cancel()
            await in_thread(release)(name, self._owner, day if is_done else None, self._now())
        return True

    async def _keep_lease(self, name: str) -> None:
        while True:
            await self._sleep(RENEWAL_SECONDS)
            await in_thread(renew)(name, self._owner, self._now())


async def reconcile_seats() -> list[Reconciliation]:
    """Compare every seat in service that was not compared since midnight."""
    seats = await in_thread(_seats_to_reconcile)()
    async with open_github() as github:
        return [await reconcile(github, seat) for seat in seats]


def claim(name: str, owner: str, day: date, now: datetime) -> bool:
    """Take the lease of a task that was not done on `day` yet; False when it was, or somebody else is at it."""
    NightlyTask.objects.get_or_create(name=name, defaults={"done_day": day})
    free = Q(lease_until=None) | Q(lease_until__lte=now) | Q(lease_owner=owner)
    due = NightlyTask.objects.filter(free, name=name, done_day__lt=day)
    return due.update(lease_owner=owner, lease_until=now + LEASE) == 1


def renew(name: str, owner: str, now: datetime) -> None:
    NightlyTask.objects.filter(name=name, lease_owner=owner).update(lease_until=now + LEASE)


def release(name: str, owner: str, done_day: date | None, now: datetime) -> None:
    """Give the lease back; `done_day` is None when the work was not done."""
    done = {} if done_day is None else {"done_day": done_day, "done_at": now}
    NightlyTask.objects.filter(name=name, lease_owner=owner).update(lease_owner="", lease_until=None, **done)


def _seats_to_reconcile() -> list[Seat]:
    zone = timezone.get_default_timezone()
    midnight = datetime.combine(day_at(timezone.now()), time.min, zone)
    done = Reconciliation.objects.filter(made_at__gte=midnight).values("seat")
    return list(Seat.objects.exclude(state=SeatState.DISABLED).exclude(pk__in=done))
