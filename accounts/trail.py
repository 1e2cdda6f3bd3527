"""The trail's public side: who acts, what is appended, and whether the chain is whole.

Changes of watched rows append by themselves (`accounts/models/watched.py`). What is not a row, such as a command that
prunes the ledger, calls `append`. Verifying walks the chain in batches, from the first entry to the head:

    each number follows the one before · each entry names the hash of the one before · each hash fits its content ·
    the head names the last entry

Entries that are appended while it walks are walked, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from accounts.actor import acting, current_actor
from accounts.models.trail_entry import TrailEntry, TrailHead, tell
from accounts.trail_hash import GENESIS, Content

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.db.models import Model

__all__ = ["Flaw", "Verdict", "acting", "append", "current_actor", "verify"]

BATCH = 1000
_COLUMNS = (
    "number", "at", "actor_id", "actor_name", "action", "subject_type", "subject_id", "subject_name", "detail",
    "reason", "previous_hash",
)  # fmt: skip


def append(
    action: str, subject: Model | None = None, changes: Mapping[str, Any] | None = None, reason: str = ""
) -> TrailEntry:
    """Append one act to the trail, in the caller's transaction; `changes` is JSON by column and holds no secret."""
    return tell(action, subject, changes, reason)


class Flaw(StrEnum):
    """What can be wrong with a chain, in words."""

    MISSING = "the entry is missing"
    PREVIOUS = "it does not name the hash of the entry before"
    CONTENT = "its hash does not fit its content"
    CUT = "the head names this entry, but it is missing: the end was cut off"
    HEAD = "the head does not name this last entry"
    NO_HEAD = "the head is missing"
    UNKNOWN_HASH = "the expected hash is in no entry"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many entries are whole, the hash of the last of them, and the first flaw with the number it concerns."""

    entries: int
    head: str
    flaw: Flaw | None = None
    number: int = 0

    @property
    def is_intact(self) -> bool:
        return self.flaw is None

    @property
    def sentence(self) -> str:
        if self.flaw is None:
            return f"{self.entries} entries, the chain is intact; the head is {self.head}."
        if self.flaw in {Flaw.NO_HEAD, Flaw.UNKNOWN_HASH}:
            return f"{self.entries} entries are whole, but {self.flaw}."
        return f"Entry {self.number}: {self.flaw}."


def verify(expected: str = "") -> Verdict:
    """Walk the whole chain; `expected` is a hash kept elsewhere that one of its entries must have."""
    number, last, was_seen = 0, GENESIS, not expected or expected == GENESIS
    while True:
        for content, stored in _entries_after(number):
            flaw = _flaw(content, stored, number, last)
            if flaw is not None:
                return Verdict(number, last, flaw, number + 1)
            number, last = content.number, stored
            was_seen = was_seen or stored == expected
        head = TrailHead.objects.first()
        is_longer = head is not None and head.number > number
        if not (is_longer and TrailEntry.objects.filter(number__gt=number).exists()):
            break
    flaw, at = _flaw_of_head(head, number, last)
    if flaw is None and not was_seen:
        flaw, at = Flaw.UNKNOWN_HASH, number
    return Verdict(number, last, flaw, at)


def _entries_after(number: int) -> Iterator[tuple[Content, str]]:
    """Yield entries with their stored hashes, in order, a batch in memory at a time."""
    while True:
        rows = TrailEntry.objects.filter(number__gt=number).order_by("number")
        batch = list(rows.values_list(*_COLUMNS, "hash")[:BATCH])
        yield from ((Content(*row[:-1]), row[-1]) for row in batch)
        if len(batch) < BATCH:
            return
        number = batch[-1][0]


def _flaw(content: Content, stored: str, number: int, last: str) -> Flaw | None:
    if content.number != number + 1:
        return Flaw.MISSING
    if content.previous_hash != last:
        return Flaw.PREVIOUS
    return None if content.hash == stored else Flaw.CONTENT


def _flaw_of_head(head: TrailHead | None, number: int, last: str) -> tuple[Flaw | None, int]:
    if head is None:
        return (Flaw.NO_HEAD, number) if number else (None, 0)
    if head.number > number:
        return Flaw.CUT, head.number
    return (None, 0) if (head.number, head.hash) == (number, last) else (Flaw.HEAD, number)
