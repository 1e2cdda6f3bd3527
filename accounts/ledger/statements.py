"""The ledger's SQL: plain tuples into prepared statements, on Django's own connection and in Django's own columns.

Making model instances costs milliseconds of the interpreter's time per batch, with every stream of the process
waiting; tuples and `executemany` do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from accounts.ledger.booked import Booked, day_of
from accounts.ledger.entries import Opening, Settlement
from accounts.models import UsageAttempt, UsageRecord, UsageStatus
from accounts.programs import program_of

_TEXT_LIMIT = 2000
# It stands in indexes, whose entries are limited in size.
SESSION_LIMIT = 120

_OPENING = (
    "id", "instance", "opened_at", "day", "status", "member_id", "key_id", "team_id", "seat_id", "member_name",
    "key_name", "team_name", "seat_name", "door", "client", "ip", "requested_model", "served_model", "route",
    "upstream_format", "streamed", "initiator", "session", "program", "reserved_nano",
)  # fmt: skip
# Every other column is written by the settlement or has its first value here.
_BLANK: dict[str, Any] = {
    "error_code": "", "stop_reason": "", "input_tokens": 0, "cached_tokens": 0, "cache_write_tokens": 0,
    "output_tokens": 0, "reasoning_tokens": 0, "cost_source": "", "attempts": 0, "dropped": "", "upstream_id": "",
    "note": "", "tag": "", "cost_centre": "",
}  # fmt: skip
_SETTLED = (
    "settled_at", "status", "http_status", "error_code", "stop_reason", "input_tokens", "cached_tokens",
    "cache_write_tokens", "output_tokens", "reasoning_tokens", "nano_reported", "nano_computed",
    "premium_thousandths", "cost_source",
    "first_byte_ms", "total_ms", "dropped", "upstream_id", "attempts", "upstream_format",
)  # fmt: skip
_ATTEMPT = (
    "record_id", "number", "seat_id", "seat_name", "upstream_format", "status", "error_code", "nano", "started_ms",
    "total_ms",
)  # fmt: skip

# How the books call what a row holds before it is settled; all else is empty until then.
_KNOWN = {
    "status": "status", "member": "member_id", "key": "key_id", "team": "team_id", "seat": "seat_id",
    "model": "served_model", "program": "program", "session": "session", "reserved": "reserved_nano",
}  # fmt: skip
# SQLite of old takes no more parameters than 999.
_IDS = 500


class Statements:
    """The statements for the database in use; `instance` is this process's id."""

    def __init__(self, instance: UUID) -> None:
        # Looked up once: the connection is the writing thread's own, and finding it costs more than using it.
        self._has_uuids = connection.features.has_native_uuid_field
        self._moment = connection.ops.adapt_datetimefield_value
        self._date = connection.ops.adapt_datefield_value
        self._instance = self._uuid(instance)
        self._zone = ZoneInfo(settings.TIME_ZONE)
        columns = (*_OPENING, *_BLANK)
        self._blank = tuple(_BLANK.values())
        record, attempt = UsageRecord._meta.db_table, UsageAttempt._meta.db_table
        self._insert = _insert_sql(record, columns)
        settable = ", ".join(f'"{column}" = {_value_of(column)}' for column in _SETTLED)
        # A late settlement replaces the mark of abandonment; nothing replaces a settlement.
        self._update = (
            f'UPDATE "{record}" SET {settable} WHERE "id" = %s'  # noqa: S608 - names of our own tables and columns
            f" AND \"status\" IN ('{UsageStatus.OPEN}', '{UsageStatus.ABANDONED}')"
        )
        self._insert_attempt = _insert_sql(attempt, _ATTEMPT)
        locking = ' ORDER BY "id" FOR UPDATE' if connection.features.has_select_for_update else ""
        known = ", ".join(f'"{column}"' for column in ("id", "day", *_KNOWN.values()))
        self._select = (
            f'SELECT {known} FROM "{record}" WHERE "id" IN ({{}})'  # noqa: S608 - names of our own table and columns
            f" AND \"status\" IN ('{UsageStatus.OPEN}', '{UsageStatus.ABANDONED}'){locking}"
        )

    def open_rows(self, openings: Sequence[Opening]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(self._insert, [self._opening(opening) for opening in openings])

    def booked(self, opening: Opening) -> Booked:
        """The row that `open_rows` makes of an opening, as the books count it."""
        caller = opening.caller
        return Booked(
            id=opening.id,
            status=UsageStatus.OPEN.value,
            day=datetime.fromtimestamp(opening.opened_at, self._zone).date(),
            member=caller.member,
            key=caller.key,
            team=caller.team,
            seat=opening.seat,
            model=opening.served_model,
            program=program_of(opening.client),
            session=_text(opening.session)[:SESSION_LIMIT],
            reserved=opening.reserved,
        )

    def waiting(self, ids: Sequence[UUID]) -> dict[UUID, Booked]:
        """Those of the rows that a settlement may still change, as they stand; locked until the transaction ends."""
        found: dict[UUID, Booked] = {}
        with connection.cursor() as cursor:
            for at in range(0, len(ids), _IDS):
                batch = ids[at : at + _IDS]
                marks = ", ".join(["%s"] * len(batch))
                cursor.execute(self._select.format(marks), [self._uuid(number) for number in batch])
                for number, day, *rest in cursor.fetchall():
                    row = Booked(UUID(str(number)), day=day_of(day), **dict(zip(_KNOWN, rest, strict=True)))
                    found[row.id] = row
        return found

    def settle_rows(self, settlements: Sequence[Settlement]) -> None:
        attempts = [line for settlement in settlements for line in self._attempts(settlement)]
        with connection.cursor() as cursor:
            cursor.executemany(self._update, [self._settlement(settlement) for settlement in settlements])
            if attempts:
                cursor.executemany(self._insert_attempt, attempts)

    def _opening(self, opening: Opening) -> tuple[Any, ...]:
        caller = opening.caller
        opened = datetime.fromtimestamp(opening.opened_at, UTC)
        row = (
            self._uuid(opening.id), self._instance, self._moment(opened),
            self._date(opened.astimezone(self._zone).date()), UsageStatus.OPEN.value,
            caller.member, caller.key, caller.team, opening.seat,
            caller.member_name, caller.key_name, caller.team_name, opening.seat_name, opening.door,
            _text(opening.client), opening.ip, _text(opening.requested_model), opening.served_model,
            _text(opening.route), opening.upstream_format, opening.streamed, opening.initiator,
            _text(opening.session)[:SESSION_LIMIT], program_of(opening.client), opening.reserved,
        )  # fmt: skip
        return row + self._blank

    def _settlement(self, settlement: Settlement) -> tuple[Any, ...]:
        tally = settlement.tally
        return (
            self._moment(datetime.fromtimestamp(settlement.settled_at, UTC)), settlement.outcome.value,
            settlement.http_status, _text(settlement.error_code), _text(settlement.stop_reason), tally.input,
            tally.cached, tally.cache_write, tally.output, tally.reasoning, tally.nano,
            settlement.nano_computed, settlement.premium_thousandths,
            settlement.cost_source, settlement.first_byte_ms, settlement.total_ms, _text(settlement.dropped),
            _text(settlement.upstream_id), settlement.tries, settlement.upstream_format, self._uuid(settlement.id),
        )  # fmt: skip

    def _attempts(self, settlement: Settlement) -> list[tuple[Any, ...]]:
        """One line per try, when there was more than one; what was reported was reported with the last."""
        if len(settlement.attempts) < 2:
            return []
        last = len(settlement.attempts)
        return [
            (
                self._uuid(settlement.id), number, line.seat, line.seat_name, line.upstream_format, line.status,
                _text(line.error_code), settlement.tally.nano if number == last else None, line.started_ms,
                line.total_ms,
            )
            for number, line in enumerate(settlement.attempts, start=1)
        ]  # fmt: skip

    def _uuid(self, value: UUID) -> Any:
        return value if self._has_uuids else value.hex


def settled(row: Booked, settlement: Settlement) -> Booked:
    """The row behind a settlement."""
    tally = settlement.tally
    return replace(
        row,
        status=settlement.outcome.value,
        nano_reported=tally.nano,
        nano_computed=settlement.nano_computed,
        input=tally.input,
        cached=tally.cached,
        cache_write=tally.cache_write,
        output=tally.output,
        reasoning=tally.reasoning,
        premium=settlement.premium_thousandths or 0,
        total_ms=settlement.total_ms or 0,
    )


def _insert_sql(table: str, columns: Sequence[str]) -> str:
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join(["%s"] * len(columns))
    return f'INSERT INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608 - names of our own tables and columns


def _value_of(column: str) -> str:
    """A settlement that names no upstream format leaves the one the row was opened with."""
    return "COALESCE(NULLIF(%s, ''), \"upstream_format\")" if column == "upstream_format" else "%s"


def _text(value: str) -> str:
    """Text from outside, fit for every database: no NUL, no lone surrogates, no novels."""
    return value[:_TEXT_LIMIT].replace("\x00", "").encode("utf-8", "replace").decode()
