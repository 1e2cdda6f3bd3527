"""A ledger row's life in a request: opened once, settled once, whatever cuts it short."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from accounts.ledger import AttemptLine
from accounts.models import UsageRecord
from accounts.routing import Choice
from bridge.copilot.catalogue import Endpoint
from bridge.copilot.initiator import Initiator
from bridge.copilot.model import read_model
from bridge.errors import BadKey, BadRequest, Unavailable
from bridge.tally import Tally
from proxy.plan import Plan
from proxy.record import Errand, Record
from proxy.runtime import Running, Runtime
from tests.accounts.ledger.desk import a_known_caller
from tests.accounts.rows import a_seat
from tests.accounts.snapshots import an_entry

pytestmark = pytest.mark.django_db(transaction=True)

MODEL = {"id": "gpt-5-mini", "billing": {"multiplier": 0.33}}
ANSWERED = AttemptLine(None, "", "chat", 200, "", 0, 5)
TURNED_AWAY = AttemptLine(None, "", "chat", 500, "", 0, 5)


def carried(story: Callable[[Record, Plan], Coroutine[Any, Any, None]]) -> UsageRecord:
    """The row that `story` leaves behind, with the ledger's writer at work."""
    caller = a_known_caller()
    model = read_model(MODEL)
    assert model is not None
    seat = an_entry(a_seat().pk)
    plan = Plan(seat, model, Choice(model.id, "as requested"), Endpoint.CHAT, Initiator.USER, vision=False, session="s")

    async def run() -> Record:
        runtime = Runtime()
        runtime.ledger.start(asyncio.get_running_loop())
        errand = Errand(runtime.ids.request(), caller, "chat", time.time(), time.monotonic(), "tests", None)
        record = Record(runtime, errand)
        task = asyncio.current_task()
        assert task is not None
        runtime.running[errand.id] = Running(caller.key, task)
        try:
            await story(record, plan)
        finally:
            await asyncio.to_thread(runtime.ledger.stop)
        assert not runtime.running, "the request still counts as running"
        return record

    record = asyncio.run(run())
    return UsageRecord.objects.get(pk=record.errand.id)


def test_a_request_that_is_cancelled_while_its_row_opens_is_settled_all_the_same() -> None:
    async def story(record: Record, plan: Plan) -> None:
        opening = asyncio.create_task(record.open(plan))
        await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert await record.interrupt() is None

    row = carried(story)
    assert (row.status, row.error_code) == ("cancelled", "client_closed_request")


def test_only_the_first_settlement_counts() -> None:
    async def story(record: Record, plan: Plan) -> None:
        await record.open(plan)
        await record.succeed()
        await record.fail(Unavailable("too late"))
        await record.interrupt()

    row = carried(story)
    assert (row.status, row.http_status, row.error_code) == ("settled", 200, "")


def test_what_is_refused_before_it_opens_is_one_row_at_once() -> None:
    async def story(record: Record, _plan: Plan) -> None:
        record.describe("gpt-9", streamed=True)
        await record.fail(BadRequest("no"))

    row = carried(story)
    assert (row.status, row.http_status, row.requested_model, row.streamed) == ("refused", 400, "gpt-9", True)
    assert row.settled_at is not None
    assert row.attempts == 0


def test_a_revoked_keys_request_says_so() -> None:
    async def story(record: Record, plan: Plan) -> None:
        await record.open(plan)
        record._runtime.revoked.add(record.errand.id)
        assert isinstance(await record.interrupt(), BadKey)

    assert carried(story).error_code == "key_revoked"


def test_a_fault_of_the_gateway_settles_the_row_too() -> None:
    async def story(record: Record, plan: Plan) -> None:
        await record.open(plan)
        assert str(record.errand.id) in str(await record.break_down())

    row = carried(story)
    assert (row.status, row.http_status, row.error_code) == ("failed", 500, "internal_error")


@pytest.mark.parametrize(("attempt", "thousandths"), [(ANSWERED, 330), (TURNED_AWAY, 0)])
def test_premium_requests_are_counted_when_the_upstream_answered(attempt: AttemptLine, thousandths: int) -> None:
    async def story(record: Record, plan: Plan) -> None:
        await record.open(plan)
        record.attempts.append(attempt)
        await record.fail(Unavailable("broken"))

    assert carried(story).premium_thousandths == thousandths


def test_a_reported_price_is_the_price_and_a_header_says_it_exactly() -> None:
    async def story(record: Record, plan: Plan) -> None:
        await record.open(plan)
        record.tally = Tally(input=3, output=5, nano=1_234_567_890)
        assert record.cost == "1.234567890"
        await record.succeed()

    row = carried(story)
    assert (row.nano_reported, row.nano_computed, row.cost_source) == (1_234_567_890, None, "reported")
