"""The roll-ups of one transaction: differences gather in memory and go out as one upsert per day and conversation.

A row's part of a roll-up is a function of the row alone (`Booked.sums`). Whatever happens to a row, its old part is
taken out and its new one put in, so a roll-up is the sum of its rows after any sequence of acts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection

from accounts.ledger.booked import NOTHING, SUM_COLUMNS, Booked
from accounts.models import UsageDay, UsageSession

if TYPE_CHECKING:
    from collections.abc import Sequence

_MODEL_LIMIT = 200
_DAY_KEYS = ("slot", "day", "member_id", "key_id", "team_id", "seat_id", "model", "program")
_DAY_SUMS = ("opened", "pruned", *SUM_COLUMNS)
_SESSION_KEYS = ("slot", "session", "member_id", "key_id", "team_id", "program", "first_day", "last_day")
_SESSION_SUMS = ("opened", *SUM_COLUMNS[:-1])


class Rollups:
    def __init__(self) -> None:
        self._days: dict[str, _Line] = {}
        self._sessions: dict[str, _Line] = {}

    def move(self, before: Booked | None, after: Booked) -> None:
        """A row went from `before` (None: it is new) to `after`; what identifies it is the same in both."""
        old = NOTHING if before is None else before.sums()
        change = [new - was for new, was in zip(after.sums(), old, strict=True)]
        opened = int(before is None)
        self._day(after).add([opened, 0, *change])
        if after.session and after.key is not None:
            self._session(after).add([opened, *change[:-1]])

    def prune(self, row: Booked) -> None:
        """A row is deleted; what it used stays counted."""
        self._day(row).add([0, 1, *NOTHING])

    def flush(self) -> None:
        """Write what gathered, in one order for all processes so that none waits for another in a circle."""
        _upsert(_UPSERT_DAY, self._days)
        _upsert(_UPSERT_SESSION, self._sessions)
        self._days, self._sessions = {}, {}

    def _day(self, row: Booked) -> _Line:
        model = row.model[:_MODEL_LIMIT]
        slot = f"{row.day}|{row.member or ''}|{row.key or ''}|{row.team or ''}|{row.seat or ''}|{row.program}|{model}"
        line = self._days.get(slot)
        if line is None:
            day = connection.ops.adapt_datefield_value(row.day)
            keys = (slot, day, row.member, row.key, row.team, row.seat, model, row.program)
            line = self._days[slot] = _Line(keys, len(_DAY_SUMS))
        return line

    def _session(self, row: Booked) -> _Line:
        slot = f"{row.key}|{row.session}"
        line = self._sessions.get(slot)
        if line is None:
            day = connection.ops.adapt_datefield_value(row.day)
            keys = (slot, row.session, row.member, row.key, row.team, row.program, day, day)
            line = self._sessions[slot] = _Line(keys, len(_SESSION_SUMS))
        return line


class _Line:
    """One row of a roll-up: what it is for and what is to be added to its sums."""

    __slots__ = ("keys", "sums")

    def __init__(self, keys: tuple[Any, ...], width: int) -> None:
        self.keys = keys
        self.sums = [0] * width

    def add(self, change: Sequence[int]) -> None:
        self.sums = [one + other for one, other in zip(self.sums, change, strict=True)]


def _upsert(sql: str, lines: dict[str, _Line]) -> None:
    rows = [(*line.keys, *line.sums) for _slot, line in sorted(lines.items()) if any(line.sums)]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.executemany(sql, rows)


def _upsert_sql(table: str, keys: tuple[str, ...], sums: tuple[str, ...]) -> str:
    columns = ", ".join(f'"{name}"' for name in (*keys, *sums))
    marks = ", ".join(["%s"] * (len(keys) + len(sums)))
    changes = [f'"{name}" = "{table}"."{name}" + excluded."{name}"' for name in sums]
    if "last_day" in keys:
        changes.append(_extreme(table, "last_day", ">"))
        changes.append(_extreme(table, "first_day", "<"))
    return (
        f'INSERT INTO "{table}" ({columns}) VALUES ({marks})'  # noqa: S608 - names of our own tables and columns
        f' ON CONFLICT ("slot") DO UPDATE SET {", ".join(changes)}'
    )


def _extreme(table: str, column: str, sign: str) -> str:
    old, new = f'"{table}"."{column}"', f'excluded."{column}"'
    return f'"{column}" = CASE WHEN {new} {sign} {old} THEN {new} ELSE {old} END'


_UPSERT_DAY = _upsert_sql(UsageDay._meta.db_table, _DAY_KEYS, _DAY_SUMS)
_UPSERT_SESSION = _upsert_sql(UsageSession._meta.db_table, _SESSION_KEYS, _SESSION_SUMS)
