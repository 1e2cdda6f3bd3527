"""Openings, ends and budgets for tests that hand acts to a bookkeeper."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from accounts.directory import Caller
from accounts.ledger import Opening, Outcome, Settlement
from accounts.models import ApiKey, Budget, Team
from bridge.tally import Tally
from tests.accounts.rows import a_member
from tests.accounts.snapshots import a_caller

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()  # a Monday and the last day of its month
ENDS = (Outcome.SETTLED, Outcome.FAILED, Outcome.CANCELLED, Outcome.REFUSED)


def callers() -> list[Caller]:
    """Two members of one team, the first with two keys."""
    team = Team.objects.create(name=f"team {uuid4()}")
    made = []
    for keys in (2, 1):
        member = a_member("", team=team)
        for _ in range(keys):
            key, _text = ApiKey.objects.issue(member, "k")
            made.append(a_caller(key=key.pk, member=member.pk, team=team.pk))
    return made


def an_opening(caller: Caller, day: int = 0, **fields: Any) -> Opening:
    at = NOON + day * 86_400
    return replace(Opening(id=uuid4(), opened_at=at, caller=caller, door="chat", served_model="m"), **fields)


def an_end(row: UUID, outcome: Outcome = Outcome.SETTLED, nano: int | None = 5, **fields: Any) -> Settlement:
    tally = Tally(input=7, cached=5, output=3, nano=nano)
    return replace(Settlement(row, NOON + 9, outcome, 200, tally=tally, nano_computed=6, total_ms=9), **fields)


def a_budget(limit: int, **fields: Any) -> Budget:
    scope = {"team_id": "team", "member_id": "member", "key_id": "key"}
    named = next((word for column, word in scope.items() if column in fields), "installation")
    return Budget.objects.create(limit_nano=limit, scope=named, **fields)
