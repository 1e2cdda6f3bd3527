"""The one thread of a process that writes the ledger, many rows to a transaction.

While a transaction is being committed, new entries gather; the next one takes them all. A request so waits for one
or two commits (fractions of a millisecond on SQLite's write-ahead log), and the event loop for none. `open` returns
when the row is committed; `settle` when the settlement is, or when it failed and is kept to be tried again: an answer
that was paid for reaches its client even when the disk is full, and its settlement is written once there is room.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
)

from accounts.directory import touch
from accounts.ledger.bookkeeper import Act, Bookkeeper
from accounts.ledger.entries import Opening, Settlement
from accounts.ledger.instances import HEARTBEAT_SECONDS, beat, mark_abandoned, register, sign_off
from accounts.ledger.periods import BudgetSpent
from accounts.models import ApiKey, Seat
from bridge.errors import Shedding

logger = logging.getLogger(__name__)

BATCH = 500
QUEUE_LIMIT = 20_000
RETRY_SECONDS = 1.0
# What one row alone can do wrong; SQLite's driver reports numbers beyond its columns in Python's own words.
_ROW_FAULTS = (DatabaseError, OverflowError, ValueError)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One act; `written` is resolved on the event loop: None when committed, the error otherwise."""

    act: Act
    written: asyncio.Future[None]


class LedgerWriter:
    def __init__(self, instance: UUID, version: str) -> None:
        self.instance = instance
        self.fault: str | None = None
        self.abandoned = 0
        self._version = version
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._kept: list[_Entry] = []
        self._used_keys: dict[int, float] = {}
        self._used_seats: dict[int, float] = {}
        self._next_beat = 0.0
        self._registered = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, sign the instance off; blocks for it."""
        self._queue.put(None)
        self._thread.join(timeout=30)

    async def open(self, opening: Opening) -> None:
        """Commit the open row. Raises BudgetSpent when a hard budget has no room for its reservation.

        Raises Shedding when the ledger cannot be written. Either way nothing may go upstream.
        """
        await self._submit(opening, None)

    async def settle(self, settlement: Settlement) -> None:
        """Commit the settlement, or keep it for later when that fails; never raises for a fault of the database."""
        try:
            await self._submit(None, settlement)
        except Shedding:
            logger.error(
                "The settlement of request %s is kept in memory until the ledger can be written", settlement.id
            )

    async def record(self, opening: Opening, settlement: Settlement) -> None:
        """Commit a request that ended before it reached the upstream, in one act. Raises Shedding."""
        await self._submit(opening, settlement)

    @property
    def backlog(self) -> int:
        """Entries waiting, and settlements kept because they could not be written."""
        return self._queue.qsize() + len(self._kept)

    async def _submit(self, opening: Opening | None, settlement: Settlement | None) -> None:
        if opening is not None and self._queue.qsize() > QUEUE_LIMIT:
            raise _unwritable("too many requests wait for it")
        if not self._thread.is_alive():
            raise _unwritable("the gateway is shutting down")
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put(_Entry(Act(opening, settlement), written))
        await written

    def _run(self) -> None:
        keeper = Bookkeeper(self.instance)
        running = True
        while running:
            self._tend()
            batch, running = self._take()
            if batch or self._kept:
                self._write(keeper, batch)
        self._sign_off()
        connection.close()

    def _take(self) -> tuple[list[_Entry], bool]:
        """Everything that waits, at most BATCH; an empty list after a while of silence."""
        try:
            entry = self._queue.get(timeout=RETRY_SECONDS)
        except queue.Empty:
            return [], True
        batch: list[_Entry] = []
        while entry is not None:
            batch.append(entry)
            if len(batch) >= BATCH or self._queue.empty():
                return batch, True
            entry = self._queue.get_nowait()
        return batch, False

    def _write(self, keeper: Bookkeeper, batch: Sequence[_Entry]) -> None:
        entries = [*self._kept, *batch]
        try:
            refused = self._commit(keeper, entries)
        except (OperationalError, InterfaceError, OSError) as error:
            self._fail(entries, error)
            return
        except _ROW_FAULTS:
            self._write_singly(keeper, entries)
            return
        self.fault = None
        self._kept = []
        self._resolve([(entry, refused.get(entry.act)) for entry in batch])

    def _fail(self, entries: Sequence[_Entry], error: Exception) -> None:
        """The database cannot be written at all: every opening is refused, every settlement kept."""
        connection.close()
        self._kept = [entry for entry in entries if entry.act.opening is None]
        self.fault = f"the ledger cannot be written: {error}"
        logger.error("The ledger cannot be written, %d settlements are kept: %s", len(self._kept), error)
        self._resolve([(entry, _unwritable(str(error))) for entry in entries])

    def _write_singly(self, keeper: Bookkeeper, entries: Sequence[_Entry]) -> None:
        """One row of the batch is at fault: write each by itself, so that it alone is lost, loudly."""
        self._kept = []
        for entry in entries:
            try:
                refused = self._commit(keeper, [entry])
            except (*_ROW_FAULTS, OSError) as error:
                logger.exception("A ledger row cannot be written: %s", entry.act.opening or entry.act.settlement)
                self._resolve([(entry, _unwritable(str(error)))])
            else:
                self._resolve([(entry, refused.get(entry.act))])

    def _commit(self, keeper: Bookkeeper, entries: Sequence[_Entry]) -> dict[Act, BudgetSpent]:
        refused = keeper.commit([entry.act for entry in entries])
        for opening in (entry.act.opening for entry in entries if entry.act not in refused):
            if opening is None:
                continue
            self._used_keys[opening.caller.key] = opening.opened_at
            if opening.seat is not None:
                self._used_seats[opening.seat] = opening.opened_at
        return refused

    def _resolve(self, results: list[tuple[_Entry, Exception | None]]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_tell, results)

    def _tend(self) -> None:
        """Now and then: heartbeat, rows of the dead, last use of keys, and settlements that are still owed."""
        now = time.monotonic()
        if now < self._next_beat:
            return
        self._next_beat = now + HEARTBEAT_SECONDS
        close_old_connections()
        try:
            if not self._registered:
                register(self.instance, self._version)
                self._registered = True
            beat(self.instance)
            count = mark_abandoned(self.instance)
            keys, self._used_keys = self._used_keys, {}
            seats, self._used_seats = self._used_seats, {}
            touch(ApiKey, keys)
            touch(Seat, seats)
            self.fault = None if not self._kept else self.fault
        except (DatabaseError, OSError) as error:
            self.fault = f"the ledger cannot be written: {error}"
            logger.error("The ledger cannot be written: %s", error)
            connection.close()
            return
        self.abandoned += count
        if count:
            logger.warning("%d ledger rows of processes that died were marked abandoned", count)

    def _sign_off(self) -> None:
        try:
            sign_off(self.instance)
        except (DatabaseError, OSError) as error:
            logger.error("The instance could not sign off: %s", error)


def _tell(results: list[tuple[_Entry, Exception | None]]) -> None:
    for entry, error in results:
        if entry.written.done():
            continue
        if error is None:
            entry.written.set_result(None)
        else:
            entry.written.set_exception(error)


def _unwritable(why: str) -> Shedding:
    return Shedding(
        "The gateway cannot record requests right now and so takes none (%(why)s). Try again shortly.",
        {"why": why[:200]},
        retry_after=5,
    )
