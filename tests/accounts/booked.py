"""Ledger rows together with their roll-ups, moved by the ledger's own books as the gateway does it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from accounts.ledger.booked import Booked
from accounts.ledger.books import open_books
from accounts.models import UsageRecord, UsageStatus
from tests.accounts.rows import a_record


def booked(number: int, **fields: Any) -> UsageRecord:
    """Return a row that opened and, unless its status is open, ended."""
    record = a_record(number, **fields)
    after = Booked.of(record)
    begun = replace(after, status=UsageStatus.OPEN.value)
    with open_books() as books:
        books.prepare([begun])
        books.enter(begun)
        if not after.is_open:
            books.move(begun, after)
    return record
