"""What one conversation cost: a tree of turns. A person's request opens a turn, the tool rounds after it lie beneath.

Requests before the first turn of a person (a client that warms up) lie under a turn without a head.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING

from accounts.models import UsageRecord, UsageSession
from accounts.models.usage_record import NANO_PER_CREDIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from accounts.reports.viewer import Viewer

SHOWN = 2000
_COLUMNS = (
    "id", "opened_at", "initiator", "status", "error_code", "requested_model", "served_model", "input_tokens",
    "cached_tokens", "cache_write_tokens", "output_tokens", "nano_reported", "nano_computed", "cost_source", "total_ms",
)  # fmt: skip
_PERSON = "user"


@dataclass(frozen=True, slots=True)
class Call:
    """One request; `running_nano` is what the conversation had cost when it had ended, in the order of opening."""

    record: UsageRecord
    running_nano: int

    @property
    def running_credits(self) -> Decimal:
        return Decimal(self.running_nano) / NANO_PER_CREDIT

    @property
    def all_input(self) -> int:
        row = self.record
        return row.input_tokens + row.cached_tokens + row.cache_write_tokens


@dataclass(frozen=True, slots=True)
class Turn:
    head: Call | None
    rounds: tuple[Call, ...]

    @property
    def calls(self) -> tuple[Call, ...]:
        return self.rounds if self.head is None else (self.head, *self.rounds)

    @property
    def opened_at(self) -> datetime:
        return self.calls[0].record.opened_at

    @property
    def nano(self) -> int:
        return sum(call.record.nano or 0 for call in self.calls)

    @property
    def credits(self) -> Decimal:
        return Decimal(self.nano) / NANO_PER_CREDIT

    @property
    def all_input(self) -> int:
        return sum(call.all_input for call in self.calls)

    @property
    def output_tokens(self) -> int:
        return sum(call.record.output_tokens for call in self.calls)

    @property
    def total_ms(self) -> int:
        return sum(call.record.total_ms or 0 for call in self.calls)


@dataclass(frozen=True, slots=True)
class Conversation:
    """`is_cut`: only the first `SHOWN` requests are in the tree. Pruned ones are in `sums` alone."""

    sums: UsageSession
    turns: tuple[Turn, ...]
    is_cut: bool

    @property
    def credits(self) -> Decimal:
        return Decimal(self.sums.nano) / NANO_PER_CREDIT

    @property
    def shown(self) -> int:
        return sum(len(turn.calls) for turn in self.turns)

    @property
    def missing(self) -> int:
        """Requests that were counted and are not in the tree: cut off, or pruned."""
        return max(0, self.sums.opened - self.shown)


def find_conversation(viewer: Viewer, number: int) -> Conversation | None:
    """Return the conversation with this id of the roll-up, if the viewer may see it."""
    rows = UsageSession.objects.select_related("member", "key", "team")
    sums = viewer.of_rows(rows).filter(pk=number).first()
    return None if sums is None else _read(sums)


def conversation_of(record: UsageRecord) -> int | None:
    """Return the id of the conversation that a request belongs to, if it belongs to one."""
    if not record.session or record.key_id is None:
        return None
    slot = f"{record.key_id}|{record.session}"
    return UsageSession.objects.filter(slot=slot).values_list("pk", flat=True).first()


def session_rows(key: int, session: str) -> Sequence[UsageRecord]:
    """Return the requests of one conversation, oldest first, one more than are shown at most."""
    # The second condition is that of the index.
    rows = UsageRecord.objects.filter(session=session, key=key).exclude(session="")
    return list(rows.order_by("id").only(*_COLUMNS)[: SHOWN + 1])


def _read(sums: UsageSession) -> Conversation:
    rows = session_rows(sums.key_id, sums.session) if sums.key_id is not None else []
    return Conversation(sums, tuple(turns_of(rows[:SHOWN])), is_cut=len(rows) > SHOWN)


def turns_of(rows: Sequence[UsageRecord]) -> Iterator[Turn]:
    """Yield the turns of requests in the order of their opening."""
    head: Call | None = None
    rounds: list[Call] = []
    for call in map(Call, rows, accumulate(row.nano or 0 for row in rows)):
        if call.record.initiator != _PERSON:
            rounds.append(call)
            continue
        if head is not None or rounds:
            yield Turn(head, tuple(rounds))
        head, rounds = call, []
    if head is not None or rounds:
        yield Turn(head, tuple(rounds))
