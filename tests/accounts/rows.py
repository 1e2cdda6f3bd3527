"""Rows that tests begin with."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

from accounts.models import Member, Seat, UsageRecord

_NUMBERS = count(1)


def a_member(username: str = "", **fields: Any) -> Member:
    return Member.objects.create_user(username or f"member{next(_NUMBERS)}", **fields)


def a_seat(owner: Member | None = None, **fields: Any) -> Seat:
    number = next(_NUMBERS)
    fields = {"login": f"octo{number}", "github_id": number, "github_token": f"ghu_{number}"} | fields
    return Seat.objects.create(owner=owner or a_member(), **fields)


def a_record(number: int, **fields: Any) -> UsageRecord:
    opened_at = fields.pop("opened_at", datetime(2026, 11, 1, 12, tzinfo=UTC))
    fields = {"status": "settled", "door": "chat", "day": opened_at.date()} | fields
    return UsageRecord.objects.create(id=UUID(int=number), instance=UUID(int=1), opened_at=opened_at, **fields)
