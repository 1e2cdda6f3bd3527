"""The story of one request, top to bottom.

    enter (may this key come in here) → read → admit (limits of key and team) → plan (route, seat, model, upstream
    format) → open the ledger row (which asks the budgets) → post upstream → carry the answer → settle the row

Whatever happens, the row is settled: before the last byte when the answer is whole, with what is known of it when
the caller goes away, the key is revoked or the upstream fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from bridge.asked import Asked
from bridge.crossing import FORMATS
from bridge.dialect import Dialect
from bridge.errors import BridgeError
from bridge.road import Heading
from proxy import stored
from proxy.composing import TextComposer
from proxy.exchange import BYTES_PER_TOKEN, Exchange, Keep
from proxy.plan import Plan, make_plan
from proxy.record import Errand, Record
from proxy.reserving import reservation
from proxy.runtime import Running, Runtime


@dataclass(frozen=True, slots=True)
class Query:
    """What came in at a door for text: its dialect, the body to be read, and what stood in the headers.

    `conversation` is the client's own id of the conversation or empty, `betas` the `anthropic-beta` values.
    """

    dialect: Dialect
    read_body: Callable[[], Awaitable[bytes]]
    conversation: str = ""
    betas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """The pieces of a streamed answer as they come, what makes the bytes that fill a silence, and how to let go of it.

    `abandon` is for a stream whose first piece nobody asked for.
    """

    pieces: AsyncGenerator[bytes]
    keepalive: Callable[[], bytes]
    abandon: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the caller: a whole body or a stream, from where, and the row that is kept of it."""

    record: Record
    plan: Plan
    content: bytes | Stream


async def relay(runtime: Runtime, errand: Errand, query: Query) -> Answer:
    """Carry one request for text.

    Raises a BridgeError for whatever ends the request before the head of its answer is sent.
    """
    record = Record(runtime, errand)
    async with settling(runtime, errand, record):
        errand.caller.check_door(errand.door, errand.address)
        body = await query.read_body()
        asked = FORMATS[query.dialect].open_request(body)
        record.describe(asked.model, streamed=asked.stream)
        runtime.runaway.check(errand.caller.key, body)
        asked = await stored.expand(runtime, errand.caller, asked)
        estimate = asked.size // BYTES_PER_TOKEN
        await runtime.admission.admit(errand.id, errand.caller, estimate)
        plan = await make_plan(runtime, errand.caller, asked, query.conversation)
        await record.open(plan, await _reserved(runtime, errand, asked, plan))
        composer = TextComposer(runtime, plan, asked, query.betas)
        heading = Heading(asked, errand.id.hex, int(errand.opened_at), estimate=estimate)
        exchange = Exchange(runtime, composer, heading, record, _keeping(runtime, errand, asked))
        if asked.stream:
            stream = Stream(await exchange.stream(), exchange.keepalive, exchange.abandon)
            return Answer(record, composer.plan, stream)
        whole = await exchange.whole()
        return Answer(record, composer.plan, whole)


@asynccontextmanager
async def settling(runtime: Runtime, errand: Errand, record: Record) -> AsyncGenerator[None]:
    """Whatever ends the work inside, the row says how; the request can be revoked meanwhile."""
    runtime.running[errand.id] = Running(errand.caller.key, _this_task())
    try:
        yield
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


async def _reserved(runtime: Runtime, errand: Errand, asked: Asked, plan: Plan) -> int:
    """What budgets hold back for the request, in nano-AIU; nobody counts where no hard budget is in force."""
    if not runtime.directory.snapshot.is_budgeted(errand.caller):
        return 0
    return await reservation(runtime, errand.caller, asked, plan, errand.opened_at)


def _keeping(runtime: Runtime, errand: Errand, asked: Asked) -> Keep | None:
    return partial(stored.keep, runtime, errand.caller, asked) if stored.wants_storing(asked) else None


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine that runs is run by a task
    return task
