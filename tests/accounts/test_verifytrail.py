"""`manage.py verifytrail`, and the commands that tell the trail how much they did."""

from __future__ import annotations

from datetime import date
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from accounts.models import TrailEntry
from accounts.trail import append, verify
from tests.accounts.rows import a_record, a_seat

pytestmark = pytest.mark.django_db


def output_of(command: str, *args: str) -> str:
    out = StringIO()
    call_command(command, *args, stdout=out)
    return out.getvalue()


def test_it_says_in_one_sentence_how_many_entries_there_are_and_what_the_head_is() -> None:
    append("test.act")
    last = append("test.act")
    assert output_of("verifytrail") == f"2 entries, the chain is intact; the head is {last.hash}.\n"


def test_a_broken_chain_ends_it_with_the_first_broken_number_and_why() -> None:
    for _number in range(4):
        append("test.act")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_trailentry SET reason = 'forged' WHERE number IN (2, 4)")
    with pytest.raises(CommandError, match=r"^Entry 2: its hash does not fit its content\.$") as fault:
        output_of("verifytrail")
    assert fault.value.returncode == 1


def test_a_hash_kept_elsewhere_must_be_in_the_chain() -> None:
    first = append("test.act")
    append("test.act")
    assert "intact" in output_of("verifytrail", "--expect", first.hash.upper())
    with pytest.raises(CommandError, match="2 entries are whole, but the expected hash is in no entry"):
        output_of("verifytrail", "--expect", "ab" * 32)


def test_what_is_no_hash_is_refused() -> None:
    with pytest.raises(CommandError, match="64 hexadecimal digits"):
        output_of("verifytrail", "--expect", "abc")


def test_commands_that_change_many_rows_tell_how_many() -> None:
    a_seat()
    a_record(1, day=date(2001, 2, 3))
    output_of("pruneusage")
    output_of("pruneusage")
    pruned = TrailEntry.objects.latest("number")
    output_of("reencrypt")
    reencrypted = TrailEntry.objects.latest("number")
    assert (pruned.action, pruned.detail) == ("usage.pruned", '{"requests":1}')
    assert (reencrypted.action, reencrypted.detail) == ("secrets.reencrypted", '{"rewritten":1,"unreadable":0}')
    assert verify().is_intact
