"""What this process knows to be left of every seat: from the rows as loaded, from answers' headers, from time to time
from the rows again, which other processes write as well; and the round that asks GitHub's account page.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping

from django.db import DatabaseError

from accounts.database import in_thread
from accounts.directory import Snapshot
from accounts.quotas.levels import UNKNOWN, Levels
from accounts.quotas.readings import levels_of_all, note
from accounts.quotas.refresh import refresh_due
from bridge.copilot.quota import Quota

logger = logging.getLogger(__name__)

WRITE_PAUSE_SECONDS = 60.0
ROUND_SECONDS = 60.0


class SeatLevels:
    """`known` is the newest by seat; `run` keeps it so until it is cancelled."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._known: dict[int, Levels] = {}
        self._written: dict[int, float] = {}

    @property
    def known(self) -> Mapping[int, Levels]:
        return self._known

    def hear(self, snapshot: Snapshot) -> None:
        """Take over the seats of a new snapshot; what is known of them more newly stays."""
        self._known = {seat.id: self._known.get(seat.id, UNKNOWN).merged(seat.levels) for seat in snapshot.seats}

    def see(self, seat: int, quotas: tuple[Quota, ...]) -> bool:
        """Take over what an answer's headers said; returns whether it is time to write it down."""
        if not quotas:
            return False
        now = self._now()
        self._known[seat] = self._known.get(seat, UNKNOWN).with_quotas(quotas, now)
        if now < self._written.get(seat, float("-inf")) + WRITE_PAUSE_SECONDS:
            return False
        self._written[seat] = now
        return True

    async def write(self, seat: int, quotas: tuple[Quota, ...]) -> None:
        await in_thread(note)(seat, quotas, self._now())

    async def run(self) -> None:
        """Renew what is known about once a minute."""
        while True:
            await asyncio.sleep(ROUND_SECONDS * (0.75 + random.random() / 2))  # noqa: S311 - jitter, no secret
            await self.renew()

    async def renew(self) -> None:
        """Ask about the seats that are due, then read what all processes wrote."""
        try:
            await refresh_due()
            stored = await in_thread(levels_of_all)()
        except DatabaseError as error:
            logger.warning("The quotas of seats cannot be read or written: %s", error)
            return
        for seat in self._known.keys() & stored.keys():
            self._known[seat] = self._known[seat].merged(stored[seat])
