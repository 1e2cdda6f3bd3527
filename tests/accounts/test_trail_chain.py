"""The chain: one writer at a time whoever writes, every kind of tampering found, in constant memory."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from accounts import trail
from accounts.models import ApiKey, Team, TrailEntry, TrailHead
from accounts.trail import Flaw, Verdict, append, verify
from accounts.trail_hash import GENESIS, Content, canonical
from tests.accounts.rows import a_member

ROOT = Path(__file__).resolve().parents[2]
HEAD = "accounts_trailhead"
ENTRIES = "accounts_trailentry"

WRITER = """
import sys
import django
django.setup()
from django.db import transaction
from accounts.actor import acting
from accounts.models import Team
name, count = sys.argv[1], int(sys.argv[2])
with acting(None, name):
    for number in range(count):
        with transaction.atomic():
            Team.objects.create(name=f"{name} {number}", slug=f"{name}-{number}")
            if number % 5 == 4:
                transaction.set_rollback(True)
"""


def entries(count: int) -> list[TrailEntry]:
    return [append(f"test.act{number}", changes={"n": number}, reason="why") for number in range(1, count + 1)]


def tamper(sql: str, *values: Any) -> None:
    """Change the table behind Django's back."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def flaw_of(verdict: Verdict) -> tuple[Flaw | None, int]:
    return verdict.flaw, verdict.number


@pytest.mark.django_db
def test_an_empty_trail_is_intact() -> None:
    assert verify() == Verdict(0, GENESIS)


@pytest.mark.django_db
def test_entries_are_numbered_from_one_and_each_names_the_hash_of_the_one_before() -> None:
    first, second, third = entries(3)
    assert [first.number, second.number, third.number] == [1, 2, 3]
    assert (first.previous_hash, second.previous_hash, third.previous_hash) == (GENESIS, first.hash, second.hash)
    head = TrailHead.objects.get()
    assert (head.number, head.hash) == (3, third.hash)
    assert verify() == Verdict(3, third.hash)
    assert verify().sentence == f"3 entries, the chain is intact; the head is {third.hash}."


def test_the_seal_is_what_its_docstring_says_and_does_not_depend_on_the_time_zone() -> None:
    at = datetime(2026, 11, 22, 10, 30, 0, 5, tzinfo=UTC)
    content = Content(1, at, None, "gateway", "a.b", "team", "7", "Zoë", '{"n":1}', "", GENESIS)
    columns = (
        '{"action":"a.b","actor_id":null,"actor_name":"gateway","at":"2026-11-22T10:30:00.000005+00:00",'
        '"detail":"{\\"n\\":1}","number":1,"previous_hash":"' + GENESIS + '","reason":"","subject_id":"7",'
        '"subject_name":"Zo\\u00eb","subject_type":"team"}'
    )
    assert content.hash == hashlib.sha256(f"{GENESIS}|{columns}".encode()).hexdigest()
    elsewhere = at.astimezone(timezone(timedelta(hours=8)))
    assert replace(content, at=elsewhere).hash == content.hash
    assert canonical({"b": [1, "é"], "a": None}) == '{"a":null,"b":[1,"\\u00e9"]}'


@pytest.mark.django_db
@pytest.mark.parametrize(
    "column",
    ["at", "actor_name", "action", "subject_type", "subject_id", "subject_name", "detail", "reason", "actor_id"],
)
def test_a_change_of_any_column_is_found(column: str) -> None:
    entries(4)
    value: Any = {"at": datetime(2020, 1, 1, tzinfo=UTC), "actor_id": 12}.get(column, "forged")
    if column == "at" and connection.vendor == "sqlite":
        value = "2020-01-01 00:00:00"
    tamper(f"UPDATE {ENTRIES} SET {column} = %s WHERE number = 3", value)
    verdict = verify()
    assert flaw_of(verdict) == (Flaw.CONTENT, 3)
    assert verdict.sentence == "Entry 3: its hash does not fit its content."


@pytest.mark.django_db
def test_a_changed_entry_with_a_hash_made_anew_no_longer_fits_the_next_one() -> None:
    entries(4)
    columns = TrailEntry.objects.filter(number=2).values_list(*trail._COLUMNS).get()
    forged = replace(Content(*columns), reason="another reason")
    tamper(f"UPDATE {ENTRIES} SET reason = %s, hash = %s WHERE number = 2", forged.reason, forged.hash)
    assert flaw_of(verify()) == (Flaw.PREVIOUS, 3)


@pytest.mark.django_db
@pytest.mark.parametrize("number", [1, 3])
def test_a_missing_entry_is_found(number: int) -> None:
    entries(5)
    tamper(f"DELETE FROM {ENTRIES} WHERE number = %s", number)
    assert flaw_of(verify()) == (Flaw.MISSING, number)


@pytest.mark.django_db
def test_an_end_that_was_cut_off_is_found() -> None:
    entries(5)
    tamper(f"DELETE FROM {ENTRIES} WHERE number > 3")
    verdict = verify()
    assert flaw_of(verdict) == (Flaw.CUT, 5)
    assert verdict.entries == 3
    assert "the end was cut off" in verdict.sentence


@pytest.mark.django_db
def test_a_head_that_was_turned_back_is_found() -> None:
    second = entries(3)[1]
    tamper(f"UPDATE {HEAD} SET number = 2, hash = %s", second.hash)
    assert flaw_of(verify()) == (Flaw.HEAD, 3)


