"""The story of one request, top to bottom.

    read → plan (route, seat, model) → open the ledger row → post upstream → carry the answer → settle the row

Whatever happens, the row is settled: before the last byte when the answer is whole, with what is known of it when
the caller goes away, the key is revoked or the upstream fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bridge.errors import BridgeError
from bridge.formats.chat import read_request
from proxy.exchange import Exchange
from proxy.plan import Plan, make_plan
from proxy.record import Errand, Record
from proxy.runtime import Running, Runtime


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the caller: a whole body, or the pieces of a stream as they come."""

    record: Record
    plan: Plan
    body: bytes | None = None
    pieces: AsyncGenerator[bytes] | None = None


async def relay(
    runtime: Runtime, errand: Errand, read_body: Callable[[], Awaitable[bytes]], conversation: str
) -> Answer:
    """Carry one Chat Completions request; `conversation` is the client's own id of it, or empty.

    Raises a BridgeError for whatever ends the request before the head of its answer is sent.
    """
    record = Record(runtime, errand)
    runtime.running[errand.id] = Running(errand.caller.key, _this_task())
    try:
        body = await read_body()
        request = read_request(body)
        record.describe(request.model, streamed=request.stream)
        runtime.runaway.check(errand.caller.key, body)
        plan = await make_plan(runtime, errand.caller, request, conversation)
        await record.open(plan)
        exchange = Exchange(runtime, plan, request, record)
        if request.stream:
            return Answer(record, plan, pieces=await exchange.stream())
        return Answer(record, plan, body=await exchange.whole())
    except BridgeError as error:
        await record.fail(error)
        raise
    except asyncio.CancelledError:
        revoked = await asyncio.shield(record.interrupt())
        if revoked is None:
            raise
        raise revoked from None
    except Exception:  # told and logged at the door; here the row is settled
        await record.break_down()
        raise


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine that runs is run by a task
    return task
