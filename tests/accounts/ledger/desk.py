"""A ledger writer at work and the entries it gets, for tests that are not asynchronous themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID, uuid4

from accounts.directory import Caller
from accounts.ledger import LedgerWriter, Opening, Outcome, Settlement
from accounts.models import ApiKey, Member, UsageRecord
from bridge.tally import Tally
from tests.accounts.rows import a_member
from tests.accounts.snapshots import NOW, a_caller

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Desk:
    """The writer and the event loop its callers run on."""

    writer: LedgerWriter
    runner: asyncio.Runner

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    def open(self, opening: Opening) -> None:
        self.run(self.writer.open(opening))

    def settle(self, settlement: Settlement) -> None:
        self.run(self.writer.settle(settlement))


@contextmanager
def a_desk() -> Iterator[Desk]:
    with asyncio.Runner() as runner:
        writer = LedgerWriter(uuid4(), "1.0")
        writer.start(runner.get_loop())
        yield Desk(writer, runner)
        writer.stop()


def a_known_caller() -> Caller:
    """A caller whose key and member have rows."""
    key, _ = ApiKey.objects.issue(a_member("mo" if not Member.objects.filter(username="mo") else ""), "laptop")
    return a_caller(key=key.pk, member=key.member.pk, team=None, team_name="")


def an_opening(caller: Caller, **fields: Any) -> Opening:
    return replace(Opening(id=uuid4(), opened_at=NOW, caller=caller, door="chat"), **fields)


def a_settlement(opening: UUID | Opening, **fields: Any) -> Settlement:
    row = opening.id if isinstance(opening, Opening) else opening
    plain = Settlement(row, NOW + 2, Outcome.SETTLED, 200, tally=Tally(input=7, output=3), total_ms=2000)
    return replace(plain, **fields)


def the_row(opening: UUID | Opening) -> UsageRecord:
    return UsageRecord.objects.get(pk=opening.id if isinstance(opening, Opening) else opening)
