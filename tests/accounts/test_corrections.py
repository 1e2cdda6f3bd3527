"""What was measured is changed by the act of correction, which keeps what was, by whom and why; and by nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.corrections import CORRECTABLE, LARGEST, correct
from accounts.ledger.booked import SUM_COLUMNS, Booked
from accounts.ledger.books import open_books
from accounts.models import (
    ApiKey,
    Budget,
    BudgetPeriod,
    Correction,
    Member,
    Role,
    TrailEntry,
    UsageDay,
    UsageRecord,
    UsageSession,
)
from accounts.trail import verify
from tests.accounts.rows import a_member, a_record

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
MEASURED = [f.attname for f in UsageRecord._meta.concrete_fields if f.name not in UsageRecord.editable_fields]
WHO_MAY = {"accounts/ledger", "accounts/retention.py", "accounts/corrections.py", "accounts/models/usage_record.py"}


def an_owner() -> Member:
    return a_member(role=Role.OWNER)


def a_booked(number: int, **fields: Any) -> UsageRecord:
    """Make a row as the ledger does: with its counters."""
    values = {"member": a_member(), "served_model": "gpt-5.2", "session": f"s{number}"} | fields
    record = a_record(number, **values)
    with open_books() as books:
        books.enter(Booked.of(record))
    return record


def test_a_correction_writes_the_row_and_keeps_old_new_reason_and_who() -> None:
    record = a_booked(1, output_tokens=10, nano_reported=5, cost_source="reported")
    owner = an_owner()
    kept = correct(record.pk, {"output_tokens": 12, "nano_reported": 7, "input_tokens": 0}, " counted twice ", owner)
    record.refresh_from_db()
    assert (record.output_tokens, record.nano_reported) == (12, 7)
    assert [(c.column, c.old, c.new, c.reason, c.by, c.by_name, c.record) for c in kept] == [
        ("output_tokens", "10", "12", "counted twice", owner, owner.username, record.pk),
        ("nano_reported", "5", "7", "counted twice", owner, owner.username, record.pk),
    ]
    assert Correction.objects.count() == 2


def test_the_trail_tells_who_when_old_new_and_why() -> None:
    record = a_booked(1, output_tokens=10)
    correct(record.pk, {"output_tokens": 12}, "counted twice", an_owner())
    entry = TrailEntry.objects.latest("number")
    assert (entry.action, entry.subject_type, entry.subject_id) == ("usage.corrected", "usagerecord", str(record.pk))
    assert json.loads(entry.detail) == {"output_tokens": {"old": "10", "new": "12"}}
    assert entry.reason == "counted twice"
    assert verify().is_intact


@pytest.mark.parametrize(
    "who", [{"role": Role.AUDITOR}, {"role": Role.MEMBER}, {"role": Role.OWNER, "is_active": False}]
)
def test_only_an_active_owner_may(who: dict[str, Any]) -> None:
    record = a_booked(1, output_tokens=10)
    with pytest.raises(PermissionDenied):
        correct(record.pk, {"output_tokens": 12}, "because", a_member(**who))
    record.refresh_from_db()
    assert record.output_tokens == 10
    assert not Correction.objects.exists()


def test_the_owner_acts_even_when_nobody_is_signed_in_by_the_middleware() -> None:
    record, owner = a_booked(1), an_owner()
    correct(record.pk, {"output_tokens": 12}, "because", owner)
    entry = TrailEntry.objects.latest("number")
    assert (entry.actor_id, entry.actor_name) == (owner.pk, owner.username)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "Nothing would change"),
    ({"output_tokens": 10}, "Nothing would change"),
    ({"output_tokens": "10"}, "Nothing would change"),
    ({"output_tokens": -1}, "from 0 to"),
    ({"output_tokens": LARGEST + 1}, "less than or equal|from 0 to"),
    ({"output_tokens": 1.5}, "whole number"),
    ({"output_tokens": True}, "whole number"),
    ({"output_tokens": None}, "cannot be null"),
    ({"output_tokens": "many"}, "must be an integer"),
    ({"nano_reported": -5}, "from 0 to"),
    ({"nano_reported": None}, "exactly when there is a reported figure"),
    ({"cost_source": "computed"}, "exactly when there is a reported figure"),
    ({"cost_source": "guessed"}, "not a valid choice"),
    ({"nano_reported": None, "cost_source": "computed"}, "needs a computed figure"),
    ({"status": "open"}, "not opened again"),
    ({"status": "lost"}, "not a valid choice"),
    ({"http_status": -200}, "greater than or equal"),
    ({"member": 1}, "cannot be corrected"),
    ({"day": "2026-01-01"}, "cannot be corrected"),
    ({"served_model": "x"}, "cannot be corrected"),
    ({"note": "x"}, "cannot be corrected"),
    ({"no_such_column": 1}, "cannot be corrected"),
]


@pytest.mark.parametrize(("changes", "why"), REFUSED)
def test_what_cannot_be_is_refused_and_leaves_no_trace(changes: dict[str, Any], why: str) -> None:
    record = a_booked(1, output_tokens=10, nano_reported=5, cost_source="reported")
    before = UsageRecord.objects.values().get()
    told = TrailEntry.objects.count()
    owner = an_owner()
    with pytest.raises(ValidationError, match=why):
        correct(record.pk, changes, "because", owner)
    assert UsageRecord.objects.values().get() == before
    assert not Correction.objects.exists()
    assert TrailEntry.objects.filter(action="usage.corrected").count() == 0
    assert TrailEntry.objects.count() == told + 1  # the owner


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 2001])
def test_a_reason_is_needed_and_is_no_novel(reason: str) -> None:
    record = a_booked(1)
    with pytest.raises(ValidationError) as fault:
        correct(record.pk, {"output_tokens": 12}, reason, an_owner())
    assert list(fault.value.message_dict) == ["reason"]


def test_faults_are_told_by_column() -> None:
    record = a_booked(1)
    with pytest.raises(ValidationError) as fault:
        correct(record.pk, {"output_tokens": -1, "status": "lost", "input_tokens": 3}, "because", an_owner())
    assert sorted(fault.value.message_dict) == ["output_tokens", "status"]


def test_an_open_row_is_the_ledgers_own() -> None:
    record = a_booked(1, status="open")
    with pytest.raises(ValidationError, match="still open"):
        correct(record.pk, {"output_tokens": 12}, "because", an_owner())


def test_a_row_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(UsageRecord.DoesNotExist):
        correct(UUID(int=9), {"output_tokens": 12}, "because", an_owner())


def test_columns_that_know_no_value_can_be_emptied_and_filled() -> None:
    record = a_booked(1, nano_reported=5, nano_computed=4, cost_source="reported")
    correct(record.pk, {"nano_reported": "", "cost_source": "computed"}, "never billed", an_owner())
    record.refresh_from_db()
    assert (record.nano_reported, record.nano, record.cost_source) == (None, 4, "computed")
    correct(record.pk, {"nano_reported": LARGEST, "cost_source": "reported"}, "billed after all", an_owner())
    record.refresh_from_db()
    assert record.nano == LARGEST
    assert list(Correction.objects.order_by("id").values_list("column", "old", "new")) == [
        ("nano_reported", "5", ""), ("cost_source", "reported", "computed"),
        ("nano_reported", "", str(LARGEST)), ("cost_source", "computed", "reported"),
    ]  # fmt: skip


def test_an_abandoned_row_can_be_settled_by_hand() -> None:
    record = a_booked(1, status="abandoned")
    correct(
        record.pk, {"status": "settled", "http_status": 200, "output_tokens": 3}, "seen in GitHub's bill", an_owner()
    )
    day = UsageDay.objects.get()
    assert (day.opened, day.settled, day.abandoned, day.output_tokens) == (1, 1, 0, 3)


def test_budgets_move_along() -> None:
    budget = Budget.objects.create(limit_nano=1000, span="day")
    record = a_booked(1, nano_computed=100, cost_source="computed")
    period = BudgetPeriod.objects.create(budget=budget, start=record.day, end=record.day, settled_nano=100)
    correct(record.pk, {"nano_computed": 40}, "wrong card", an_owner())
    period.refresh_from_db()
    assert (period.settled_nano, period.reserved_nano) == (40, 0)


AMOUNTS = st.integers(0, 10**12)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "output_tokens": AMOUNTS,
        "cached_tokens": AMOUNTS,
        "nano_computed": AMOUNTS,
        "premium_thousandths": AMOUNTS,
        "status": st.sampled_from(["settled", "refused", "failed", "cancelled", "abandoned"]),
    },
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.tuples(st.integers(1, 3), CHANGES), max_size=6))
def test_roll_ups_equal_the_sum_of_the_rows_after_any_corrections(acts: list[tuple[int, dict[str, Any]]]) -> None:
    UsageRecord.objects.as_ledger().delete()
    UsageDay.objects.all().delete()
    UsageSession.objects.all().delete()
    owner = Member.objects.filter(role=Role.OWNER).first() or an_owner()
    key = ApiKey.objects.first() or ApiKey.objects.issue(owner)[0]
    for number in (1, 2, 3):
        a_booked(number, member=owner, key=key, session=f"s{number % 2}", nano_computed=number, cost_source="computed")
    for number, changes in acts:
        with suppress(ValidationError):  # nothing would change
            correct(UUID(int=number), changes, "because", owner)
    rows = [Booked.of(row).sums() for row in UsageRecord.objects.all()]
    expected = {name: sum(column) for name, column in zip(SUM_COLUMNS, zip(*rows, strict=True), strict=True)}
    sums = {name: Sum(name) for name in SUM_COLUMNS}
    assert UsageDay.objects.aggregate(**sums) == expected
    in_sessions = {name: total for name, total in expected.items() if name != "total_ms"}
    assert UsageSession.objects.aggregate(**{name: Sum(name) for name in in_sessions}) == in_sessions


@pytest.mark.parametrize("column", MEASURED)
def test_a_measured_column_cannot_be_changed_without_the_act(column: str) -> None:
    record = a_record(1)
    value = getattr(record, column)
    rows = UsageRecord.objects.filter(pk=record.pk)
    ways: list[Callable[[], object]] = [
        lambda: rows.update(**{column: value}),
        lambda: rows.update(**{column: value, "note": "x"}),
        lambda: UsageRecord._base_manager.update(**{column: value}),
    ]
    if column != "id":  # Django itself refuses to change a key
        ways += [lambda: rows.bulk_update([record], [column]), lambda: record.save(update_fields=[column])]
    for way in ways:
        with pytest.raises(TypeError, match="corrected by accounts"):
            way()


def test_rows_are_not_saved_whole_and_not_deleted() -> None:
    record = a_record(1)
    for way in (record.save, record.delete, UsageRecord.objects.all().delete, UsageRecord._base_manager.all().delete):
        with pytest.raises(TypeError, match="corrected by accounts"):
            way()
    assert UsageRecord.objects.count() == 1


def test_note_tag_and_cost_centre_are_anybodys() -> None:
    record = a_record(1)
    record.note = "ok"
    record.save(update_fields=["note"])
    record.tag = "sprint"
    UsageRecord.objects.bulk_update([record], ["tag"])
    UsageRecord.objects.filter(pk=record.pk).update(cost_centre="cc-7")
    record.refresh_from_db()
    assert (record.note, record.tag, record.cost_centre) == ("ok", "sprint", "cc-7")


def test_the_ledgers_door_is_used_by_those_who_keep_the_books_and_by_nobody_else() -> None:
    users = {
        str(path.relative_to(ROOT))
        for package in ("accounts", "proxy")
        for path in (ROOT / package).rglob("*.py")
        if "as_ledger" in path.read_text() and "migrations" not in path.parts
    }
    assert {user for user in users if not user.startswith(tuple(WHO_MAY))} == set()
    assert "accounts/corrections.py" in users


def test_every_correctable_column_is_a_measured_one() -> None:
    assert set(CORRECTABLE) <= set(MEASURED)
    assert not {"day", "member_id", "served_model", "seat_id", "id"} & set(CORRECTABLE)


def test_two_corrections_of_one_row_at_once_are_one_after_the_other() -> None:
    record, owner = a_booked(1, output_tokens=1), an_owner()
    correct(record.pk, {"output_tokens": 2}, "first", owner)
    correct(record.pk, {"output_tokens": 3}, "second", owner)
    assert list(Correction.objects.order_by("id").values_list("old", "new")) == [("1", "2"), ("2", "3")]
    assert UsageDay.objects.get().output_tokens == 3


def test_a_correction_is_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    record, owner = a_booked(1, output_tokens=1), an_owner()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_trailhead SET number = 0")  # the next number is taken: appending must fail
    with pytest.raises(Exception, match=r"(?i)unique"):
        correct(record.pk, {"output_tokens": 2}, "because", owner)
    record.refresh_from_db()
    assert record.output_tokens == 1
    assert UsageDay.objects.get().output_tokens == 1
    assert not Correction.objects.exists()


def test_the_row_keeps_when_it_was_settled() -> None:
    at = datetime(2026, 11, 1, 13, tzinfo=UTC)
    record = a_booked(1, settled_at=at)
    correct(record.pk, {"output_tokens": 2}, "because", an_owner())
    record.refresh_from_db()
    assert record.settled_at == at
