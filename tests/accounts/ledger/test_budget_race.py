"""Two processes' writers at one budget: what one lets in the other counts, whenever the budget was made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

import pytest
from django.db.models import Sum

from accounts.database import in_thread
from accounts.directory import Caller
from accounts.ledger import BudgetSpent, LedgerWriter, Outcome, Settlement
from accounts.models import Budget, BudgetPeriod, Instance, UsageDay, UsageRecord
from bridge.tally import Tally
from tests.accounts.ledger.desk import a_known_caller, an_opening
from tests.accounts.snapshots import NOW

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def two_writers(runner: asyncio.Runner) -> Iterator[list[LedgerWriter]]:
    writers = [LedgerWriter(uuid4(), "1.0") for _ in range(2)]
    for writer in writers:
        writer.start(runner.get_loop())
    deadline = time.monotonic() + 10
    while Instance.objects.count() < len(writers) and time.monotonic() < deadline:
        time.sleep(0.01)
    # As processes of other machines: on this one, two instances of one process would be the dead and the living.
    assert Instance.objects.update(host="elsewhere") == len(writers)
    yield writers
    for writer in writers:
        writer.stop()


@pytest.fixture
def caller() -> Caller:
    return a_known_caller()


async def ask(writer: LedgerWriter, caller: Caller, reserved: int, cost: int) -> bool:
    """One request: whether the budget let it in."""
    opening = replace(an_opening(caller), reserved=reserved)
    try:
        await writer.open(opening)
    except BudgetSpent:
        return False
    await asyncio.sleep(0)
    await writer.settle(Settlement(opening.id, NOW + 1, Outcome.SETTLED, 200, tally=Tally(nano=cost)))
    return True


def test_what_one_process_lets_in_the_other_counts(caller: Caller) -> None:
    budget = Budget.objects.create(limit_nano=37 * 10)

    async def crowd(writers: list[LedgerWriter]) -> list[bool]:
        return await asyncio.gather(*(ask(writers[n % 2], caller, 10, 10) for n in range(200)))

    with asyncio.Runner() as runner, two_writers(runner) as writers:
        admitted = runner.run(crowd(writers))
    period = BudgetPeriod.objects.get(budget=budget)
    assert sum(admitted) == 37
    assert (period.settled_nano, period.reserved_nano) == (370, 0)
    assert UsageRecord.objects.count() == 37


def test_a_budget_made_while_both_are_at_work_misses_nothing_and_counts_nothing_twice(caller: Caller) -> None:
    async def crowd(writers: list[LedgerWriter]) -> None:
        waves = [asyncio.create_task(_wave(writers[n % 2], n)) for n in range(2)]
        for _ in range(5):
            await asyncio.sleep(0.02)
            await in_thread(Budget.objects.create)(limit_nano=10**12)
        await asyncio.gather(*waves)

    async def _wave(writer: LedgerWriter, shift: int) -> None:
        for number in range(60):
            await asyncio.gather(*(ask(writer, caller, 7, number + shift) for _ in range(3)))

    with asyncio.Runner() as runner, two_writers(runner) as writers:
        runner.run(crowd(writers))
    spent = UsageDay.objects.aggregate(Sum("nano"))["nano__sum"]
    assert spent == sum(row.nano or 0 for row in UsageRecord.objects.all())
    assert UsageRecord.objects.filter(status="settled").count() == 360
    periods = list(BudgetPeriod.objects.values_list("settled_nano", "reserved_nano"))
    assert periods
    assert set(periods) == {(spent, 0)}
