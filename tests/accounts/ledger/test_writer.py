"""The writing thread: committed before it answers, few transactions, and what happens when the disk is full."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from accounts.directory import Caller
from accounts.ledger import Outcome
from accounts.ledger.instances import HEARTBEAT_SECONDS
from accounts.ledger.writer import RETRY_SECONDS
from accounts.models import ApiKey, Instance, UsageRecord
from bridge.errors import Shedding
from bridge.tally import Tally
from tests.accounts.ledger.desk import Desk, a_desk, a_known_caller, a_settlement, an_opening, the_row
from tests.accounts.ledger.disk import Disk
from tests.accounts.rows import a_record
from tests.accounts.snapshots import NOW

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def caller(transactional_db: None) -> Caller:
    return a_known_caller()


@pytest.fixture
def desk(transactional_db: None) -> Iterator[Desk]:
    with a_desk() as desk:
        yield desk


def until(holds: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_an_opening_is_committed_before_the_call_returns(desk: Desk, caller: Caller) -> None:
    opening = an_opening(caller)
    desk.open(opening)
    assert the_row(opening).status == "open"


def test_a_settlement_is_committed_before_the_call_returns(desk: Desk, caller: Caller) -> None:
    opening = an_opening(caller)
    desk.open(opening)
    desk.settle(a_settlement(opening))
    row = the_row(opening)
    assert (row.status, row.input_tokens, row.output_tokens, row.http_status) == ("settled", 7, 3, 200)


def test_a_request_that_never_went_upstream_is_one_act(desk: Desk, caller: Caller) -> None:
    opening = an_opening(caller)
    desk.run(desk.writer.record(opening, a_settlement(opening, outcome=Outcome.REFUSED, http_status=404)))
    row = the_row(opening)
    assert (row.status, row.http_status, row.instance) == ("refused", 404, desk.writer.instance)


def test_a_late_settlement_replaces_the_mark_of_abandonment_and_nothing_replaces_a_settlement(
    desk: Desk, caller: Caller
) -> None:
    opening = an_opening(caller)
    desk.open(opening)
    UsageRecord.objects.as_ledger().update(status="abandoned")
    desk.settle(a_settlement(opening))
    desk.settle(a_settlement(opening, outcome=Outcome.CANCELLED, tally=Tally(output=1)))
    assert (the_row(opening).status, the_row(opening).output_tokens) == ("settled", 3)


# --- many at once -----------------------------------------------------------------------------------------


@contextmanager
def statements_of_new_connections() -> Iterator[list[str]]:
    """Every statement of every connection that is opened meanwhile, in any thread."""
    seen: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, params, many, context)

    def listen(connection: BaseDatabaseWrapper, **_context: object) -> None:
        connection.execute_wrappers.append(note)

    connection_created.connect(listen)
    try:
        yield seen
    finally:
        connection_created.disconnect(listen)


def test_five_hundred_requests_at_once_share_few_transactions(caller: Caller) -> None:
    openings = [an_opening(caller) for _ in range(500)]

    async def all_at_once(desk: Desk) -> None:
        await asyncio.gather(*(desk.writer.open(opening) for opening in openings))
        await asyncio.gather(*(desk.writer.settle(a_settlement(opening)) for opening in openings))

    with statements_of_new_connections() as seen, a_desk() as desk:
        desk.run(all_at_once(desk))
    table = UsageRecord._meta.db_table
    assert UsageRecord.objects.filter(status="settled").count() == 500
    assert 1 <= sum(sql.startswith(f'INSERT INTO "{table}"') for sql in seen) <= 25
    assert 1 <= sum(sql.startswith(f'UPDATE "{table}" SET "settled_at" = ') for sql in seen) <= 25


def test_what_waits_at_the_end_is_still_written(caller: Caller) -> None:
    openings = [an_opening(caller) for _ in range(50)]

    async def leave_in_a_hurry(desk: Desk) -> None:
        for opening in openings:
            asyncio.get_running_loop().create_task(desk.writer.open(opening))
        await asyncio.sleep(0)

    with a_desk() as desk:
        desk.run(leave_in_a_hurry(desk))
    assert UsageRecord.objects.count() == 50


# --- a row at fault ---------------------------------------------------------------------------------------


def test_one_bad_row_does_not_take_the_others_along(
    desk: Desk, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    good = [an_opening(caller) for _ in range(20)]
    twice = an_opening(caller)
    desk.open(twice)

    async def all_at_once() -> list[BaseException | None]:
        return await asyncio.gather(
            *(desk.writer.open(opening) for opening in [*good[:10], twice, *good[10:]]), return_exceptions=True
        )

    results = desk.run(all_at_once())
    assert [number for number, result in enumerate(results) if result is not None] == [10]
    assert isinstance(results[10], Shedding)
    assert UsageRecord.objects.count() == 21
    assert "A ledger row cannot be written" in caplog.text


@pytest.mark.parametrize("fault", [{"total_ms": 2**70}, {"settled_at": 1e30}], ids=["overflow", "no such year"])
def test_a_number_no_column_can_hold_does_not_end_the_writing(
    desk: Desk, caller: Caller, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    opening, other = an_opening(caller), an_opening(caller)
    desk.open(opening)
    desk.settle(a_settlement(opening, **fault))
    desk.open(other)
    assert the_row(other).status == "open"
    assert "A ledger row cannot be written" in caplog.text


def test_a_member_that_does_not_exist_costs_only_its_own_row(desk: Desk, caller: Caller) -> None:
    with pytest.raises(Shedding):
        desk.open(an_opening(a_known_caller(), seat=10**9))
    desk.open(an_opening(caller))
    assert UsageRecord.objects.count() == 1


# --- no room ----------------------------------------------------------------------------------------------

NOVEL = "x" * 2000


@pytest.fixture
def disk(transactional_db: None) -> Iterator[Disk]:
    if connection.vendor != "sqlite":
        pytest.skip("the size of the file can be limited on SQLite")
    disk = Disk()
    connection_created.connect(disk.watch)
    yield disk
    connection_created.disconnect(disk.watch)


def fill_up(desk: Desk, caller: Caller) -> Shedding:
    """Open requests until the file's last free page is taken: large ones, then small ones in what is left."""
    told: dict[str, str] = {"client": NOVEL, "route": NOVEL, "session": NOVEL}
    for _ in range(500):
        try:
            desk.open(an_opening(caller, **told))
        except Shedding as error:
            if not told:
                return error
            told = {}
    raise AssertionError("the disk never filled up")


