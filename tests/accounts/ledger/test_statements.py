"""The ledger's SQL: every column arrives as Django reads it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from accounts.ledger import AttemptLine, Outcome, Settlement
from accounts.ledger.statements import SESSION_LIMIT, Statements
from accounts.models import Team, UsageAttempt, UsageRecord
from bridge.tally import Tally
from tests.accounts.ledger.desk import a_known_caller, a_settlement, an_opening, the_row
from tests.accounts.rows import a_record, a_seat
from tests.accounts.snapshots import NOW, a_caller

pytestmark = pytest.mark.django_db


def columns(record: UsageRecord, *names: str) -> tuple[object, ...]:
    return tuple(getattr(record, name) for name in names)


def test_an_opening_arrives_whole() -> None:
    seat, team, instance = a_seat(), Team.objects.create(name="core"), uuid4()
    caller = a_caller(**{name: getattr(a_known_caller(), name) for name in ("key", "member")}, team=team.pk)
    opening = an_opening(
        caller, opened_at=NOW + 0.123456, client="claude-cli/2.0", ip="2001:db8::1", requested_model="fast",
        served_model="gpt-4.1", route="fast -> gpt-4.1", upstream_format="chat", seat=seat.pk, seat_name="octo",
        streamed=True, initiator="user", session="abc",
    )  # fmt: skip
    Statements(instance).open_rows([opening])
    row = the_row(opening)
    assert row.opened_at == datetime(2027, 1, 15, 8, 0, 0, 123456, tzinfo=UTC)
    assert columns(row, "instance", "day", "status", "door") == (instance, date(2027, 1, 15), "open", "chat")
    assert columns(row, "member_id", "key_id", "team_id", "seat_id") == (
        caller.member, caller.key, team.pk, seat.pk,
    )  # fmt: skip
    assert columns(row, "member_name", "key_name", "team_name", "seat_name") == ("mo", "laptop", "core", "octo")
    assert columns(row, "client", "ip", "requested_model", "served_model", "route") == (
        "claude-cli/2.0", "2001:db8::1", "fast", "gpt-4.1", "fast -> gpt-4.1",
    )  # fmt: skip
    assert columns(row, "upstream_format", "streamed", "initiator", "session") == ("chat", True, "user", "abc")
    assert columns(row, "settled_at", "http_status", "nano_reported", "total_ms", "note") == (
        None,
        None,
        None,
        None,
        "",
    )
    row.full_clean(exclude=["team", "seat"])


def test_a_settlement_arrives_whole() -> None:
    opening = an_opening(a_known_caller())
    statements = Statements(uuid4())
    statements.open_rows([opening])
    settlement = Settlement(
        opening.id, NOW + 2.5, Outcome.FAILED, 502, error_code="upstream_error", stop_reason="length",
        tally=Tally(1, 2, 3, 4, 5, nano=2**62), cost_source="reported", nano_computed=8, premium_thousandths=330,
        first_byte_ms=40, total_ms=2500, dropped="store, user", upstream_id="FF66:27", tries=1,
    )  # fmt: skip
    statements.settle_rows([settlement])
    row = the_row(opening)
    assert row.settled_at == datetime(2027, 1, 15, 8, 0, 2, 500000, tzinfo=UTC)
    assert columns(row, "status", "http_status", "error_code", "stop_reason") == (
        "failed",
        502,
        "upstream_error",
        "length",
    )
    assert columns(
        row, "input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "nano_reported"
    ) == (1, 2, 3, 4, 5, 2**62)
    assert columns(row, "cost_source", "nano_computed", "premium_thousandths") == ("reported", 8, 330)
    assert columns(row, "first_byte_ms", "total_ms", "dropped", "upstream_id", "attempts") == (
        40, 2500, "store, user", "FF66:27", 1,
    )  # fmt: skip
    row.full_clean(exclude=["team", "seat"])
    assert not UsageAttempt.objects.exists()


def test_every_outcome_is_a_status_of_the_table() -> None:
    opening = an_opening(a_known_caller())
    for outcome in Outcome:
        statements = Statements(uuid4())
        UsageRecord.objects.as_ledger().delete()
        statements.open_rows([opening])
        statements.settle_rows([a_settlement(opening, outcome=outcome)])
        assert the_row(opening).status == outcome.value
        the_row(opening).full_clean(exclude=["team", "seat"])


def test_several_tries_are_told_one_by_one_and_a_single_one_is_not() -> None:
    seat, opening, single = a_seat(), an_opening(caller := a_known_caller()), an_opening(caller)
    statements = Statements(uuid4())
    statements.open_rows([opening, single])
    lines = (
        AttemptLine(seat.pk, "octo", "chat", 500, "upstream_error", 0, 120),
        AttemptLine(None, "", "responses", None, "", 130, 900),
    )
    statements.settle_rows(
        [
            a_settlement(opening, attempts=lines, tries=2, tally=Tally(output=1, nano=7)),
            a_settlement(single, attempts=lines[:1], tries=1),
        ]
    )
    rows = UsageAttempt.objects.values_list(
        "record", "number", "seat", "seat_name", "upstream_format", "status", "error_code", "nano", "started_ms",
        "total_ms",
    )  # fmt: skip
    assert list(rows) == [
        (opening.id, 1, seat.pk, "octo", "chat", 500, "upstream_error", None, 0, 120),
        (opening.id, 2, None, "", "responses", None, "", 7, 130, 900),
    ]
    assert the_row(opening).attempts == 2


@pytest.mark.parametrize("status", ["open", "abandoned"])
def test_a_settlement_replaces_the_mark_of_abandonment(status: str) -> None:
    record = a_record(5, status=status)
    Statements(uuid4()).settle_rows([a_settlement(record.pk)])
    assert the_row(record.pk).status == "settled"


@pytest.mark.parametrize("status", ["settled", "refused", "failed", "cancelled"])
def test_nothing_replaces_a_settlement(status: str) -> None:
    record = a_record(5, status=status, output_tokens=99)
    Statements(uuid4()).settle_rows([a_settlement(record.pk, outcome=Outcome.CANCELLED, http_status=499)])
    assert columns(the_row(record.pk), "status", "output_tokens", "http_status") == (status, 99, None)


@pytest.mark.parametrize(
    ("text", "kept"), [("a\x00b", "ab"), ("\ud83d!", "?!"), ("x" * 5000, "x" * 2000), ("Grüße 🙂", "Grüße 🙂")]
)
def test_texts_from_outside_fit_every_database(text: str, kept: str) -> None:
    opening = an_opening(a_known_caller(), client=text, requested_model=text, route=text, session=text)
    statements = Statements(uuid4())
    statements.open_rows([opening])
    statements.settle_rows([a_settlement(opening, error_code=text, stop_reason=text, dropped=text, upstream_id=text)])
    row = the_row(opening)
    names = ("client", "requested_model", "route", "error_code", "stop_reason", "dropped", "upstream_id")
    assert columns(row, *names) == (kept,) * 7
    assert row.session == kept[:SESSION_LIMIT]


@pytest.mark.parametrize(("zone", "day"), [("Asia/Shanghai", date(2027, 1, 16)), ("UTC", date(2027, 1, 15))])
def test_the_installations_time_zone_decides_the_day(zone: str, day: date, settings: Any) -> None:
    settings.TIME_ZONE = zone
    opening = an_opening(a_known_caller(), opened_at=datetime(2027, 1, 15, 16, 30, tzinfo=UTC).timestamp())
    Statements(uuid4()).open_rows([opening])
    assert the_row(opening).day == day