@pytest.mark.django_db
def test_an_end_that_was_cut_off_together_with_the_head_is_found_by_a_hash_kept_elsewhere() -> None:
    _first, second, third = entries(3)
    tamper(f"DELETE FROM {ENTRIES} WHERE number = 3")
    tamper(f"UPDATE {HEAD} SET number = 2, hash = %s", second.hash)
    assert verify().is_intact
    assert verify(second.hash).is_intact
    assert flaw_of(verify(third.hash)) == (Flaw.UNKNOWN_HASH, 2)


@pytest.mark.django_db
def test_a_lost_head_is_found_and_the_chain_goes_on_and_says_so() -> None:
    entries(2)
    tamper(f"DELETE FROM {HEAD}")
    assert verify().flaw is Flaw.NO_HEAD
    last = append("test.after")
    assert last.number == 4
    assert TrailEntry.objects.get(number=3).action == "trail.head_restored"
    assert verify() == Verdict(4, last.hash)


@pytest.mark.django_db
def test_the_walk_holds_a_batch_in_memory_and_asks_once_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "BATCH", 10)
    last = entries(25)[-1]
    with CaptureQueriesContext(connection) as queries:
        assert verify() == Verdict(25, last.hash)
    asked = [query["sql"] for query in queries if ENTRIES in query["sql"]]
    assert len(asked) == 3
    assert all("LIMIT 10" in sql for sql in asked)


@pytest.mark.django_db
def test_many_acts_at_once_are_one_write_of_rows_and_one_of_the_head() -> None:
    Team.objects.bulk_create([Team(name=str(number), slug=str(number)) for number in range(50)])
    with CaptureQueriesContext(connection) as queries:
        Team.objects.update(note="x")
    written = [query["sql"].split()[0] for query in queries if ENTRIES in query["sql"] or HEAD in query["sql"]]
    assert written.count("INSERT") == 1
    assert written.count("UPDATE") == 1
    assert verify().entries == 100


@pytest.mark.django_db(transaction=True)
def test_threads_write_one_chain_without_a_gap() -> None:
    def write(name: str) -> None:
        for number in range(20):
            with transaction.atomic():
                Team.objects.create(name=f"{name}{number}", slug=f"{name}{number}")
                transaction.set_rollback(number % 4 == 3)

    in_threads(write, "abcd")
    assert Team.objects.count() == 60
    verdict = verify()
    assert (verdict.entries, verdict.flaw) == (60, None)


@pytest.mark.django_db(transaction=True)
def test_processes_write_one_chain_without_a_gap() -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, name, "20"],
            cwd=ROOT,
            env=environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two", "three")
    ]
    told = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], told
    assert Team.objects.count() == 48
    verdict = verify()
    assert (verdict.entries, verdict.flaw) == (48, None)
    writers = set(TrailEntry.objects.values_list("actor_name", flat=True))
    assert writers == {"one", "two", "three"}


@pytest.mark.django_db(transaction=True)
def test_what_a_command_changes_is_told_in_its_name() -> None:
    a_member("mo")
    subprocess.run(
        [sys.executable, "manage.py", "issuekey", "mo"],
        cwd=ROOT, env=environment(), check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    entry = TrailEntry.objects.latest("number")
    assert (entry.action, entry.actor_name, entry.actor_id) == ("key.issued", "command issuekey", None)


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_at_once_the_second_tells_what_the_first_left() -> None:
    team = Team.objects.create(name="Compilers", note="0")

    def note(name: str) -> None:
        for number in range(15):
            Team.objects.filter(pk=team.pk).update(note=f"{name}{number}")

    in_threads(note, "ab")
    told = [json.loads(entry.detail)["note"] for entry in TrailEntry.objects.order_by("number")[1:]]
    assert len(told) == 30
    assert [change["old"] for change in told] == ["0", *(change["new"] for change in told[:-1])]
    assert Team.objects.get().note == told[-1]["new"]


@pytest.mark.django_db(transaction=True)
def test_whoever_locks_a_row_first_does_not_wait_for_one_who_changes_it() -> None:
    member = a_member()
    keys = [ApiKey.objects.issue(member, str(number))[0].pk for number in range(12)]

    def end(name: str) -> None:
        for number in keys if name == "a" else keys[::-1]:
            key = ApiKey.objects.get(pk=number)
            with suppress(ValidationError):  # it has ended already
                key.rotate(timedelta(hours=1))
            ApiKey.objects.get(pk=number).revoke()

    in_threads(end, "aba")
    assert ApiKey.objects.filter(pk__in=keys, revoked_at=None).count() == 0
    assert verify().is_intact


def in_threads(act: Callable[[str], None], names: str) -> None:
    """Run an act in one thread for each name, and leave no connection behind; raise what any of them raised."""

    def tidy(name: str) -> None:
        try:
            act(name)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(names)) as pool:
        for running in [pool.submit(tidy, name) for name in names]:
            running.result()


def environment() -> dict[str, str]:
    """Return the environment of a process that works on the database of this test."""
    settings = {"DJANGO_SETTINGS_MODULE": "tests.settings", "BRIDGE_TEST_DATABASE_URL": url_of_this_database()}
    return {**os.environ, **settings}


def url_of_this_database() -> str:
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["BRIDGE_TEST_DATABASE_URL"])._replace(path=f"/{name}").geturl()