def test_when_the_disk_is_full_no_request_is_taken(disk: Disk, desk: Desk, caller: Caller) -> None:
    desk.open(an_opening(caller))
    disk.fill()
    error = fill_up(desk, caller)
    assert (error.status, error.retry_after) == (503, 5)
    assert "full" in str(error)
    assert "full" in str(desk.writer.fault)
    before = UsageRecord.objects.count()
    with pytest.raises(Shedding):
        desk.open(an_opening(caller, client=NOVEL, route=NOVEL, session=NOVEL))
    assert UsageRecord.objects.count() == before


def test_a_settlement_is_kept_until_there_is_room_again(disk: Disk, desk: Desk, caller: Caller) -> None:
    opening = an_opening(caller)
    desk.open(opening)
    disk.fill()
    fill_up(desk, caller)
    desk.settle(a_settlement(opening, error_code=NOVEL, stop_reason=NOVEL, dropped=NOVEL, upstream_id=NOVEL))
    assert the_row(opening).status == "open"
    assert desk.writer.backlog == 1
    disk.clear()
    assert until(lambda: the_row(opening).status == "settled", RETRY_SECONDS * 4)
    assert until(lambda: desk.writer.backlog == 0)
    assert until(lambda: desk.writer.fault is None)
    desk.open(an_opening(caller))


# --- heartbeat, the dead, last use ------------------------------------------------------------------------


def test_the_writer_signs_on_and_off(caller: Caller) -> None:
    with a_desk() as desk:
        desk.open(an_opening(caller))
        row = Instance.objects.get(pk=desk.writer.instance)
        assert (row.version, row.stopped_at) == ("1.0", None)
    row.refresh_from_db()
    assert row.stopped_at is not None


def test_its_heart_beats_without_anything_to_write(desk: Desk) -> None:
    instance = Instance.objects.filter(pk=desk.writer.instance)
    assert until(instance.exists)
    first = instance.get().heartbeat_at
    assert until(lambda: instance.get().heartbeat_at > first, HEARTBEAT_SECONDS + 3 * RETRY_SECONDS)


def test_rows_of_the_dead_are_marked_at_the_start_and_counted(caller: Caller) -> None:
    dead = Instance.objects.create(id=UUID(int=1), host="elsewhere", pid=1, stopped_at=Instance().started_at)
    a_record(7, status="open")
    with a_desk() as desk:
        desk.open(an_opening(caller))
        assert until(lambda: desk.writer.abandoned == 1)
    assert the_row(UUID(int=7)).status == "abandoned"
    assert dead.pk == UUID(int=1)


def test_the_last_use_of_a_key_is_noted_in_time(desk: Desk, caller: Caller) -> None:
    desk.open(an_opening(caller))
    key = ApiKey.objects.filter(pk=caller.key, last_used_at__isnull=False)
    assert until(key.exists, HEARTBEAT_SECONDS + 3 * RETRY_SECONDS)
    assert key.get().last_used_at == datetime.fromtimestamp(NOW, UTC)


def test_a_writer_that_stopped_takes_nothing_and_lets_nobody_wait(caller: Caller) -> None:
    opening = an_opening(caller)
    with a_desk() as desk:
        desk.open(opening)
    assert (desk.writer.backlog, desk.writer.fault) == (0, None)
    with pytest.raises(Shedding):
        asyncio.run(desk.writer.open(an_opening(caller)))
    asyncio.run(desk.writer.settle(a_settlement(opening)))
    assert the_row(opening).status == "open"
